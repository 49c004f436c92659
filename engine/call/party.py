"""One party: a SIP call and its media leg, kept in step.

A party hides who began the call and how the offer travelled (in the INVITE, in the 200, in a
re-INVITE): its listener sees "answered", "digit", "ended". The listener is a conversation: an
automate talking to one party, or a bridge between two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import structs
from twisted.logger import Logger

from media.control import DigitReceived, LegFailed, LegSpec
from media.pool import WORKER_LOST
from sip.dtmf_info import read_digit
from sip.errors import SipError
from sip.offer_answer import Audio, Codec, LocalMedia, accept, answer, make_offer
from sip.session.outputs import (
    Answered,
    AnswerReceived,
    Confirmed,
    Ended,
    InfoReceived,
    OfferFailed,
    OfferReceived,
    OfferRequested,
    Progress,
    ReferReceived,
)
from sip.session.outputs import Event as SessionEvent

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from engine.call.services import CallServices
    from media.control import LegEvent
    from media.leg import Leg
    from sip.call import Call

log = Logger()

CODECS = (Codec("PCMU", 8000, 1, 0), Codec("PCMA", 8000, 1, 8), Codec("telephone-event", 8000, 1, 101))
"""What a leg can speak, in our order of preference; the offerer's order wins in an answer (RFC 3264 section 6.1)."""


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


