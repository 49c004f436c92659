"""Who talks, and who of them is mixed: the loudest of each room, over all rooms at once.

A leg is taken into the mix in the very frame in which it becomes audible, so no word loses its beginning, and
stays until its envelope, which falls by 1 dB a frame, has sunk below that: the hang-over. In a room with more
such legs than it mixes, the loudest are chosen; who is in has an advantage, so that two equal voices do
not take turns by the syllable.
"""

from __future__ import annotations

import numpy as np

from media.levels import Floats
from media.rooms import Participants
from media.rtp import Flags, Integers

AUDIBLE = np.float32(66.0)
"""dBov; what is softer is not mixed: the smallest step of A-law, which a silent line sends, is at 72."""
FALL_DB = np.float32(1.0)
ADVANTAGE_DB = np.float32(6.0)
TALK_BEGINS = np.float32(45.0)
TALK_ENDS = np.float32(52.0)
TALK_TICKS = 3
"""Frames in a row (60 ms) that make a talker: a knock on the table is none."""
_ROOM_APART = 1024.0
"""More than any two levels differ, so that one sort ranks every room for itself."""


def follow(people: Participants, members: Integers, levels: Floats) -> None:
    """Take this frame's levels: move the envelopes, and notice who begins or ceases to talk.

    members: int64 [n], slots; levels: float32 [n], dBov.
    """
    envelope = np.minimum(levels, people.envelope[members] + FALL_DB)
    people.level[members] = levels
    people.envelope[members] = envelope
    loud = levels < TALK_BEGINS
    run = people.loud_ticks[members]
    run += 1
    run *= loud
    people.loud_ticks[members] = run
    talking = people.talking[members]
    talking |= run >= TALK_TICKS
    talking &= (envelope < TALK_ENDS) & ~people.muted[members]
    people.talking[members] = talking


def choose(
    people: Participants, members: Integers, room: Integers, most: Integers, plain: Flags | None
) -> Flags:
    """Which members are in this frame's mix, bool [n].

    members: int64 [n], slots, those of one room side by side; room: int64 [n], its number, 0 and up;
    most: int64 [rooms], how many may be in; plain: bool [n], of rooms where everybody is, None when there are none.
    """
    envelope = people.envelope[members]
    audible = envelope < AUDIBLE
    if plain is not None:
        audible |= plain
    audible &= ~people.muted[members]
    if (np.bincount(room[audible], minlength=len(most)) > most).any():
        audible = _loudest(people, members, room, most, envelope, audible)
    people.chosen[members] = audible
    return audible


def _loudest(
    people: Participants,
    members: Integers,
    room: Integers,
    most: Integers,
    envelope: Floats,
    audible: Flags,
) -> Flags:
    """The first ``most`` of each room by level."""
    at = audible.nonzero()[0]
    softness = envelope[at] - ADVANTAGE_DB * people.chosen[members[at]]
    kept = np.zeros(len(members), np.bool_)
    if len(most) == 1:
        kept[at[softness.argsort(kind="stable")[: most[0]]]] = True
        return kept
    of = room[at]
    order = (of * _ROOM_APART + softness).argsort(kind="stable")
    # the sort leaves the rooms where they are, side by side
    rank = np.arange(len(at)) - of.searchsorted(of)
    kept[at[order[rank < most[of]]]] = True
    return kept
