"""libsrtp by pylibsrtp, and beneath its Python wrapper where packets are many.

``Session.protect`` of pylibsrtp copies each packet twice and makes a length of its own: 2.5 to 3.5 us a packet where
libsrtp itself needs 0.5 to 0.9 (AES-GCM, 172 octets). So batches go through the cffi functions the wrapper calls,
with pointers into arrays: ``map`` over them runs no Python per packet. Nothing outside this module knows of that.
Importing it loads OpenSSL (some 6 MB), so a worker does so with its first secure leg (``media.srtp``).
"""

from __future__ import annotations

import struct
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found,unused-ignore]  # a binary without types

from media.rtp import Integers, Octets

OK = 0
REPLAYED = (9, 10)
"""srtp_err_status_replay_fail and _replay_old: seen before, or too old for the window to tell."""
REPLAY_WINDOW = 128
"""Packets; RFC 3711 section 3.3.2 asks for 64 at least."""

PROFILES: dict[str, int] = {
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
"""By the suite's name in SDP (RFC 4568 section 6.2, RFC 7714 section 14.2)."""

Function = Literal["protect", "unprotect", "protect_rtcp", "unprotect_rtcp"]
_FUNCTIONS: dict[str, Any] = {
    "protect": lib.srtp_protect,
    "unprotect": lib.srtp_unprotect,
    "protect_rtcp": lib.srtp_protect_rtcp,
    "unprotect_rtcp": lib.srtp_unprotect_rtcp,
}


class Context:
    """One direction of one leg: a master key, and for each SSRC its roll-over counter and replay window.

    A stream begins with the first packet of its SSRC; in the receiving direction only one whose tag is right.
    Raises ValueError: the key is too short for the suite.
    """

    __slots__ = ("_session", "handle")

    def __init__(self, suite: str, key: bytes, *, inbound: bool) -> None:
        direction = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
        policy = Policy(key=key, ssrc_type=direction, srtp_profile=PROFILES[suite])
        policy.window_size = REPLAY_WINDOW
        self._session = Session(policy)
        self.handle: Any = self._session._srtp[0]
        """The C pointer; good as long as this object."""


class Rows:
    """The rows of one array as libsrtp wants them: a pointer and a length each, worked on in place.

    array: uint8 [n, room], C-contiguous. ``lengths``: int32 [n], octets before the call and after it.
    """

    def __init__(self, array: Octets) -> None:
        count, room = array.shape
        self.lengths: npt.NDArray[np.int32] = np.zeros(count, np.int32)
        packets = ffi.from_buffer(array)
        lengths = ffi.cast("int *", ffi.from_buffer(self.lengths))
        self._kept = (array, packets)  # pointers keep nothing alive
        self._packets: list[Any] = [packets + at * room for at in range(count)]
        self._lengths: list[Any] = [lengths + at for at in range(count)]

    def work(self, function: Function, handles: list[Any], rows: Integers) -> list[int]:
        """Protect or unprotect these rows, each with its context's handle; a status a row, 0 for success."""
        at = rows.tolist()
        packets, lengths = self._packets, self._lengths
        return list(map(_FUNCTIONS[function], handles, [packets[i] for i in at], [lengths[i] for i in at]))

    def work_first(self, function: Function, handles: list[Any]) -> list[int]:
        """``work`` on the first rows, as many as there are handles."""
        return list(map(_FUNCTIONS[function], handles, self._packets, self._lengths))


_STEP = 0x4000
"""What goes on by less than half the range of sequence numbers is later, not earlier (RFC 3711 section 3.3.1)."""
_HEADER = struct.Struct("!BBHII")


def resumed(suite: str, key: bytes, packet: bytes, most_wraps: int) -> tuple[Context, bytes] | None:
    """The receiving context of a stream whose sequence number wrapped before we knew of it, and its packet opened.

    SRTP does not say how often that was. libsrtp cannot be told either, but it follows an authentic stream: so one of
    our own making, which never leaves this function, leads it forward until the packet opens. None: it never does.
    """
    leader, context = Context(suite, key, inbound=False), Context(suite, key, inbound=True)
    ssrc = int.from_bytes(packet[8:12], "big")
    buffer = np.zeros((2, (len(packet) + 24) // 4 * 4), np.uint8)
    rows, tried = Rows(buffer), np.frombuffer(packet, np.uint8)
    for index in range(_STEP, (most_wraps + 1) << 16, _STEP):
        buffer[0, :12] = np.frombuffer(_HEADER.pack(0x80, 0, index & 0xFFFF, 0, ssrc), np.uint8)
        rows.lengths[0] = 12
        if (
            rows.work_first("protect", [leader.handle])[0]
            or rows.work_first("unprotect", [context.handle])[0]
        ):
            return None
        buffer[1, : len(packet)] = tried
        rows.lengths[1] = len(packet)
        if rows.work("unprotect", [context.handle], _SECOND)[0] == OK:
            return context, buffer[1, : rows.lengths[1]].tobytes()
    return None


_SECOND: Integers = np.array([1])
