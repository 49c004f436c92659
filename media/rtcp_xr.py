"""The VoIP metrics block of RTCP extended reports (RFC 3611 section 4.7)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

BLOCK_TYPE = 7
UNKNOWN = 127
"""Of a level, an R factor or a MOS that was not measured."""
_BLOCK = struct.Struct("!BBHIBBBBHHHHBBBBBBBBBBHHH")
_HEADER = struct.Struct("!BBH")
_WORDS = 8
_CONCEALED_ADAPTIVE = 0xF0
"""RX config: standard concealment, adaptive jitter buffer, its rate of adjustment 0 (unknown)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoipMetrics:
    """What the receiver of a stream makes of it. Rates and densities 0 to 1, times in ms, None: not known."""

    ssrc: int
    loss_rate: float
    discard_rate: float
    burst_density: float
    gap_density: float
    burst_ms: float
    gap_ms: float
    round_trip_ms: float
    """0: not known."""
    end_system_delay_ms: float
    r_factor: float | None = None
    mos_listening: float | None = None
    mos_conversational: float | None = None
    gmin: int = 16
    buffer_ms: float = 0.0
    buffer_most_ms: float = 0.0

    def serialise(self) -> bytes:
        """The 36 octets. Levels are not measured: 127."""
        return _BLOCK.pack(
            BLOCK_TYPE,
            0,
            _WORDS,
            self.ssrc,
            _rate(self.loss_rate),
            _rate(self.discard_rate),
            _rate(self.burst_density),
            _rate(self.gap_density),
            _ms(self.burst_ms),
            _ms(self.gap_ms),
            _ms(self.round_trip_ms),
            _ms(self.end_system_delay_ms),
            UNKNOWN,
            UNKNOWN,
            UNKNOWN,
            self.gmin,
            _score(self.r_factor, 1, 100),
            UNKNOWN,
            _score(self.mos_listening, 10, 50),
            _score(self.mos_conversational, 10, 50),
            _CONCEALED_ADAPTIVE,
            0,
            _ms(self.buffer_ms),
            _ms(self.buffer_most_ms),
            _ms(self.buffer_most_ms),
        )

    @classmethod
    def parse(cls, data: bytes) -> VoipMetrics:
        """Read a whole block, its header included."""
        (_, _, _, ssrc, loss, discard, burst_density, gap_density, burst, gap, trip, delay, *rest) = (
            _BLOCK.unpack_from(data)
        )
        gmin, r, _, listening, conversational, _, _, nominal, most, _ = rest[3:]
        return cls(
            ssrc=ssrc,
            loss_rate=loss / 256,
            discard_rate=discard / 256,
            burst_density=burst_density / 256,
            gap_density=gap_density / 256,
            burst_ms=burst,
            gap_ms=gap,
            round_trip_ms=trip,
            end_system_delay_ms=delay,
            r_factor=None if r > 100 else float(r),
            mos_listening=_mos(listening),
            mos_conversational=_mos(conversational),
            gmin=gmin,
            buffer_ms=nominal,
            buffer_most_ms=most,
        )


def voip_metrics(body: bytes) -> list[VoipMetrics]:
    """The VoIP metrics blocks of a report's body after its SSRC; others are read over, a broken end is left out."""
    found = []
    at = 0
    while at + _HEADER.size <= len(body):
        kind, _, words = _HEADER.unpack_from(body, at)
        end = at + _HEADER.size + 4 * words
        if end > len(body):
            break
        if kind == BLOCK_TYPE and words == _WORDS:
            found.append(VoipMetrics.parse(body[at:end]))
        at = end
    return found


def _rate(value: float) -> int:
    return min(255, max(0, int(256 * value)))


def _ms(value: float) -> int:
    return min(0xFFFF, max(0, round(value)))


def _score(value: float | None, scale: int, most: int) -> int:
    return UNKNOWN if value is None else min(most, max(0, round(scale * value)))


def _mos(octet: int) -> float | None:
    return octet / 10 if 10 <= octet <= 50 else None
