"""One party: a SIP call and its media leg (``engine.call.party_media``), kept in step.

A party hides who began the call and how the offer travelled (in the INVITE, in the 200, in a
re-INVITE): its listener sees "answered", "digit", "ended". The listener is a conversation: an
automate talking to one party, or a bridge between two.

A party may go on with another call on the same leg: by Replaces, or by a transfer. Its
conversation then only hears another voice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.call.call_record import call_record
from engine.call.call_state import CallState, DestinationState, PartyState
from engine.call.destinations import Destination
from engine.call.media_security import new_keys
from engine.call.party_listener import NOBODY
from engine.call.party_media import PartyMedia
from media.control import DigitReceived, LegFailed, LegMoved, LegStatistics
from media.pool import WORKER_LOST
from sip.call import ignore_event
from sip.dtmf_info import RELAY, Digit, read_digit, write_digit
from sip.errors import SipError
from sip.offer_answer import accept
from sip.session.outputs import (
    Answered,
    AnswerReceived,
    Confirmed,
    EndCause,
    Ended,
    InfoReceived,
    OfferFailed,
    OfferReceived,
    OfferRequested,
    Progress,
    Redirected,
    ReferReceived,
)
from sip.session.outputs import Event as SessionEvent
from sip.uri import Uri

if TYPE_CHECKING:
    from engine.call.party_listener import PartyListener, Successor
    from engine.call.services import CallServices
    from media.control import LegEvent
    from media.leg import Leg
    from sip.call import Call
    from sip.sdes import OwnKeys
    from sip.uri import NameAddr

log = Logger()


class Party(PartyMedia):
    """A SIP call with its leg. All methods are called on the reactor's thread.

    number: who it is, as others are told. redirected: where a 3xx pointed.
    """

    __slots__ = (
        "_answered_at",
        "_begun",
        "_early",
        "_gone",
        "_leg_is_closed",
        "_moved",
        "answered",
        "listener",
        "number",
        "redirected",
        "successor",
    )

    def __init__(
        self, services: CallServices, listener: PartyListener, number: str, identity: str | None = None
    ) -> None:
        super().__init__(services, identity)
        self.listener = listener
        self.number = number
        self.redirected: tuple[NameAddr, ...] = ()
        self.answered = False
        self.successor: Successor | None = None
        self._answered_at = 0.0
        self._begun = services.clock.seconds()
        self._gone: Ended | None = None  # its call is over, but a successor may still take its place
        self._leg_is_closed = False
        self._moved = False  # the peer is being told that the port of our media changed
        self._early = b""  # the answer already given in a 183; the 200 repeats it (RFC 3261 section 13.3.1.4)

    @property
    def call_id(self) -> str:
        """The Call-ID, for log lines; empty before there is a call."""
        return "" if self.call is None else self.call.call_id

    @property
    def begun_at(self) -> float:
        """When it began, in the clock's seconds."""
        return self._begun

    @property
    def answered_at(self) -> float:
        """When it was answered; 0.0 before."""
        return self._answered_at

    @property
    def wants_provisional(self) -> bool:
        """The caller insists on reliable provisional responses (RFC 3262), so it shall get one."""
        return self.call is not None and "100rel" in self.call.request.require

    def attach(self, call: Call) -> None:
        """Take ``call`` as this party's; its events come here from now on."""
        self.call = call
        call.on_event, call.owner = self.call_event, self

    def changed(self) -> None:
        """Something of it, its call or its leg is to be remembered."""
        self.services.changed(self.listener)

    def state(self) -> PartyState | None:
        """What another process needs to go on with it; None while it is not up, or on its way out."""
        call, leg, to = self.call, self.leg, self.destination
        session = None if call is None or self._gone is not None else call.session.snapshot()
        if call is None or leg is None or session is None or self.ended or not leg.alive:
            return None
        return PartyState(
            number=self.number,
            identity=self.identity,
            destination=None
            if to is None
            else DestinationState(to.number, str(to.target), to.host, to.line, to.link),
            answered=self.answered,
            begun=self._begun,
            answered_at=self._answered_at,
            audio=self.audio,
            said=self._said,
            port=self._port,
            version=self._version,
            remote=self._remote,
            keys=self._keys.state(),
            wants_digits=self.wants_digits,
            call=CallState(
                session,
                call.known_flow,
                None if call.next_hop is None else str(call.next_hop),
                call.peer_class,
                call.direct,
                call.identity,
            ),
            leg=leg.state(),
        )

    def restore(self, state: PartyState, call: Call, leg: Leg) -> None:
        """Be what it was in another process."""
        to = state.destination
        if to is not None:
            self.destination = Destination(
                to.number,
                Uri.parse(to.target),
                to.host,
                line=to.line,
                link=to.link,
                company=self.listener.company,
            )
        self.answered, self.audio, self.wants_digits = state.answered, state.audio, state.wants_digits
        self._begun, self._answered_at = state.begun, state.answered_at
        self._said, self._port = state.said, state.port
        self._version, self._remote = state.version, state.remote
        self._keys.restore(state.keys)
        self.attach(call)
        self._take_leg(leg)
        if self._said and leg.local_port != self._port:
            self._moved = True
            self.services.reanchoring.add(self)

    # ---- commands

    def ring(self) -> None:
        """180 to an incoming call."""
        if self.call is not None and not self.ended:
            self.call.ring()

    def ring_with_sound(self) -> None:
        """183 with our answer: the caller hears the called side before it answers. Without an offer, 180."""
        if self.call is None or self.ended or self._early:
            return
        if self.call.offer is None:
            self.call.ring()
            return
        try:
            self._early = self.answer_for(self.call, self.call.offer)
        except SipError as error:
            self.reject(_status_of(error))
            return
        self.call.progress(183, self._early)

    def answer(self) -> None:
        """200 to an incoming call: the answer to its offer, or our offer when it had none."""
        if self.call is None or self.ended:
            return
        try:
            self._answer(self.call)
        except SipError as error:
            self.reject(_status_of(error))

    def _answer(self, call: Call) -> None:
        if call.offer is None:
            call.answer(self.make_offer())
        else:
            call.answer(self._early or self.answer_for(call, call.offer))

    def reject(self, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """A final refusal of an incoming call."""
        if self.call is not None and not self.ended:
            self.call.reject(status, headers=headers)

    def hang_up(self, reason: str | None = None) -> None:
        """BYE, CANCEL or a refusal, as the call's state asks; the leg is silent at once.

        reason: a Reason value (RFC 3326).
        """
        self._close_leg()
        if self.ended:
            return
        if self._gone is not None:
            self._over(self._gone)
        elif self.call is not None:
            self.call.hangup(reason)

    def send_digits(self, digits: str) -> None:
        """Press keys for the other side: by INFO where its link wants that, else in its leg."""
        if self.dtmf_mode != "info":
            if self.leg is not None:
                self.leg.send_digits(digits)
        elif self.call is not None and self.answered and not self.ended:
            for digit in digits:
                self.call.info(RELAY, write_digit(Digit(digit)))

    # ---- going on with another call

    def take_over(self, call: Call, number: str, identity: str | None) -> None:
        """An incoming call replaces this party's own (RFC 3891 section 3); refused, it changes nothing."""
        call.trying()
        if call.session.ended:
            return
        try:
            keys = new_keys()
            sdp = None if call.offer is None else self.answer_for(call, call.offer, identity, keys)
        except SipError as error:
            call.reject(_status_of(error))
            return
        former = self._become(call, number, identity, keys)
        call.answer(self.make_offer() if sdp is None else sdp)
        leave(former)

    def adopt(
        self, call: Call, offer: bytes, sdp: bytes, destination: Destination, keys: OwnKeys
    ) -> Call | None:
        """Carry on with ``call``, just answered with ``sdp`` to ``offer``; returns the former call, to be left.

        keys: those of ``offer``.

        Raises:
            SipError: the answer cannot be used; nothing has changed.
        """
        audio = accept(offer, sdp, forbidden=self.services.forbidden_media(call))
        if audio is None:
            raise SipError("the answer has no sound")
        former = self._become(call, destination.number, destination.line, keys)
        self.answered, self._remote = True, sdp
        self._answered_at = self._answered_at or self.services.clock.seconds()
        self._use(call, audio)
        return former

    def stay(self) -> None:
        """The successor came to nothing: the party is who it was, or gone."""
        self.successor = None
        if self._gone is not None and not self.ended:
            self._over(self._gone)

    def _become(self, call: Call, number: str, identity: str | None, keys: OwnKeys) -> Call | None:
        """From now on this party is who is at the other end of ``call``; returns its former call."""
        former = self.call
        self.attach(call)
        self.number, self.identity, self._keys = number, identity, keys
        self.successor = self._gone = self._offer = self._remote = None
        self._early = b""
        return former

    # ---- what the call says

    def call_event(self, event: SessionEvent) -> None:
        """Take one event of the SIP session (``Call.on_event``)."""
        if self.ended:
            return
        match event:
            case Progress():
                self._progress(event)
            case Answered():
                self._answered(event)
            case Confirmed():
                self._confirmed(event)
            case OfferReceived():
                self._offered(event)
            case OfferRequested():
                self._offer_requested()
            case AnswerReceived():
                self._answer_received(event)
            case OfferFailed():
                self._offer = None  # RFC 3261 section 14.1: the session goes on as it was
                if self._has_told_port():
                    self.services.count("reanchor_refused")
            case InfoReceived():
                self._info(event)
            case ReferReceived():
                self.listener.party_referred(self, event)
            case Redirected() if not event.followed:
                self.redirected = event.contacts
            case Ended():
                self._ended(event)
            case _:
                pass  # a REFER of ours is watched by whoever sent it

    def _progress(self, event: Progress) -> None:
        early = event.sdp is not None and self._take_answer(event.sdp)
        self.listener.party_progressed(self, event.status, early or self.audio is not None)

    def _answered(self, event: Answered) -> None:
        """2xx to our INVITE; another answer than before it when another fork was the one that answered."""
        usable = event.sdp is not None and self._take_answer(event.sdp)
        self._offer = None
        if not usable or self.audio is None:
            self.hang_up()
            return
        self._up()

    def _confirmed(self, event: Confirmed) -> None:
        """ACK to our 2xx, with the answer when the offer was ours."""
        usable = event.sdp is None or self._take_answer(event.sdp)
        self._offer = None
        if not usable:
            self.hang_up()
            return
        self._up()

    def _up(self) -> None:
        if not self.answered:
            self.answered = True
            self._answered_at = self.services.clock.seconds()
            self.listener.party_answered(self)

    def _offered(self, event: OfferReceived) -> None:
        assert self.call is not None
        try:
            sdp = self.answer_for(self.call, event.sdp)
        except SipError as error:
            self.call.reject_offer(_status_of(error))
            return
        self.call.answer_offer(sdp)

    def _offer_requested(self) -> None:
        assert self.call is not None
        try:
            offer = self.make_offer()
        except SipError as error:
            self.call.reject_offer(_status_of(error))
            return
        self.call.answer_offer(offer)

    def _answer_received(self, event: AnswerReceived) -> None:
        usable = self._take_answer(event.sdp)
        self._offer = None
        if self._has_told_port():
            self.services.count("reanchored")
        if not usable:
            self.hang_up()

    def _info(self, event: InfoReceived) -> None:
        pressed = read_digit(event.content_type, event.body)
        if pressed is not None:
            self.listener.party_digit(self, pressed.digit, True)

    def _ended(self, event: Ended) -> None:
        """A referrer may hang up once its REFER is accepted (RFC 5589 section 6.1): its successor decides."""
        if self.successor is None or event.cause is not EndCause.REMOTE_BYE:
            self._over(event)
            return
        self._gone = event
        if self.call is not None:
            self._use(self.call, None)

    def _over(self, event: Ended) -> None:
        self.ended = True
        log.info(
            "call {call_id} {way} {number} ended after {seconds:.1f} s: {cause} {status}",
            call_id=self.call_id,
            way="from" if self.destination is None else "to",
            number=self.number or "anonymous",
            seconds=self.services.clock.seconds() - self._begun,
            cause=event.cause.value,
            status=event.status or "",
        )
        self._close_leg()
        successor, self.successor = self.successor, None
        if successor is not None:
            successor.give_up()
        self.listener.party_ended(self, event)
        self._let_go()

    def _let_go(self) -> None:
        """When call and leg are over, leave the conversation alone: else the two would wait for the collector."""
        if self.ended and (self.leg is None or self._leg_is_closed):
            self.listener = NOBODY

    # ---- what the leg says

    def _leg_event(self, event: LegEvent) -> None:
        if isinstance(event, LegStatistics):
            self._leg_statistics(event)
        if isinstance(event, LegFailed):
            self._leg_failed(event)
        elif isinstance(event, LegMoved):
            self._leg_moved(event)
        elif self.ended:
            self.listener.party_leg_event(self, event)  # a recording closes after its call
        elif isinstance(event, DigitReceived):
            self.listener.party_digit(self, event.digit, False)
        else:
            self.listener.party_leg_event(self, event)

    def _leg_closed(self) -> None:
        self._leg_is_closed = True
        self._let_go()

    def _leg_moved(self, event: LegMoved) -> None:
        """Another process carries the leg; the peer has to know if that could not bind the port it was told."""
        log.info("{call_id} the leg goes on in another worker", call_id=self.call_id)
        self.changed()
        if self._said and event.local_port != self._port and not self.ended:
            self._moved = True
            self.services.reanchoring.add(self)

    def offer_again(self) -> None:
        """Offer the port the leg has now; before the answer by UPDATE if the peer takes that, else after it."""
        if not self._moved or self.call is None or self.ended or self._gone is not None:
            return
        try:
            self.call.reoffer(self.make_offer(), "INVITE" if self.answered else "UPDATE")
        except SipError as error:
            log.info("{call_id} cannot be told its port: {error}", call_id=self.call_id, error=error)

    def _has_told_port(self) -> bool:
        """Whether what the peer has just answered, one way or the other, was our offer of another port."""
        told, self._moved = self._moved, False
        return told

    def _leg_statistics(self, event: LegStatistics) -> None:
        """The last ones are kept, of a call that was answered."""
        if event.final and self.answered:
            seconds = self.services.clock.seconds() - self._answered_at
            self.services.journal.note(call_record(self, event, seconds))

    def _leg_failed(self, event: LegFailed) -> None:
        """A worker that died takes the call with it; a command that failed is only counted."""
        log.warn("{call_id} the leg failed: {reason}", call_id=self.call_id, reason=event.reason)
        if event.reason == WORKER_LOST:
            self.services.count("leg_lost")
            self.listener.party_leg_event(self, event)
            self.hang_up()
        else:
            self.services.count("leg_command_failed")


def leave(call: Call | None) -> None:
    """Hang up a call whose party has gone on with another; its last words concern nobody."""
    if call is not None:
        call.on_event = ignore_event
        call.hangup()


def _status_of(error: SipError) -> int:
    """What a peer is answered whose description cannot be used."""
    return getattr(error, "status", None) or 488
