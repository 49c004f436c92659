"""One room on two workers: all hear all others, once, through the loss of a worker and of the control process."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.interop.engine_process import Engine
from tests.interop.ports import free_port
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import AMPLITUDE, BLOCK, Voice

pytestmark = pytest.mark.slow

TONES = (400, 700, 1100, 1300)
BLOCKS = 6
"""The 600 ms that are listened to."""
PATIENCE = 30.0
SETTINGS = {"media.workers": "2", "media.room_legs": "2", "media.orphan_time": "20"}


def heard(voice: Voice) -> list[float]:
    """How loud each tone is now, in dB of what it was said at."""
    sound = voice.sound()[-(BLOCKS + 1) * BLOCK : -BLOCK]
    if len(sound) < BLOCKS * BLOCK:
        return [-90.0 for _ in TONES]
    spectrum = np.abs(np.fft.rfft(sound.reshape(BLOCKS, BLOCK), axis=1)) * 2 / BLOCK
    return [float(20 * np.log10(np.median(spectrum[:, tone // 10]) / AMPLITUDE + 1e-5)) for tone in TONES]


def assert_all_hear_all(voices: list[Voice]) -> None:
    """Before long, and as loud as they speak: nothing is missing, and nothing comes twice or back."""
    until = time.monotonic() + PATIENCE
    while True:
        levels = [heard(voice) for voice in voices]
        right = all(
            level < -30 if own == other else abs(level) < 1
            for own, every in enumerate(levels)
            for other, level in enumerate(every)
        )
        if right:
            return
        assert time.monotonic() < until, [[round(level) for level in every] for every in levels]
        time.sleep(0.2)


def test_a_room_on_two_workers(tmp_path: Path) -> None:
    """Two phones on each; then one worker is killed, then the control process; it is the same room all the time."""
    with (
        Engine(tmp_path, {**SETTINGS, "sip.port": str(free_port(pair=True))}) as engine,
        ExitStack() as stack,
    ):
        voices, phones = [], []
        for tone in TONES:
            phone = stack.enter_context(WirePhone(engine.ready.address()))
            assert phone.call("8000").status == 200
            voices.append(stack.enter_context(Voice(phone, tone)))
            phones.append(phone)
        assert [each["legs"] for each in engine.status()["workers"]] == [2, 2]
        assert_all_hear_all(voices)

        os.kill(engine.ready.workers[1], signal.SIGKILL)
        time.sleep(1.0)  # what is heard is of after it
        assert_all_hear_all(voices)
        status = engine.status()
        assert [each["legs"] for each in status["workers"]] == [2, 2]
        assert status["counters"]["legs_moved"] == 2

        engine.kill()
        engine.start()
        time.sleep(1.0)
        assert_all_hear_all(voices)
        status = engine.status()
        assert status["counters"]["legs_adopted"] == 4
        assert "room_parts_refused" not in status["counters"]

        late = stack.enter_context(WirePhone(engine.ready.address()))
        assert late.call("8000").status == 200
        assert_all_hear_all(voices)
        for phone in (*phones, late):
            assert phone.hang_up().status == 200
        assert engine.status()["calls"] == 0
        assert_no_exception(engine)
