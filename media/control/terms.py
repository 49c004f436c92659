"""What the messages say of a leg: what was negotiated for it, its keys, and its own stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from media.codecs.facts import CodecName

SuiteName = Literal[
    "AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
]
_TAG_SIZES = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}


class SrtpTerms(msgspec.Struct, frozen=True):
    """The master keys, salt and all, of both directions (RFC 4568). Shown without them (security F4)."""

    suite: SuiteName
    send_key: bytes
    receive_key: bytes

    @property
    def tag_size(self) -> int:
        """Octets an RTP packet grows by (RFC 7714 section 13, RFC 3711 section 4.2)."""
        return _TAG_SIZES.get(self.suite, 16)

    def __repr__(self) -> str:
        """Name the suite only: a log line or a traceback must not hold keys."""
        return f"SrtpTerms(suite={self.suite!r})"


class LegSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What offer/answer settled for one leg, as far as it is known yet."""

    local_host: str
    """Address to bind; its family decides the sockets' family."""
    codec: CodecName | None = None
    """None: nothing negotiated yet (late offer); nothing is sent or accepted."""
    rate: int = 8000
    """Samples a second of the sound as the worker has it: 8000, 16000 or 48000."""
    clock_rate: int = 8000
    """RTP timestamps a second."""
    event_rate: int = 8000
    """The same of telephone-event; some peers count it at 8000 next to a codec that does not."""
    bitrate: int = 0
    """Most the peer wants to be sent, bit/s; 0: it does not say."""
    dtx: bool = False
    """The peer prefers to be sent nothing in silence."""
    fec: bool = False
    """The peer can use in-band FEC."""
    payload_type: int = 0
    """Of the audio, the same both ways."""
    event_type: int | None = None
    """Payload type of telephone-event (RFC 4733), None when it was not negotiated."""
    remote_host: str | None = None
    remote_port: int | None = None
    remote_rtcp_port: int | None = None
    """None: the RTP port plus one (RFC 3550 section 11)."""
    nat: bool = False
    """Learn the source once (security F1); otherwise only the signalled address is heard."""
    symmetric: bool = False
    """The peer sends from the address its SDP names (RFC 4961): opened with it, the leg may share a port."""
    signalling_host: str | None = None
    """Where the signalling came from: the other address a source may be learned from."""
    send: bool = True
    receive: bool = True
    rtcp_mux: bool = False
    send_payload_type: int | None = None
    """Payload type we send the audio with when it is not ``payload_type`` (RFC 3264 section 5.1)."""
    send_event_type: int | None = None
    """Payload type we send events with when it is not ``event_type``."""
    srtp: SrtpTerms | None = None
    """None: plain RTP."""
    level_id: int | None = None
    """Id of the header extension in which the peer says how loud it is (RFC 6464)."""
    inband_digits: bool = False
    """Digits are heard in the sound, and sent as sound where no ``event_type`` was negotiated."""
    hush_digits: bool = True
    """Digits heard in the sound are kept from whom the leg talks to; recordings have them."""

    @property
    def route(self) -> tuple[object, ...]:
        """What of it decides where the sockets point and whom they hear."""
        types = (self.payload_type, self.event_type) if self.nat else None
        address = (self.remote_host, self.remote_port, self.remote_rtcp_port)
        return (address, self.codec is None, self.nat, self.signalling_host, types)


class RoomPart(msgspec.Struct, frozen=True):
    """Where the part of a room lies that one worker says: a descriptor of its process (``media.room_memory``)."""

    pid: int
    fd: int
    token: int


class Stream(msgspec.Struct, frozen=True):
    """Where a leg's own RTP stream begins (RFC 3550 section 5.1), or goes on after its worker was lost."""

    ssrc: int
    sequence: int
    timestamp: int


def begin_stream(bits: Callable[[int], int]) -> Stream:
    """One at random; of 15 bits of sequence, for a receiver of SRTP counts its wraps from nought (RFC 3711 3.3.1)."""
    return Stream(bits(32), bits(15), bits(32))
