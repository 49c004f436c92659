"""An announcement that is a text: spoken when it is called, and heard."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.interop.engine_process import Engine
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

pytestmark = [pytest.mark.slow, pytest.mark.needs("espeak-ng")]


def test_a_text_is_heard(tmp_path: Path) -> None:
    """Within some seconds at the first call; the file is there for the next."""
    with Engine(tmp_path) as engine:
        engine.cli("automates", "add", "7100", "announcement", "--text", "--help, said the caller", "--loop")
        time.sleep(1)
        for _ in range(2):
            with WirePhone(engine.ready.address()) as phone:
                assert phone.call("7100").status == 200
                with Voice(phone) as voice:
                    end = time.monotonic() + 10
                    while time.monotonic() < end and np.abs(voice.sound()).max(initial=0) < 1000:
                        time.sleep(0.1)
                assert np.abs(voice.sound()).max() > 1000
                assert phone.hang_up().status == 200
        assert len(list((engine.data / "speech").glob("*.wav"))) == 1
