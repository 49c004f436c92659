"""How good a call sounds, by the E-model of ITU-T G.107 from what was measured.

R starts at 93.2, what all default values of G.107 give, and loses ``Idd`` for the delay and ``Ie,eff`` for codec and
loss; the advantage factor is 0, and echo is taken to be cancelled, as it is between IP phones. MOS follows from R by
G.107 annex B. The scale is that of narrow-band telephony for every codec, so that calls can be compared; a wide-band
codec without loss is as good there as G.711 and not better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BEST_R = 93.2
PACKET_MS = 20.0
"""What a sender must wait for before its packet is whole."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """A codec's equipment impairment: ``ie`` without loss, ``bpl`` its robustness to loss (G.113 appendix I)."""

    ie: float
    bpl: float


_CONCEALED = Impairment(0.0, 25.1)  # G.711 with appendix I concealment
IMPAIRMENTS: dict[str, Impairment] = {
    "PCMU": _CONCEALED,
    "PCMA": _CONCEALED,
    "G729": Impairment(11.0, 19.0),  # G.729A with VAD
    # no values are published on this scale: what is concealed as G.711 is, is taken to suffer as G.711 does
    "G722": _CONCEALED,
    "L16": _CONCEALED,
    "OPUS": _CONCEALED,
}


def delay_impairment(delay_ms: float) -> float:
    """Idd of G.107 section 7.4 for the delay from mouth to ear; 0 up to 100 ms."""
    if delay_ms <= 100:
        return 0.0
    x = math.log10(delay_ms / 100) / math.log10(2)
    return 25 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


def loss_impairment(codec: str, loss: float, burst_ratio: float = 1.0) -> float:
    """Ie,eff of G.107 section 7.5. loss: 0 to 1; burst_ratio: 1 for random loss, above it for bursts."""
    known = IMPAIRMENTS.get(codec, _CONCEALED)
    percent = 100 * min(max(loss, 0.0), 1.0)
    if percent == 0:
        return known.ie
    return known.ie + (95 - known.ie) * percent / (percent / max(burst_ratio, 1.0) + known.bpl)


def rating(codec: str, loss: float, delay_ms: float, burst_ratio: float = 1.0) -> float:
    """R, 0 to 93.2."""
    lost = delay_impairment(delay_ms) + loss_impairment(codec, loss, burst_ratio)
    return max(0.0, BEST_R - lost)


def mos(r: float) -> float:
    """The mean opinion score of conversations rated R: 1.0 (bad) to 4.5 (G.107 annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def one_way_delay_ms(round_trip_ms: float | None, buffered_ms: float, remote_ms: float = 0.0) -> float:
    """Mouth to ear: half the round trip, a packet's length, our buffer, and what the peer says of its own end."""
    return (round_trip_ms or 0.0) / 2 + PACKET_MS + buffered_ms + remote_ms


@dataclass(slots=True)
class QualityLog:
    """What a leg's quality has been, an interval of some seconds at a time."""

    lowest: float = 0.0
    """MOS; 0.0 while nothing was heard."""
    total: float = 0.0
    intervals: int = 0
    last_r: float = 0.0
    most_jitter_ms: float = 0.0
    jitter_total_ms: float = 0.0

    @property
    def average(self) -> float:
        """MOS; 0.0 while nothing was heard."""
        return self.total / self.intervals if self.intervals else 0.0

    @property
    def jitter_ms(self) -> float:
        """On average."""
        return self.jitter_total_ms / self.intervals if self.intervals else 0.0

    def add(self, r: float, jitter_ms: float) -> None:
        """One more interval."""
        score = mos(r)
        self.lowest = score if not self.intervals else min(self.lowest, score)
        self.total += score
        self.intervals += 1
        self.last_r = r
        self.most_jitter_ms = max(self.most_jitter_ms, jitter_ms)
        self.jitter_total_ms += jitter_ms
