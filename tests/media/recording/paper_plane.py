"""A plane on paper: legs whose sound a test writes down, tick by tick."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from media.jitter_buffer import SILENCE, Frames
from media.rtp import FRAME
from media.transmission import PACKET

ULAW, ALAW = 0, 1
FRAMES_A_SECOND = 50


class PaperRooms:
    """Rooms that have members and a rate when a test says so."""

    def __init__(self) -> None:
        self.names = ["blue", "red"]
        self.empty: set[str] = set()
        self.rate = np.array([8000, 8000])

    def row(self, name: str) -> int | None:
        return None if name in self.empty else self.names.index(name)


class PaperPlane:
    """What ``Recorder`` asks of a plane."""

    def __init__(self, capacity: int = 128) -> None:
        self.capacity = capacity
        self.generation = 1
        self.jitter_buffer = SimpleNamespace(law=np.zeros(capacity, np.intp))
        self.transmission = SimpleNamespace(packets=np.zeros(capacity, PACKET))
        self.coded = SimpleNamespace(
            index=np.full(capacity, -1, np.int64),
            rate=np.zeros(capacity, np.int64),
            pcm=np.zeros((capacity, 960), np.int16),
            outbound=SimpleNamespace(heard={}, tap=list),
        )
        self.mixer = SimpleNamespace(
            tap=list,
            room_sound={},
            rooms=PaperRooms(),
            people=SimpleNamespace(room=np.full(capacity, -1, np.int64), muted=np.zeros(capacity, np.bool_)),
        )
        self.recorded = np.zeros(0, np.int64)
        self.recorded_frames: Frames = np.zeros(0, "V160")
        self.senders = np.zeros(0, np.int64)
        self._recording: set[int] = set()
        self._changed = False

    def record(self, slot: int, *, on: bool) -> None:
        (self._recording.add if on else self._recording.discard)(slot)
        self._changed = True

    def set_law(self, slot: int, law: int) -> None:
        self.jitter_buffer.law[slot] = law
        self._changed = True

    def set_coded(self, slot: int, rate: int) -> None:
        """The leg speaks a codec of this rate; its row has the slot's number. 0: G.711 again."""
        self.coded.index[slot] = slot if rate else -1
        self.coded.rate[slot] = rate
        self._changed = True

    def enter(self, slot: int, room: str | None) -> None:
        """The leg is in this room, or in none."""
        self.mixer.people.room[slot] = -1 if room is None else self.mixer.rooms.names.index(room)
        self._changed = True

    def mute(self, slot: int, *, on: bool) -> None:
        self.mixer.people.muted[slot] = on
        self._changed = True

    def tick(self, says: dict[int, bytes], hears: dict[int, bytes] | None = None) -> None:
        """Make 20 ms: what each leg says (silence when it is not named) and hears (nothing)."""
        hears = hears or {}
        senders = np.array(sorted(hears), np.int64)
        if self._changed or senders.tolist() != self.senders.tolist():
            self._changed = False
            self.generation += 1
        self.senders = senders
        narrow = (slot for slot in self._recording if self.coded.index[slot] < 0)
        self.recorded = np.array(sorted(narrow), np.int64)
        frames = [says.get(slot, self.silence(slot)) for slot in self.recorded.tolist()]
        self.recorded_frames = np.frombuffer(b"".join(frames), "V160")
        for slot, frame in hears.items():
            self.transmission.packets["frame"][slot] = np.frombuffer(frame, "V160")[0]

    def silence(self, slot: int) -> bytes:
        return SILENCE[self.jitter_buffer.law[slot]].tobytes()


def octets(seed: int, frames: int) -> list[bytes]:
    """So many different frames of G.711."""
    sound = np.random.default_rng(seed).bytes(frames * FRAME)
    return [sound[at : at + FRAME] for at in range(0, len(sound), FRAME)]
