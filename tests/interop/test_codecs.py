"""Every codec end to end: phones of two makes hear an announcement and their own echo on a running engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.softphone.examination import PROMPTS
from tests.interop import sound
from tests.interop.baresip import Baresip
from tests.interop.engine_process import Engine
from tests.interop.phone import Phone

WELCOME = PROMPTS / "en" / "welcome.wav"
ALL = '["opus", "G722", "PCMA", "PCMU", "L16"]'
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine that speaks them all."""
    with Engine(Path(tmp_path_factory.mktemp("engine")), {"media.codecs": ALL}) as running:
        yield running


def tone_at(rate: int, folder: Path) -> Path:
    """Ten seconds of 1000 Hz at -12 dBFS."""
    path = folder / f"tone-{rate}.wav"
    time = np.arange(10 * rate) / rate
    soundfile.write(path, 10 ** (-12 / 20) * np.sin(2 * np.pi * 1000 * time), rate, "PCM_16")
    return path


@pytest.mark.needs("baresip")
@pytest.mark.parametrize(
    ("codec", "rate"),
    [
        ("opus/48000/1", 48000),
        ("G722/16000/1", 16000),
        ("L16/16000/1", 16000),
        ("L16/48000/1", 48000),
        ("PCMA/8000/1", 8000),
    ],
)
def test_baresip_hears_the_announcement_and_its_echo(
    engine: Engine, tmp_path: Path, codec: str, rate: int
) -> None:
    """The prompt is the prompt, a tone comes back at its level; baresip uses libopus and spandsp."""
    with Baresip(tmp_path, tone_at(rate, tmp_path), codecs=codec, source_rate=rate) as baresip:
        for number, seconds in (("7000", 5.0), ("5000", 2.0)):
            baresip.dial(f"sip:{number}@{engine.ready.address()}")
            baresip.wait_for("CALL_ESTABLISHED")
            baresip.rest(seconds)
            baresip.command("hangup")
            baresip.wait_for("CALL_CLOSED")
            assert f"Set audio decoder: {codec.partition('/')[0]} " in baresip.log
            if number == "7000":
                sound.assert_hears_prompt(baresip.heard(), WELCOME)
            else:
                sound.assert_hears_tone(baresip.heard(), 1000, -12)


@pytest.mark.needs("pjsua2")
def test_pjsua2_hears_the_announcement_and_its_echo(engine: Engine, tmp_path: Path) -> None:
    """The same with the G.722 of pjmedia (it has neither Opus nor L16 of a rate we speak)."""
    with Phone(tmp_path, "alice", codecs=("G722",)) as alice:
        alice.call(f"sip:7000@{engine.ready.address()}")
        alice.wait_for("confirmed")
        sound.assert_hears_prompt(alice.hears(5.0), WELCOME)
        alice.hangup()
        alice.wait_for("disconnected")
        alice.call(f"sip:5000@{engine.ready.address()}")
        alice.wait_for("confirmed")
        alice.play(sound.tone_file(tmp_path, 1000), loop=True)
        alice.rest(1.0)
        sound.assert_hears_tone(alice.hears(1.0), 1000, -12)
        alice.hangup()
