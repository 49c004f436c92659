"""Real phones call the engine and hear the right thing: pjsua2 over every transport, and baresip."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.softphone.examination import PROMPTS
from tests.interop import sound
from tests.interop.baresip import Baresip
from tests.interop.engine_process import Engine
from tests.interop.phone import Phone

WELCOME = PROMPTS / "en" / "welcome.wav"
TRANSPORTS = ["udp", "tcp", "tls"]


def calling(folder: Path, engine: Engine, transport: str, codec: str = "PCMU") -> Phone:
    """A phone on that transport that checks the engine's certificate, not started."""
    ca = str(engine.data / "tls" / "cert.pem") if transport == "tls" else ""
    return Phone(folder, "alice", transport=transport, ca_file=ca, codecs=(codec,))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_announcement_is_the_prompt(engine: Engine, tmp_path: Path, transport: str) -> None:
    """What 7000 plays correlates above 0.9 with the prompt."""
    with calling(tmp_path, engine, transport) as alice:
        alice.call(engine.uri("7000", transport))
        alice.wait_for("confirmed")
        sound.assert_hears_prompt(alice.hears(5.0), WELCOME)
        alice.hangup()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_the_echo_returns_the_tone(engine: Engine, tmp_path: Path, transport: str, codec: str) -> None:
    """5000 returns a tone at its level, in either law."""
    with calling(tmp_path, engine, transport, codec) as alice:
        alice.call(engine.uri("5000", transport))
        alice.wait_for("confirmed")
        alice.play(sound.tone_file(tmp_path, 700, level_dbfs=-18), loop=True)
        alice.rest(0.6)
        assert alice.status().codec == codec
        sound.assert_hears_tone(alice.hears(1.0), 700, -18)
        alice.hangup()


def test_an_announcement_once_ends_the_call(engine: Engine, tmp_path: Path) -> None:
    """7001 hangs up by itself."""
    with calling(tmp_path, engine, "udp") as alice:
        alice.call(engine.uri("7001"))
        alice.wait_for("confirmed")
        assert alice.wait_for("disconnected", timeout=30).status == 200


@pytest.mark.needs("baresip")
def test_baresip_hears_the_announcement(engine: Engine, tmp_path: Path) -> None:
    """A second stack hears the same prompt, and its own tone from the echo."""
    tone = sound.tone_file(tmp_path, 620)
    for number in ("7000", "5000"):
        with Baresip(tmp_path / number, tone) as baresip:
            baresip.dial(engine.uri(number))
            baresip.wait_for("CALL_ESTABLISHED")
            baresip.rest(4.0)
            baresip.command("hangup")
            baresip.wait_for("CALL_CLOSED")
            if number == "7000":
                sound.assert_hears_prompt(baresip.heard(), WELCOME)
            else:
                sound.assert_hears_tone(baresip.heard(), 620, -12)
