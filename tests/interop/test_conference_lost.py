"""A conference outlives what dies beneath it: the control process, and a media worker."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conference.definition import RecordKind, RoomDefinition
from engine.store import Store
from engine.store.conferences.records import ConferenceRoom
from media.recording.sidecar import load
from tests.interop.engine_process import Engine
from tests.interop.ports import free_port
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import AMPLITUDE, BLOCK, Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.store import Recording
    from engine.store.conferences.records import HeldMeeting

pytestmark = pytest.mark.slow

ROOM = "9090"
"""Recorded from the first caller on, a track each."""
RECORDED = RoomDefinition(number=ROOM, record=RecordKind.TRACKS, record_automatically=True)
TONES = (400, 700, 1100)
SPOKEN = 2.5


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = {"sip.port": str(free_port(pair=True)), "media.workers": "1", "media.orphan_time": "20"}
    with Engine(tmp_path, settings) as running:
        store = opened(running)
        store.rooms.add(ConferenceRoom(definition=RECORDED))
        store.close()
        running.reload()
        end = time.monotonic() + 15
        while "reloaded" not in running.log:
            assert time.monotonic() < end
            time.sleep(0.1)
        yield running
        assert_no_exception(running)


def opened(engine: Engine) -> Store:
    """The engine's store, beside it."""
    store = Store(f"sqlite:///{engine.data / 'store.sqlite3'}")
    store.open()
    return store


def wait_until_mixed(engine: Engine, meetings: int) -> None:
    """Everybody who has called is on the list."""
    end = time.monotonic() + 15
    while engine.status()["calls"] < meetings:
        assert time.monotonic() < end
        time.sleep(0.1)
    time.sleep(5.0)  # each is told of the recording before it is mixed


def assert_all_hear_each_other(phones: list[WirePhone]) -> None:
    """Each hears every tone but its own, at its level."""
    with ExitStack() as stack:
        voices = [stack.enter_context(Voice(phone, tone)) for phone, tone in zip(phones, TONES, strict=True)]
        time.sleep(SPOKEN)
        for voice in voices:
            voice.finish()
    for own, voice in zip(TONES, voices, strict=True):
        for tone in TONES:
            loud = _decibels(voice, tone)
            assert abs(loud) < 1.5 if tone != own else loud < -30, (
                f"{own} Hz hears {tone} Hz at {loud:.1f} dB"
            )


def _decibels(voice: Voice, frequency_hz: int) -> float:
    """How loud a tone was heard against what it was said at: the median of the last second's blocks."""
    sound = voice.sound()[-14 * BLOCK : -4 * BLOCK]
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    spectrum = np.abs(np.fft.rfft(blocks, axis=1))[:, frequency_hz // 10] * 2 / BLOCK
    return float(20 * np.log10(np.median(spectrum) / AMPLITUDE + 1e-9))


def held_meetings(engine: Engine) -> tuple[HeldMeeting, list[int], Recording]:
    """The only meeting the store knows, the numbers of its events, and its recording."""
    store = opened(engine)
    try:
        (held,) = store.conference_journal.held()
        events = store.conference_journal.events(held.meeting)
        (recording,) = [each for each in store.recordings.all() if each.number == ROOM]
        return held, [each.event.sequence for each in events], recording
    finally:
        store.close()


def test_the_control_process_and_a_worker_are_killed(engine: Engine) -> None:
    """All go on hearing each other, in the same meeting, whose journal has no gap and whose recording goes on."""
    with ExitStack() as stack:
        phones = [stack.enter_context(WirePhone(engine.ready.address())) for _ in TONES]
        for phone in phones:
            assert phone.call(ROOM).status == 200
        wait_until_mixed(engine, len(phones))
        engine.kill()
        engine.start()
        status = engine.status()
        assert (status["calls"], status["counters"]["calls_adopted"]) == (3, 3)
        assert status["counters"]["meetings_adopted"] == 1
        assert_all_hear_each_other(phones)
        for pid in engine.ready.workers:
            os.kill(pid, signal.SIGKILL)
        time.sleep(2.0)
        assert_all_hear_each_other(phones)
        assert engine.status()["calls"] == len(phones)
        for phone in phones:
            assert phone.hang_up().status == 200
    engine.stop()
    held, events, recording = held_meetings(engine)
    assert (held.number, held.most, held.reason) == (ROOM, 3, "empty")
    assert events == list(range(1, held.events + 1))
    assert held.recorded
    assert recording.reason == "closed"
    assert len(load(Path(recording.path)).tracks) >= len(TONES)
    assert list((engine.data / "meetings").iterdir()) == []
    engine.start()
