"""One party: a SIP call and its media leg, kept in step.

A party hides who began the call and how the offer travelled (in the INVITE, in the 200, in a
re-INVITE): its listener sees "answered", "digit", "ended". The listener is a conversation: an
automate talking to one party, or a bridge between two.

A party may go on with another call on the same leg: by Replaces, or by a transfer. Its
conversation then only hears another voice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from msgspec import structs
from twisted.logger import Logger

from engine.call.call_record import call_record
from engine.call.call_state import CallState, DestinationState, PartyState
from engine.call.destinations import Destination
from engine.call.dtmf import in_the_sound, without_events
from engine.call.leg_terms import leg_spec, symmetric_leg
from engine.call.media_security import new_keys
from media.control import DigitReceived, LegFailed, LegMoved, LegStatistics
from media.pool import WORKER_LOST
from sip.call import ignore_event
from sip.dtmf_info import RELAY, Digit, read_digit, write_digit
from sip.errors import SipError
from sip.offer_answer import Audio, Codec, LocalMedia, accept, answer, first_common, make_offer
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
    from twisted.internet.defer import Deferred

    from engine.call.services import CallServices
    from engine.store import DtmfMode
    from media.control import LegEvent
    from media.leg import Leg
    from sip.call import Call
    from sip.sdes import OwnKeys, Security
    from sip.uri import NameAddr

log = Logger()


class PartyListener(Protocol):
    """What a conversation is told about its parties."""

    def party_progressed(self, party: Party, status: int, early_media: bool) -> None:
        """The called party sent a provisional response (``early_media``: with sound)."""

    def party_answered(self, party: Party) -> None:
        """Both sides have agreed: the call is up and its leg carries sound."""

    def party_digit(self, party: Party, digit: str, by_info: bool) -> None:
        """A DTMF digit arrived: as RFC 4733 event, or by INFO (then no leg has heard it)."""

    def party_leg_event(self, party: Party, event: LegEvent) -> None:
        """Anything else the leg says: playing finished, recording closed."""

    def party_referred(self, party: Party, event: ReferReceived) -> None:
        """The party asks us to call somebody else in its place: accept or reject the REFER."""

    def party_ended(self, party: Party, ended: Ended) -> None:
        """The call is over and the leg closed; said once."""


class Successor(Protocol):
    """A call being placed that is to take a party's place (:class:`engine.call.transfers.Transfer`)."""

    def give_up(self) -> None:
        """The party is over: nobody is left to be connected."""


