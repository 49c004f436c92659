"""Rooms under every change at once: whatever is done between ticks, no tick raises, and nothing is left behind."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.codecs.coding import Terms
from media.legs import NONE
from media.plane import Plane
from media.rooms import RoomSettings
from tests.media.coded_wire import G722, L16_16, OPUS_8, OPUS_48, plane
from tests.media.room_wire import Participant, converse

CODECS: list[str | Terms] = ["PCMU", "PCMA", G722, OPUS_8, OPUS_48, L16_16]
ROOMS = ["8000", "8001", "8002"]
OPERATIONS = [
    "open",
    "close",
    "join",
    "leave",
    "set",
    "room",
    "codec",
    "bridge",
    "part",
    "play",
    "stop",
    "skip",
]
MOST = 12


class Crowd:
    """Legs to which things happen by chance."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.stage: Plane = plane()
        wave = (3000 * np.sin(np.arange(800) * 0.2)).astype(np.int16)
        self.stage.player.bank.load("p", wave)
        self.present: list[Participant] = []
        self.now = 0.0

    def _one_of(self, choices: list[Participant]) -> Participant:
        return choices[self._data.draw(st.integers(0, len(choices) - 1))]

    def happen(self, operation: str) -> None:
        """One change."""
        stage, draw = self.stage, self._data.draw
        if operation == "open" or not self.present:
            if len(self.present) < MOST:
                codec = CODECS[draw(st.integers(0, len(CODECS) - 1))]
                self.present.append(Participant(stage, codec, 300.0 + 100 * len(self.present), 9000.0))
            return
        if operation == "room":
            settings_of = RoomSettings(draw(st.integers(0, 3)), draw(st.sampled_from([8000, 16000, 48000])))
            stage.set_room(draw(st.sampled_from(ROOMS)), settings_of)
            return
        if operation == "skip":
            stage.skip(draw(st.integers(1, 10)))
            return
        who = self._one_of(self.present)
        match operation:
            case "close":
                stage.close(who.slot)
                self.present.remove(who)
            case "join":
                stage.join(who.slot, draw(st.sampled_from(ROOMS)))
            case "leave":
                stage.leave(who.slot)
            case "set":
                muted, agc, gate = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
                gain = draw(st.sampled_from([-20.0, 0.0, 20.0]))
                stage.set_participant(who.slot, muted=muted, gain_db=gain, agc=agc, gate=gate, denoise=False)
            case "codec":
                who.change(CODECS[draw(st.integers(0, len(CODECS) - 1))])
            case "bridge":
                stage.bridge(who.slot, self._one_of(self.present).slot)
            case "part":
                stage.bridge(who.slot, None)
            case "play":
                stage.play(who.slot, ["p"], loop=draw(st.booleans()), tag=1)
            case "stop":
                stage.stop_playing(who.slot)

    def talk(self, ticks: int) -> None:
        """Let time pass; everybody says its tone."""
        converse(self.stage, self.present, ticks, self.now)
        self.now += ticks * 0.02
        self.stage.take_outputs()
        self.stage.mixer.take_talkers()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.data())
def test_any_order_of_changes(data: st.DataObject) -> None:
    """Legs of all codecs come, go, join, leave, change, are bridged and played to; at the end all rooms are gone."""
    crowd = Crowd(data)
    for _ in range(4):
        crowd.happen("open")
    for operations in data.draw(st.lists(st.lists(st.sampled_from(OPERATIONS), max_size=6), max_size=12)):
        for operation in operations:
            crowd.happen(operation)
        crowd.talk(data.draw(st.integers(1, 3)))
        weights = crowd.stage.mixer.people.weight
        assert np.isfinite(weights).all()
    for each in crowd.present:
        crowd.stage.close(each.slot)
    crowd.present.clear()
    crowd.talk(1)
    assert (crowd.stage.mixer.people.room == NONE).all()
    assert not crowd.stage.mixer.rooms.names
    assert len(crowd.stage.senders) == 0
