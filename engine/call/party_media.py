"""The media half of a party: its leg, and what is offered, answered and agreed on for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import structs
from twisted.logger import Logger

from engine.call.dtmf import in_the_sound, without_events
from engine.call.leg_terms import leg_spec, symmetric_leg
from engine.call.media_security import new_keys
from sip.errors import SipError
from sip.offer_answer import Audio, Codec, LocalMedia, accept, answer, first_common, make_offer

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from engine.call.destinations import Destination
    from engine.call.services import CallServices
    from engine.store import DtmfMode
    from media.control import LegEvent
    from media.leg import Leg
    from sip.call import Call
    from sip.sdes import OwnKeys, Security

log = Logger()


class PartyMedia(ABC):
    """A leg and the descriptions of it in a call: the peer's and ours (RFC 3264).

    identity: the line it proved to be, or is the phone of; rights go by this and by nothing a message says
    (security reference C7).
    """

    __slots__ = (
        "_keys",
        "_offer",
        "_port",
        "_remote",
        "_said",
        "_version",
        "audio",
        "call",
        "destination",
        "ended",
        "identity",
        "leg",
        "likes",
        "services",
        "wants_digits",
    )

    def __init__(self, services: CallServices, identity: str | None) -> None:
        self.services = services
        self.identity = identity
        self.destination: Destination | None = None
        self.call: Call | None = None
        self.leg: Leg | None = None
        self.audio: Audio | None = None
        self.ended = False
        self.likes: Codec | None = None  # before others, so that the two of a bridge agree
        self.wants_digits = True  # set before it answers: nobody looks for them in the sound for nothing
        self._offer: bytes | None = None  # our offer that waits for its final answer
        self._remote: bytes | None = None  # the answer to it that is in use
        self._said = b""  # our last description
        self._port = 0  # of our media, in that description
        self._version = 1
        self._keys = new_keys()  # ours, for SRTP

    @abstractmethod
    def changed(self) -> None:
        """Something of it, its call or its leg is to be remembered."""

    @abstractmethod
    def _leg_event(self, event: LegEvent) -> None:
        """The leg says something."""

    @abstractmethod
    def _leg_closed(self) -> None:
        """The leg has said its last."""

    @property
    def dtmf_mode(self) -> DtmfMode:
        """How digits travel between us and this party."""
        return self.services.dtmf_mode(self.call, self.destination)

    def open_leg(
        self, near: PartyMedia | None = None, room: str | None = None, *, towards: str | None = None
    ) -> Deferred[Leg]:
        """Ask a worker (that of ``near``, for a bridge, or of a room) for the leg of an incoming call.

        towards: a room it may join later.

        Fails when no worker can take it.
        """
        assert self.call is not None
        source = self.services.symmetric_source(self.call)
        return self._open_leg(self.services.media_peer(self.call), near, room, source, towards)

    def open_leg_for(
        self, remote: str, near: PartyMedia | None = None, room: str | None = None
    ) -> Deferred[Leg]:
        """Ask for a leg whose address a peer at ``remote`` can reach."""
        return self._open_leg(remote, near, room, None)

    def _open_leg(
        self,
        remote: str,
        near: PartyMedia | None,
        room: str | None,
        source: tuple[str, int] | None,
        towards: str | None = None,
    ) -> Deferred[Leg]:
        """source: where the peer's media is sure to come from, so that the leg may share a port."""
        spec = symmetric_leg(leg_spec(self.services.media_host(remote), None, None), source)
        beside = None if near is None else near.leg
        opening = self.services.media.open_leg(spec, near=beside, room=room, towards=towards)
        return opening.addCallback(self._take_leg)

    def _take_leg(self, leg: Leg) -> Leg:
        self.leg = leg
        leg.on_event, leg.on_change, leg.on_closed = self._leg_event, self.changed, self._leg_closed
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