class Party:
    """A SIP call with its leg. All methods are called on the reactor's thread.

    number: who it is, as others are told. identity: the line it proved to be, or is the phone of; rights go
    by this and by nothing a message says (security reference C7). redirected: where a 3xx pointed.
    """

    __slots__ = (
        "_answered_at",
        "_begun",
        "_early",
        "_gone",
        "_keys",
        "_moved",
        "_offer",
        "_port",
        "_remote",
        "_said",
        "_version",
        "answered",
        "audio",
        "call",
        "destination",
        "ended",
        "identity",
        "leg",
        "likes",
        "listener",
        "number",
        "redirected",
        "services",
        "successor",
        "wants_digits",
    )

    def __init__(
        self, services: CallServices, listener: PartyListener, number: str, identity: str | None = None
    ) -> None:
        self.services = services
        self.listener = listener
        self.number = number
        self.identity = identity
        self.destination: Destination | None = None
        self.redirected: tuple[NameAddr, ...] = ()
        self.call: Call | None = None
        self.leg: Leg | None = None
        self.audio: Audio | None = None
        self.answered = False
        self.ended = False
        self.successor: Successor | None = None
        self.likes: Codec | None = None  # before others, so that the two of a bridge agree
        self.wants_digits = True  # set before it answers: nobody looks for them in the sound for nothing
        self._answered_at = 0.0
        self._begun = services.clock.seconds()
        self._gone: Ended | None = None  # its call is over, but a successor may still take its place
        self._offer: bytes | None = None  # our offer that waits for its final answer
        self._remote: bytes | None = None  # the answer to it that is in use
        self._said = b""  # our last description
        self._port = 0  # of our media, in that description
        self._moved = False  # the peer is being told that it changed
        self._version = 1
        self._keys = new_keys()  # ours, for SRTP
        self._early = b""  # the answer already given in a 183; the 200 repeats it (RFC 3261 section 13.3.1.4)

    @property
    def call_id(self) -> str:
        """The Call-ID, for log lines; empty before there is a call."""
        return "" if self.call is None else self.call.call_id

    @property
    def wants_provisional(self) -> bool:
        """The caller insists on reliable provisional responses (RFC 3262), so it shall get one."""
        return self.call is not None and "100rel" in self.call.request.require

    @property
    def dtmf_mode(self) -> DtmfMode:
        """How digits travel between us and this party."""
        return self.services.dtmf_mode(self.call, self.destination)

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
                to.number, Uri.parse(to.target), to.host, line=to.line, link=to.link
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

    # ---- media

    def open_leg(self, near: Party | None = None, room: str | None = None) -> Deferred[Leg]:
        """Ask a worker (that of ``near``, for a bridge, or of a room) for the leg of an incoming call.

        Fails when no worker can take it.
        """
        assert self.call is not None
        source = self.services.symmetric_source(self.call)
        return self._open_leg(self.services.media_peer(self.call), near, room, source)

    def open_leg_for(self, remote: str, near: Party | None = None, room: str | None = None) -> Deferred[Leg]:
        """Ask for a leg whose address a peer at ``remote`` can reach."""
        return self._open_leg(remote, near, room, None)

    def _open_leg(
        self, remote: str, near: Party | None, room: str | None, source: tuple[str, int] | None
    ) -> Deferred[Leg]:
        """source: where the peer's media is sure to come from, so that the leg may share a port."""
        spec = symmetric_leg(leg_spec(self.services.media_host(remote), None, None), source)
        opening = self.services.media.open_leg(spec, near=None if near is None else near.leg, room=room)
        return opening.addCallback(self._take_leg)

    def _take_leg(self, leg: Leg) -> Leg:
        self.leg = leg
        leg.on_event, leg.on_change = self._leg_event, self.changed
        if self.ended:
            self._close_leg()
        return leg

    def describe_for(self, destination: Destination, keys: OwnKeys) -> bytes:
        """An offer for this leg in a call of its own, with these keys.

        Raises:
            SipError: SRTP is required and must not be offered there.
        """
        return self._describe(None, self.services.security.of_destination(destination, keys))

    def make_offer(self) -> bytes:
        """Our offer in this party's own call, remembered until the answer comes.

        Raises:
            SipError: SRTP is required and must not be offered there.
        """
        security = self.services.security
        previous = None
        if self.call is not None:
            previous = self.call.session.local_sdp
            agreed = security.of_call(self.call, self.identity, self._keys)
        else:
            assert self.destination is not None, "whom else would we call"
            agreed = security.of_destination(self.destination, self._keys)
        self._offer, self._remote = self._describe(previous, agreed), None
        return self._offer

    def best_codec(self) -> Codec | None:
        """What the caller would rather speak than all else, if it said so."""
        offer = None if self.call is None else self.call.offer
        try:
            return None if offer is None else first_common(offer, self.services.codecs)
        except SipError:
            return None  # it will be refused when it is answered

    def _describe(self, previous: bytes | None, security: Security) -> bytes:
        """An offer; the streams of ``previous``, ours in the same session, stay (RFC 3264 section 8)."""
        codecs = without_events(self.dtmf_mode, self.services.codecs)
        if self.likes is not None:
            likes = self.likes.key
            codecs = tuple(sorted(codecs, key=lambda codec: codec.key != likes))
        return self._numbered(security, lambda local: (make_offer(codecs, local, previous=previous), None))[0]

    def answer_for(
        self, call: Call, offer: bytes, identity: str | None = None, keys: OwnKeys | None = None
    ) -> bytes:
        """Negotiate ``offer`` of ``call``, set the leg up accordingly and return the answer.

        identity, keys: of who calls, when that is not this party yet.

        Raises:
            SipError: nothing in common (488), or the offer is broken.
        """
        forbidden = self.services.forbidden_media(call)
        codecs = without_events(self.dtmf_mode, self.services.codecs)
        security = self.services.security.of_call(call, identity or self.identity, keys or self._keys)
        sdp, audio = self._numbered(
            security, lambda local: answer(offer, codecs, local, forbidden=forbidden, prefer=self.likes)
        )
        self._use(call, audio)
        return sdp

    def _numbered(
        self, security: Security, describe: Callable[[LocalMedia], tuple[bytes, Audio | None]]
    ) -> tuple[bytes, Audio | None]:
        """Describe our side, under the next version number when it says something new (RFC 3264 section 8)."""
        leg = self.leg
        assert leg is not None, "a party negotiates only once its leg is open"
        local = LocalMedia(
            leg.local_host, leg.local_port, leg.id, self._version, rtcp_mux=True, security=security
        )
        described = describe(local)
        if self._said and described[0] != self._said:
            self._version += 1
            described = describe(local._replace(version=self._version))
        self._said, self._port = described[0], leg.local_port
        return described

    def _take_answer(self, sdp: bytes) -> bool:
        """The peer's answer to our offer; False when it cannot be used. The same one again changes nothing."""
        call = self.call
        assert call is not None
        if sdp == self._remote:
            return True
        offer = (
            self._offer or call.session.local_sdp
        )  # none: a session refresh repeated the description in force
        if offer is None:
            return False
        try:
            audio = accept(offer, sdp, forbidden=self.services.forbidden_media(call))
        except SipError as error:
            self.services.count("answer_refused")
            log.info("{call_id} the answer cannot be used: {error}", call_id=call.call_id, error=error)
            return False
        self._remote = sdp
        self._use(call, audio)
        return True

    def _use(self, call: Call, audio: Audio | None) -> None:
        """Tell the leg what was negotiated; ``None`` stops the stream."""
        self.audio = audio
        if self.leg is not None:
            trusted = self.services.media_trust(call)
            inband = self.wants_digits and in_the_sound(self.dtmf_mode, audio)
            spec = leg_spec(self.leg.local_host, audio, trusted, inband_digits=inband)
            self.leg.modify(**structs.asdict(spec))

    def _close_leg(self) -> None:
        if self.leg is not None:
            self.leg.close()

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

    def hang_up(self) -> None:
        """BYE, CANCEL or a refusal, as the call's state asks; the leg is silent at once."""
        self._close_leg()
        if self.ended:
            return
        if self._gone is not None:
            self._over(self._gone)
        elif self.call is not None:
            self.call.hangup()

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
