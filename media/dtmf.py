"""Telephone events as RTP payload (RFC 4733), in and out. Does no I/O."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from media.rtp import FRAME

DIGITS = "0123456789*#ABCD"
"""Event codes 0 to 15 (RFC 4733 section 3.2)."""

_PAYLOAD = struct.Struct("!BBH")
_END = 0x80
CLOCK = 8000
"""Timestamps a second, unless the audio next to the events counts otherwise (section 2.1)."""
MOST_DURATION = 0xFFFF  # 8.2 s, 1.4 s at 48 kHz; section 2.5.1.3 cuts a longer event into segments
LOST_END_SECONDS = 0.2
"""An event whose end packets are all lost is over when nothing more of it came for so long."""
TONE_TICKS = 5  # 100 ms of tone, above the 40 ms every receiver must take
PAUSE_TICKS = 4  # 80 ms, above the 40 ms that make two digits of two tones
END_REPEATS = 3  # section 2.5.1.4
VOLUME = 10  # -10 dBm0


@dataclass(frozen=True, slots=True)
class EventPayload:
    """One telephone-event payload (section 2.3)."""

    event: int
    end: bool
    volume: int
    duration: int

    def serialise(self) -> bytes:
        """The four octets."""
        return _PAYLOAD.pack(self.event, (_END if self.end else 0) | self.volume, self.duration)

    @classmethod
    def parse(cls, data: bytes) -> EventPayload | None:
        """Read the first event of a payload; None when there is none whole."""
        if len(data) < _PAYLOAD.size:
            return None
        event, flags, duration = _PAYLOAD.unpack_from(data)
        return cls(event, bool(flags & _END), flags & 0x3F, duration)


@dataclass(frozen=True, slots=True)
class DigitBegan:
    """The first packet of a digit arrived; ``DigitEnded`` follows."""

    digit: str


@dataclass(frozen=True, slots=True)
class DigitEnded:
    """One digit, reported once however often its packets were repeated."""

    digit: str
    duration_ms: int


class EventReceiver:
    """Reads the events of one leg: an event is one timestamp (section 2.5.1.2)."""

    def __init__(self, clock: int = CLOCK) -> None:
        self._per_ms = clock // 1000
        self._timestamp: int | None = None
        self._digit = ""
        self._duration = 0
        self._open = False
        self._last_seen = 0.0

    @property
    def deadline(self) -> float | None:
        """When an event whose end was lost is over."""
        return self._last_seen + LOST_END_SECONDS if self._open else None

    def receive(self, payload: bytes, timestamp: int, now: float) -> list[DigitBegan | DigitEnded]:
        """Read one payload that passed the sequence checks."""
        event = EventPayload.parse(payload)
        if event is None or event.event >= len(DIGITS):
            return []
        outputs: list[DigitBegan | DigitEnded] = []
        if self._timestamp is None or 0 < (timestamp - self._timestamp) & 0xFFFFFFFF < 1 << 31:
            outputs += self._end()
            self._timestamp, self._digit = timestamp, DIGITS[event.event]
            self._duration, self._open = 0, True
            outputs.append(DigitBegan(self._digit))
        elif timestamp != self._timestamp or not self._open:
            return []  # late, or a repeat of what was reported
        self._duration = max(self._duration, event.duration)
        self._last_seen = now
        if event.end:
            outputs += self._end()
        return outputs

    def handle_timer(self, now: float) -> list[DigitBegan | DigitEnded]:
        """End an event whose end packets were lost."""
        deadline = self.deadline
        return self._end() if deadline is not None and now >= deadline else []

    def _end(self) -> list[DigitBegan | DigitEnded]:
        if not self._open:
            return []
        self._open = False
        return [DigitEnded(self._digit, self._duration // self._per_ms)]


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What to send in place of one audio packet. ``age``: since the event's timestamp, in the events' clock."""

    payload: bytes
    marker: bool
    age: int


@dataclass(slots=True)
class _Tone:
    event: int
    ticks: int | None  # None: held until released


class EventSender:
    """Plays digits as events, one packet a tick: tone, three end packets, pause."""

    def __init__(self, clock: int = CLOCK) -> None:
        self._frame = FRAME * clock // CLOCK
        self._queue: deque[_Tone] = deque()
        self._played = 0
        self._ends = 0
        self._pause = 0

    @property
    def busy(self) -> bool:
        """Whether the leg's audio is to give way."""
        return bool(self._queue) or self._pause > 0

    def send(self, digits: str) -> None:
        """Queue digits of 100 ms; characters that are none are left out."""
        self._queue += [_Tone(DIGITS.index(d), TONE_TICKS) for d in digits.upper() if d in DIGITS]

    def press(self, digit: str) -> None:
        """Queue a digit that lasts until ``release``."""
        self._queue.append(_Tone(DIGITS.index(digit), None))

    def release(self, duration_ms: int) -> None:
        """The digit pressed last lasts ``duration_ms`` in all, and no less than it already has."""
        if self._queue and self._queue[-1].ticks is None:
            self._queue[-1].ticks = max(TONE_TICKS // 2, -(-duration_ms // 20))

    def tick(self) -> EventPacket | None:
        """The packet for these 20 ms, None in a pause or with nothing to send."""
        if self._pause:
            self._pause -= 1
            return None
        if not self._queue:
            return None
        tone = self._queue[0]
        if tone.ticks is None or self._played < tone.ticks:
            self._played += 1
            if self._played * self._frame < MOST_DURATION:
                return self._packet(tone, end=False, age=(self._played - 1) * self._frame)
            tone.ticks = self._played = MOST_DURATION // self._frame
        self._ends += 1
        packet = self._packet(tone, end=True, age=(self._played + self._ends - 1) * self._frame)
        if self._ends == END_REPEATS:
            self._queue.popleft()
            self._played = self._ends = 0
            self._pause = PAUSE_TICKS
        return packet

    def _packet(self, tone: _Tone, *, end: bool, age: int) -> EventPacket:
        payload = EventPayload(tone.event, end, VOLUME, self._played * self._frame).serialise()
        return EventPacket(payload, marker=self._played == 1 and not end, age=age)
