"""Participants who go elsewhere, heard on the wire: two rooms that become one, a transfer to a number, a side talk."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conference import commands as c
from conference.definition import RoomDefinition, Sound
from tests.interop.meetings import MeetingEngine, eventually
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import AMPLITUDE, BLOCK, Voice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

HERE, THERE, ECHO = "9090", "9091", "5000"
TONES = (400, 700, 1100)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[MeetingEngine]:
    rooms = [
        RoomDefinition(number=each, owner="board", music=False, entry_sound=Sound.NONE, exit_sound=Sound.NONE)
        for each in (HERE, THERE)
    ]
    with MeetingEngine(tmp_path, rooms, {"media.workers": "2"}) as running:
        yield running
        assert_no_exception(running)


def levels(voices: list[Voice]) -> list[list[float]]:
    """How loud each has heard each tone in the second before now, against what it was said at (dB)."""
    time.sleep(1.5)
    found = []
    for voice in voices:
        sound = voice.sound()[-12 * BLOCK : -2 * BLOCK]
        blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
        spectrum = np.abs(np.fft.rfft(blocks, axis=1)) * 2 / BLOCK
        found.append(
            [float(20 * np.log10(np.median(spectrum[:, each // 10]) / AMPLITUDE + 1e-9)) for each in TONES]
        )
    return found


def heard(voices: list[Voice]) -> list[set[int]]:
    """Whose tones each hears."""
    return [{tone for tone, loud in zip(TONES, row, strict=True) if loud > -12} for row in levels(voices)]


def test_out_of_the_room_and_into_others(engine: MeetingEngine) -> None:
    """Each step is heard: who hears whom is what the lists say."""
    with ExitStack() as stack:
        phones = [stack.enter_context(WirePhone(engine.ready.address(), user=f"{each}")) for each in TONES]
        for phone, room in zip(phones, (HERE, HERE, THERE), strict=True):
            assert phone.call(room).status == 200
        voices = [stack.enter_context(Voice(phone, tone)) for phone, tone in zip(phones, TONES, strict=True)]
        eventually(lambda: len(engine.told(HERE).people) == 2, "two are in")
        eventually(lambda: len(engine.told(THERE).people) == 1, "one is there")
        one, two, three = ({tone} for tone in TONES)
        eventually(lambda: heard(voices) == [two, one, set()], lambda: levels(voices))

        assert engine.act(HERE, c.Merge(THERE)).refused is None
        eventually(lambda: len(engine.told(THERE).people) == 3, "all are there")
        assert engine.told(HERE).people == []
        eventually(lambda: heard(voices) == [two | three, one | three, one | two], lambda: levels(voices))

        second = engine.told(THERE).one(str(TONES[1]))
        third = engine.told(THERE).one(str(TONES[2]))
        assert second is not None
        assert third is not None
        engine.act(THERE, c.StepAside((second["id"], third["id"])))
        eventually(lambda: heard(voices) == [set(), three, two], lambda: levels(voices))
        engine.act(THERE, c.StepBack(second["id"]))
        eventually(lambda: heard(voices) == [two, one, set()], lambda: levels(voices))

        engine.act(THERE, c.Transfer(third["id"], "4321"))  # nobody's
        eventually(lambda: heard(voices) == [two | three, one | three, one | two], lambda: levels(voices))

        back = engine.told(THERE).one(str(TONES[2]))
        assert back is not None
        engine.act(THERE, c.Transfer(back["id"], ECHO))
        eventually(lambda: heard(voices) == [two, one, three], lambda: levels(voices))
        for phone in phones:
            assert phone.hang_up().status == 200
    assert eventually(lambda: engine.status()["calls"] == 0, "nothing is left")
