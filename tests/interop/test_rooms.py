"""Rooms on a running engine: phones that call one number hear each other, and nobody else."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.interop.engine_process import Engine
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import AMPLITUDE, BLOCK, Voice

pytestmark = [pytest.mark.slow, pytest.mark.alone]

TONES = {"8000": (400, 700, 1100), "8001": (500, 900)}
SPOKEN = 2.5


def decibels(voice: Voice, frequency_hz: int) -> float:
    """How loud a tone was heard against what it was said at: the median of the blocks of the last second but one."""
    sound = voice.sound()[-18 * BLOCK : -4 * BLOCK]
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    spectrum = np.abs(np.fft.rfft(blocks, axis=1))[:, frequency_hz // 10] * 2 / BLOCK
    return float(20 * np.log10(np.median(spectrum) / AMPLITUDE + 1e-9))


def test_who_calls_the_same_number_is_mixed(tmp_path: Path) -> None:
    """On two workers: all of a room on one, every other voice at its level, the own one and other rooms absent."""
    with Engine(tmp_path, {"media.workers": "2"}) as engine, ExitStack() as stack:
        address = engine.ready.address()
        voices: dict[str, dict[int, Voice]] = {room: {} for room in TONES}
        phones = []
        for room, tones in TONES.items():
            for tone in tones:
                phone = stack.enter_context(WirePhone(address))
                assert phone.call(room).status == 200
                voices[room][tone] = stack.enter_context(Voice(phone, tone))
                phones.append(phone)
        time.sleep(SPOKEN)
        legs = sorted(each["legs"] for each in engine.status()["workers"])
        for each in [voice for room in voices.values() for voice in room.values()]:
            each.finish()
        for room, speakers in voices.items():
            for own, listener in speakers.items():
                for other_room, tones in TONES.items():
                    for tone in tones:
                        loud = decibels(listener, tone)
                        if other_room == room and tone != own:
                            assert abs(loud) < 1, f"{tone} Hz in {room} at {loud:.1f} dB"
                        else:
                            assert loud < -38, f"{tone} Hz heard by {own} Hz of {room} at {loud:.1f} dB"
        assert legs == [2, 3]
        for phone in phones:
            assert phone.hang_up().status == 200
        assert_no_exception(engine)
