"""What each leg sends: its packets, headers written in place (RFC 3550 section 5.1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.columns import Columns
from media.rtp import FRAME, HEADER_SIZE, VERSION, Integers, Octets, RtpPacket

PACKET = np.dtype(
    [
        ("first", "u1"),
        ("second", "u1"),
        ("sequence", ">u2"),
        ("timestamp", ">u4"),
        ("ssrc", ">u4"),
        ("frame", "V160"),
    ]
)
"""One packet of 20 ms of G.711; its memory is what goes to the socket."""

assert PACKET.itemsize == HEADER_SIZE + FRAME

MARKER = 0x80
RATE = 8000
"""Of the clock that all legs share; a leg's own timestamps are a multiple of it."""
_ONE = np.uint16(1)
_NUMBERS = np.dtype([("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")])


class Transmission(Columns):
    """The sending half of every leg. One timestamp clock runs for all, each leg has its own origin."""

    def __init__(self, capacity: int) -> None:
        self.packets = np.zeros(capacity, PACKET)
        self.sequence = np.zeros(capacity, np.uint16)
        self.origin = np.zeros(capacity, np.uint32)
        self.ssrc = np.zeros(capacity, np.uint32)
        self.sent = np.zeros(capacity, np.int64)
        self.octets = np.zeros(capacity, np.int64)
        self.talking = np.zeros(capacity, np.bool_)
        self.scale = np.ones(capacity, np.uint32)  # the leg's RTP clock in 8 kHz
        self.clock = 0
        self._view()

    def _view(self) -> None:
        # a list, so that they are no columns
        self._fields = [self.packets[name] for name in ("frame", "sequence", "timestamp")]

    @property
    def frames(self) -> npt.NDArray[np.void]:
        """V160 [capacity]: the 20 ms in each packet."""
        return self._fields[0]

    def grow(self, capacity: int) -> None:
        """Lengthen every column."""
        super().grow(capacity)
        self._view()

    def begin(self, slot: int, ssrc: int, sequence: int, timestamp: int) -> None:
        """Start a leg's stream at values chosen at random (RFC 3550 section 5.1)."""
        self.clear(slot)
        self.ssrc[slot], self.sequence[slot], self.scale[slot] = ssrc, sequence, 1
        self.origin[slot] = (timestamp - self.clock) & 0xFFFFFFFF
        self.packets["first"][slot] = VERSION << 6
        self.packets["ssrc"][slot] = ssrc

    def set_clock(self, slot: int, rate: int) -> None:
        """Count a leg's timestamps at another rate, from where they are now on (RFC 7160 section 4.1)."""
        now, scale = self.timestamp(slot), rate // RATE
        self.scale[slot] = scale
        self.origin[slot] = (now - self.clock * scale) & 0xFFFFFFFF

    def set_payload_type(self, slot: int, payload_type: int) -> None:
        """Change the payload type of a leg's audio."""
        self.packets["second"][slot] = payload_type

    def advance(self, ticks: int) -> None:
        """Let time pass for every leg."""
        self.clock = (self.clock + ticks * FRAME) & 0xFFFFFFFF

    def write_headers(self, slots: Integers) -> None:
        """Number and time-stamp the next packet of each slot (all different)."""
        if not len(slots):
            return
        _, sequences, timestamps = self._fields
        sequence = self.sequence[slots]
        sequence += _ONE
        self.sequence[slots] = sequences[slots] = sequence
        timestamps[slots] = self.origin[slots] + np.uint32(self.clock)
        self.sent[slots] += 1
        self.octets[slots] += FRAME

    def number(self, slots: Integers, octets: int, offset: float) -> Octets:
        """Count packets outside the array, one a leg, and give their headers from octet 2 on, uint8 [n, 10].

        octets: of the payload; offset: how far into these 20 ms it begins, in frames.
        """
        self.sequence[slots] += np.uint16(1)
        self.sent[slots] += 1
        self.octets[slots] += octets
        scale = self.scale[slots]
        header = np.empty(len(slots), _NUMBERS)
        header["sequence"] = self.sequence[slots]
        header["timestamp"] = (
            self.origin[slots] + np.uint32(self.clock) * scale + np.uint32(FRAME * offset) * scale
        )
        header["ssrc"] = self.ssrc[slots]
        return header.view(np.uint8).reshape(-1, _NUMBERS.itemsize)

    def timestamp(self, slot: int) -> int:
        """The timestamp of what a leg sends in this tick."""
        return (int(self.origin[slot]) + self.clock * int(self.scale[slot])) & 0xFFFFFFFF

    def single(self, slot: int, payload_type: int, payload: bytes, *, marker: bool, age: int = 0) -> bytes:
        """A packet outside the array, stamped ``age`` of its clock's ticks ago: an event, or a sign of life."""
        self.sequence[slot : slot + 1] += np.uint16(1)
        self.sent[slot] += 1
        self.octets[slot] += len(payload)
        timestamp = (self.timestamp(slot) - age) & 0xFFFFFFFF
        sequence, ssrc = int(self.sequence[slot]), int(self.ssrc[slot])
        return RtpPacket(payload_type, sequence, timestamp, ssrc, payload, marker).serialise()

    def mark(self, slots: npt.NDArray[np.intp]) -> None:
        """Set the marker on the next packets: they begin a talkspurt (RFC 3551 section 4.1)."""
        self.packets["second"][slots] |= MARKER

    def unmark(self, slots: npt.NDArray[np.intp]) -> None:
        """Take the marker off again."""
        self.packets["second"][slots] &= ~MARKER & 0xFF
