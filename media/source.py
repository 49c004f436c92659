"""Learning where a leg's media comes from, once (security F1; RTP bleed, CVE-2017-14099).

A peer behind a NAT sends from an address its SDP does not name. For five seconds after the answer its
source may be learned: five packets in a row with the negotiated payload type, one SSRC and rising sequence,
from the signalled address or the one signalling came from. Then the socket is connected, and the kernel
drops everybody else until the next offer/answer.

Who sends from the very port that was signalled needs no proof: it would be served without learning, too. And where
signalling comes from the signalled address there is most likely no NAT, so another port of that host has to wait
whether that port speaks: it may be somebody else's on the same machine. Does no I/O.
"""

from __future__ import annotations

from collections.abc import Collection

from media.rtp import RtpError, RtpPacket

WINDOW_SECONDS = 5.0
CONSECUTIVE = 5
PATIENCE_SECONDS = 1.0
"""A phone begins to speak within some ten milliseconds of the answer."""
_RISING = 100  # a rising sequence may have holes, as long as they are those of a lossy network

Source = tuple[str, int]


class SourceLatch:
    """The learning state of one leg, from its answer until it is locked or the window closes."""

    def __init__(
        self, signalled: Source, signalling_host: str, payload_types: Collection[int], now: float
    ) -> None:
        self._signalled = signalled
        self._hosts = frozenset((signalled[0], signalling_host))
        self._payload_types = frozenset(payload_types)
        self._others_from = now + (PATIENCE_SECONDS if signalling_host == signalled[0] else 0.0)
        self.deadline = now + WINDOW_SECONDS
        self._source: Source | None = None
        self._ssrc = 0
        self._sequence = 0
        self._count = 0
        self.strangers = 0

    def receive(self, data: bytes, source: Source, now: float) -> Source | None:
        """Consider one datagram; the source to lock to when this one completes the proof.

        Two sources that interleave undo each other: a contest is nobody's, and the window closes on the
        signalled address.
        """
        if source[0] not in self._hosts or now > self.deadline:
            self.strangers += 1
            return None
        try:
            packet = RtpPacket.parse(data)
        except RtpError:
            self.strangers += 1
            return None
        if packet.payload_type not in self._payload_types:
            self.strangers += 1
            return None
        if source == self._signalled:
            return source
        rising = 0 < (packet.sequence - self._sequence) & 0xFFFF < _RISING
        if source == self._source and packet.ssrc == self._ssrc and rising:
            self._count += 1
        else:
            self._count = 1
        self._source, self._ssrc, self._sequence = source, packet.ssrc, packet.sequence
        return source if self._count >= CONSECUTIVE and now >= self._others_from else None
