"""What legs say of their own loudness, in the header of each packet (RFC 6464, in the one-byte form of RFC 8285).

A conference of many listeners that send coded silence costs a decoder each, for nothing. Where a leg says it is silent,
and has been for longer than it would be kept in the mix, its packets are passed over. It is not believed blindly: every
tenth is decoded all the same, and a leg that was loud when it said it was not is believed no more.
"""

from __future__ import annotations

import numpy as np

from media.columns import Columns
from media.legs import NONE
from media.levels import SILENT, Floats
from media.rtp import HEADER_SIZE, Flags, Headers, Integers, Octets
from media.talkers import AUDIBLE

ONE_BYTE = 0xBEDE
FRESH_TICKS = 10
"""What was said longer ago (200 ms) no longer counts."""
CHECK_TICKS = 10
_MOST_ELEMENTS = 16
_LIE_DB = np.float32(15.0)


class ClientLevels(Columns):
    """The levels of all legs, by slot."""

    def __init__(self, capacity: int) -> None:
        self.element = np.full(capacity, NONE, np.int64)  # id of the header extension's element
        self.level = np.full(capacity, SILENT, np.float32)
        self.said_at = np.full(capacity, -FRESH_TICKS, np.int64)  # tick
        self.distrusted = np.zeros(capacity, np.bool_)
        self.tick = 0
        """Counted by the plane."""
        self.offered = False
        """Whether any leg ever was to say its level."""

    def negotiate(self, slot: int, element: int | None) -> None:
        """Set the id under which a leg says its level; None: it does not."""
        self.element[slot] = NONE if element is None else element
        self.said_at[slot] = self.tick - FRESH_TICKS
        self.distrusted[slot] = False
        self.offered |= element is not None

    def read(self, slots: Integers, raw: Octets, rows: Integers, headers: Headers) -> None:
        """Take the levels in packets, valid ones, of these legs.

        rows: int64 [n], each packet's in ``raw``; headers: of these packets.
        """
        extended = (self.element[slots] != NONE) & ((raw[rows, 0] & 0x10) != 0)
        slots, rows, payload = slots[extended], rows[extended], headers.begin[extended]
        if not len(rows):
            return
        at = HEADER_SIZE + 4 * (raw[rows, 0].astype(np.int64) & 0x0F)
        profile = raw[rows, at].astype(np.int64) << 8 | raw[rows, at + 1]
        end = np.where(profile == ONE_BYTE, payload, 0)  # padding after the payload is none of it
        at += 4
        for _ in range(_MOST_ELEMENTS):
            inside = at < end
            if not inside.any():
                return
            octet = raw[rows, np.minimum(at, raw.shape[1] - 2)].astype(np.int64)
            found = inside & (octet >> 4 == self.element[slots]) & (at + 1 < end) & (octet != 0)
            self.level[slots[found]] = raw[rows[found], at[found] + 1] & 0x7F
            self.said_at[slots[found]] = self.tick
            end[found | (octet >> 4 == 15)] = 0  # RFC 8285 section 4.2: 15 ends the reading
            at += np.where(octet == 0, 1, 2 + (octet & 0x0F))

    def believed(self, slots: Integers) -> Flags:
        """Whose word counts now, bool [n]."""
        return (self.tick - self.said_at[slots] < FRESH_TICKS) & ~self.distrusted[slots]

    def idle(self, slots: Integers, envelope: Floats) -> Flags:
        """Who need not be decoded in this tick, bool [n]. envelope: float32 [n], how loud they were lately, dBov."""
        silent = self.believed(slots) & (self.level[slots] >= AUDIBLE) & (envelope >= AUDIBLE)
        silent &= (slots + self.tick) % CHECK_TICKS != 0
        return silent

    def check(self, slots: Integers, measured: Floats) -> None:
        """Compare with what was decoded, float32 [n] in dBov, of legs that were silent by their word all along."""
        lied = self.believed(slots) & (self.level[slots] >= AUDIBLE) & (measured < AUDIBLE - _LIE_DB)
        self.distrusted[slots[lied]] = True