class Party:
    """A SIP call with its leg. All methods are called on the reactor's thread."""

    __slots__ = (
        "_begun",
        "_early",
        "_offer",
        "_version",
        "answered",
        "audio",
        "call",
        "ended",
        "incoming",
        "leg",
        "listener",
        "number",
        "services",
    )

    def __init__(
        self, services: CallServices, listener: PartyListener, number: str, *, incoming: bool
    ) -> None:
        self.services = services
        self.listener = listener
        self.number = number
        self.incoming = incoming
        self.call: Call | None = None
        self.leg: Leg | None = None
        self.audio: Audio | None = None
        self.answered = False
        self.ended = False
        self._begun = services.clock.seconds()
        self._offer: bytes | None = None  # our offer that waits for an answer
        self._version = 0
        self._early = b""  # the answer already given in a 183; the 200 repeats it (RFC 3261 section 13.3.1.4)

    @property
    def call_id(self) -> str:
        """The Call-ID, for log lines; empty before there is a call."""
        return "" if self.call is None else self.call.call_id

    @property
    def wants_provisional(self) -> bool:
        """The caller insists on reliable provisional responses (RFC 3262), so it shall get one."""
        return self.call is not None and "100rel" in self.call.request.require

    def attach(self, call: Call) -> None:
        """Take ``call`` as this party's; its events come here from now on."""
        self.call = call
        call.on_event = self.call_event

    def adopt(self, call: Call, offer: bytes, sdp: bytes) -> Call | None:
        """Carry on with ``call``, just answered with ``sdp`` to ``offer``, on the same leg; returns the former call.

        The conversation does not notice: this is how a party is transferred.

        Raises:
            SipError: the answer cannot be used; nothing has changed.
        """
        audio = accept(offer, sdp, forbidden=self.services.forbidden_media(call))
        former = self.call
        self.attach(call)
        self._offer = None
        self.answered = True
        self._use(audio)
        return former

    # ---- media

    def open_leg(self, near: Party | None = None) -> Deferred[Leg]:
        """Ask a worker (that of ``near``, for a bridge) for a leg; fails when none has room.

        An incoming call must be attached already; an outgoing one passes its destination's host by ``near``'s worker.
        """
        assert self.call is not None
        return self.open_leg_for(self.call.flow.remote.host, near)

    def open_leg_for(self, remote: str, near: Party | None = None) -> Deferred[Leg]:
        """Ask for a leg whose address a peer at ``remote`` can reach."""
        spec = leg_spec(self.services.media_host(remote), None, None)
        opening = self.services.media.open_leg(spec, near=None if near is None else near.leg)
        return opening.addCallback(self._take_leg)

    def _take_leg(self, leg: Leg) -> Leg:
        self.leg = leg
        leg.on_event = self._leg_event
        if self.ended:
            self._close_leg()
        return leg

    def _local(self) -> LocalMedia:
        assert self.leg is not None, "a party negotiates only once its leg is open"
        self._version += 1
        return LocalMedia(
            host=self.leg.local_host, port=self.leg.local_port, session_id=self.leg.id, version=self._version
        )

    def make_offer(self) -> bytes:
        """Our offer, remembered until the answer comes."""
        self._offer = make_offer(CODECS, self._local())
        return self._offer

    def answer_for(self, offer: bytes) -> bytes:
        """Negotiate ``offer``, set the leg up accordingly and return the answer.

        Raises:
            SipError: nothing in common (488), or the offer is broken.
        """
        assert self.call is not None
        sdp, audio = answer(offer, CODECS, self._local(), forbidden=self.services.forbidden_media(self.call))
        self._use(audio)
        return sdp

    def _take_answer(self, sdp: bytes) -> bool:
        """The peer's answer to our offer; False when it cannot be used."""
        assert self.call is not None
        offer, self._offer = self._offer, None
        if offer is None:
            return self.audio is not None
        try:
            self._use(accept(offer, sdp, forbidden=self.services.forbidden_media(self.call)))
        except SipError as error:
            self.services.count("answer_refused")
            log.info("{call_id} the answer cannot be used: {error}", call_id=self.call.call_id, error=error)
            return False
        return True

    def _use(self, audio: Audio | None) -> None:
        """Tell the leg what was negotiated; ``None`` stops the stream."""
        self.audio = audio
        if self.leg is not None and self.call is not None:
            spec = leg_spec(self.leg.local_host, audio, self.services.media_trust(self.call))
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
        """183 with our answer: the caller hears the called side before it answers."""
        if self.call is None or self.ended or self._early or self.call.offer is None:
            return
        try:
            self._early = self.answer_for(self.call.offer)
        except SipError as error:
            self.refuse(error)
            return
        self.call.progress(183, self._early)

    def answer(self) -> None:
        """200 to an incoming call: the answer to its offer, or our offer when it had none."""
        if self.call is None or self.ended:
            return
        if self.call.offer is None:
            self.call.answer(self.make_offer())
            return
        try:
            sdp = self._early or self.answer_for(self.call.offer)
        except SipError as error:
            self.refuse(error)
            return
        self.call.answer(sdp)

    def refuse(self, error: SipError) -> None:
        """Refuse an incoming call whose offer cannot be used."""
        self.reject(getattr(error, "status", 488) or 488)

    def reject(self, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """A final refusal of an incoming call."""
        if self.call is not None and not self.ended:
            self.call.reject(status, headers=headers)

    def hang_up(self) -> None:
        """BYE, CANCEL or a refusal, as the call's state asks; the leg is silent at once."""
        self._close_leg()
        if self.call is not None and not self.ended:
            self.call.hangup()

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
                self._offer_requested(event)
            case AnswerReceived():
                self._answer_received(event)
            case OfferFailed():
                self._offer = None  # RFC 3261 section 14.1: the session goes on as it was
            case InfoReceived():
                self._info(event)
            case ReferReceived():
                self.listener.party_referred(self, event)
            case Ended():
                self._ended(event)
            case _:
                pass  # a REFER of ours is watched by whoever sent it

    def _progress(self, event: Progress) -> None:
        early = event.sdp is not None and self._offer is not None and self._take_answer(event.sdp)
        self.listener.party_progressed(self, event.status, early or self.audio is not None)

    def _answered(self, event: Answered) -> None:
        """2xx to our INVITE."""
        if event.sdp is not None and self._offer is not None and not self._take_answer(event.sdp):
            self.hang_up()
            return
        self._up()

    def _confirmed(self, event: Confirmed) -> None:
        """ACK to our 2xx, with the answer when the offer was ours."""
        if self._offer is not None and (event.sdp is None or not self._take_answer(event.sdp)):
            self.hang_up()
            return
        self._up()

    def _up(self) -> None:
        if not self.answered:
            self.answered = True
            self.listener.party_answered(self)

    def _offered(self, event: OfferReceived) -> None:
        assert self.call is not None
        try:
            sdp = self.answer_for(event.sdp)
        except SipError as error:
            self.call.reject_offer(getattr(error, "status", 488) or 488)
            return
        self.call.answer_offer(sdp)

    def _offer_requested(self, event: OfferRequested) -> None:
        assert self.call is not None
        self.call.answer_offer(self.make_offer())

    def _answer_received(self, event: AnswerReceived) -> None:
        if not self._take_answer(event.sdp):
            self.hang_up()

    def _info(self, event: InfoReceived) -> None:
        pressed = read_digit(event.content_type, event.body)
        if pressed is not None:
            self.listener.party_digit(self, pressed.digit, True)

    def _ended(self, event: Ended) -> None:
        self.ended = True
        log.info(
            "call {call_id} {way} {number} ended after {seconds:.1f} s: {cause} {status}",
            call_id=self.call_id,
            way="from" if self.incoming else "to",
            number=self.number or "anonymous",
            seconds=self.services.clock.seconds() - self._begun,
            cause=event.cause.value,
            status=event.status or "",
        )
        self._close_leg()
        self.listener.party_ended(self, event)

    # ---- what the leg says

    def _leg_event(self, event: LegEvent) -> None:
        if isinstance(event, LegFailed):
            self._leg_failed(event)
        elif self.ended:
            self.listener.party_leg_event(self, event)  # a recording closes after its call
        elif isinstance(event, DigitReceived):
            self.listener.party_digit(self, event.digit, False)
        else:
            self.listener.party_leg_event(self, event)

    def _leg_failed(self, event: LegFailed) -> None:
        """A worker that died takes the call with it; a command that failed is only counted."""
        log.warn("{call_id} the leg failed: {reason}", call_id=self.call_id, reason=event.reason)
        if event.reason == WORKER_LOST:
            self.services.count("leg_lost")
            self.hang_up()
        else:
            self.services.count("leg_command_failed")


def leg_spec(local_host: str, audio: Audio | None, signalling_host: str | None) -> LegSpec:
    """Say to a worker what offer/answer settled.

    signalling_host: the address a source may also be learned from, for a peer behind NAT; None for all others.
    """
    if audio is None:
        return LegSpec(local_host=local_host)
    return LegSpec(
        local_host=local_host,
        codec="PCMA" if audio.codec.name == "PCMA" else "PCMU",
        payload_type=audio.receive_payload_type,
        send_payload_type=audio.send_payload_type,
        event_type=audio.receive_event_type,
        send_event_type=audio.send_event_type,
        remote_host=audio.remote_host,
        remote_port=audio.remote_port,
        remote_rtcp_port=audio.remote_rtcp_port,
        nat=signalling_host is not None,
        signalling_host=signalling_host,
        send=audio.send,
        receive=audio.receive,
        rtcp_mux=audio.rtcp_mux,
    )
