"""What every leg of a worker does, as columns, and what happens on it as outputs of the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from media.codecs.coding import Terms
from media.columns import Columns

NONE = -1
"""In a column of slots or payload types: there is none."""


@dataclass(frozen=True, slots=True)
class PlayEnded:
    slot: int
    tag: int
    interrupted: bool
    cause: Literal["", "digit", "speech"] = ""
    position: int = 0
    """Ticks, where it was interrupted."""


@dataclass(frozen=True, slots=True)
class Digit:
    slot: int
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DigitsOut:
    """All queued digits of a leg are sent; ``ok`` False: there was no way to send them."""

    slot: int
    ok: bool


@dataclass(frozen=True, slots=True)
class RoomPlayEnded:
    """What was played into a room is over, or was not begun; ``interrupted`` as of ``PlayEnded``."""

    room: str
    tag: int
    interrupted: bool


Output = PlayEnded | Digit | DigitsOut | RoomPlayEnded


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What offer/answer says of a leg's packets.

    ``law``: 0 mu-law, 1 A-law; ``terms``: how a leg speaks whose codec is neither.
    """

    law: int
    payload_type: int
    event_type: int | None
    send: bool
    receive: bool
    mux: bool = False
    send_payload_type: int | None = None
    send_event_type: int | None = None
    terms: Terms | None = None
    level_id: int | None = None
    """Id of the header extension in which the peer says how loud it is."""
    inband: bool = False
    """Digits are heard in the sound, and sent as sound where there is no ``send_event_type``."""
    hush: bool = True
    """Digits heard in the sound are kept from those the leg talks to."""
    event_clock: int = 8000


class Legs(Columns):
    """What a leg does, and what was dropped on it."""

    def __init__(self, capacity: int) -> None:
        self.open = np.zeros(capacity, np.bool_)
        self.send = np.zeros(capacity, np.bool_)
        self.receive = np.zeros(capacity, np.bool_)
        self.mux = np.zeros(capacity, np.bool_)
        self.payload_type = np.full(capacity, NONE, np.int64)
        self.event_type = np.full(capacity, NONE, np.int64)
        self.send_event_type = np.full(capacity, NONE, np.int64)
        self.event_clock = np.zeros(capacity, np.int64)
        self.echo = np.zeros(capacity, np.bool_)
        self.recording = np.zeros(capacity, np.bool_)
        self.peer = np.full(capacity, NONE, np.int64)
        self.inband = np.zeros(capacity, np.bool_)
        self.hush = np.zeros(capacity, np.bool_)
        self.signalling_events = np.zeros(capacity, np.bool_)  # our own digits are going out
        self.this_second = np.zeros(capacity, np.int64)
        self.flooded = np.zeros(capacity, np.int64)
        self.malformed = np.zeros(capacity, np.int64)

    def clear(self, slot: int) -> None:
        """A row that is not open and accepts nothing."""
        super().clear(slot)
        self._none(slice(slot, slot + 1))

    def grow(self, capacity: int) -> None:
        """Room for more legs; the new rows are nobody's, and nobody's peers."""
        former = len(self.open)
        super().grow(capacity)
        self._none(slice(former, None))

    def _none(self, rows: slice) -> None:
        for column in (self.payload_type, self.event_type, self.send_event_type, self.peer):
            column[rows] = NONE
