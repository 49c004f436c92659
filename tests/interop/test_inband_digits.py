"""A phone that knows no telephone-event presses keys: they are in its sound, and 6999 repeats them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.prompts import catalogue
from media.codecs.g711 import ulaw_encode
from media.prompt_file import load
from media.tones import dtmf, silence
from tests.interop.engine_process import Engine
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import FRAME, Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

KEYS = "42#"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path, {"engine.language": "en"}) as running:
        yield running


def coded(name: str) -> bytes:
    """A shipped prompt as it is sent."""
    return ulaw_encode(load(catalogue()[name])).tobytes()


def test_keys_in_the_sound_are_repeated(engine: Engine) -> None:
    """Pressed once, through the speech; what comes back says each of them, in order."""
    sound = np.concatenate([silence(500), dtmf(KEYS, 60, 60), silence(8000)])
    octets = ulaw_encode(sound).tobytes()
    frames = [octets[at : at + FRAME] for at in range(0, len(octets) - FRAME + 1, FRAME)]
    said = b"".join(coded(f"en/{word}")[: 8 * 400] for word in ("you-pressed",))
    with WirePhone(engine.ready.address()) as phone:
        assert phone.call("6999").status == 200
        with Voice(phone, frames=frames) as voice:
            end = time.monotonic() + 7
            while time.monotonic() < end and coded("en/hash")[:3200] not in voice.octets():
                time.sleep(0.1)
        heard = voice.octets()
        assert phone.hang_up().status == 200
    at = heard.find(said)
    assert at >= 0
    for word in ("digit-4", "digit-2", "hash"):
        at = heard.find(coded(f"en/{word}")[:3200], at)
        assert at >= 0, word
