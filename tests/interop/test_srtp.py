"""SRTP with real phones: pjsua2 and baresip over TLS, alone with an automate and across a bridge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.softphone.examination import PROMPTS
from tests.interop import sound
from tests.interop.baresip import Baresip
from tests.interop.engine_process import Engine
from tests.interop.phone import Phone

WELCOME = PROMPTS / "en" / "welcome.wav"
CM80, CM32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"


def secure_phone(folder: Path, engine: Engine, name: str = "alice", **settings: object) -> Phone:
    """A phone on TLS that insists on SRTP, not started. Its library has no AES-GCM."""
    ca = str(engine.data / "tls" / "cert.pem")
    return Phone(folder, name, **{"transport": "tls", "ca_file": ca, "srtp": "required", **settings})


def cryptos(phone: Phone) -> list[str]:
    """The keys in the messages of a phone's log."""
    return re.findall(r"inline:([A-Za-z0-9+/=]+)", phone.log)


@pytest.mark.parametrize("suite", [CM80, CM32])
def test_the_echo_returns_the_tone(engine: Engine, tmp_path: Path, suite: str) -> None:
    """5000 over SRTP returns a tone at its level, also on hold and back; digits and keys stay out of the log."""
    with secure_phone(tmp_path, engine, suites=(suite,)) as alice:
        alice.call(engine.uri("5000", "tls"))
        alice.wait_for("confirmed")
        alice.play(sound.tone_file(tmp_path, 700, level_dbfs=-18), loop=True)
        alice.rest(0.6)
        sound.assert_hears_tone(alice.hears(1.0), 700, -18)
        alice.record(tmp_path / "reoffer.wav")
        alice.rest(0.5)
        alice.reoffer()
        alice.rest(0.7)
        alice.stop_recording()
        sound.assert_hears_tone(tmp_path / "reoffer.wav", 700, -18)
        alice.hold()
        alice.wait_for_media("local_hold")
        alice.resume()
        alice.wait_for_media("active")
        alice.rest(0.6)
        sound.assert_hears_tone(alice.hears(1.0, name="again"), 700, -18)
        alice.hangup()
    keys = cryptos(alice)
    assert len(set(keys)) >= 2
    assert f"{suite} inline:" in alice.log
    for key in keys:
        assert key not in engine.log
    assert "inline:" not in engine.log


def test_the_announcement_is_the_prompt(engine: Engine, tmp_path: Path) -> None:
    """What 7000 plays over SRTP correlates above 0.9 with the prompt."""
    with secure_phone(tmp_path, engine) as alice:
        alice.call(engine.uri("7000", "tls"))
        alice.wait_for("confirmed")
        sound.assert_hears_prompt(alice.hears(5.0), WELCOME)
        alice.hangup()


def test_keys_are_refused_where_anybody_reads_them(engine: Engine, tmp_path: Path) -> None:
    """Over UDP and TCP an offer of RTP/SAVP gets 488."""
    for transport in ("udp", "tcp"):
        with secure_phone(tmp_path / transport, engine, transport=transport, ca_file="") as alice:
            alice.call(engine.uri("5000", transport))
            assert alice.wait_for("disconnected").status == 488


@pytest.mark.needs("baresip")
def test_baresip_over_srtp(engine: Engine, tmp_path: Path) -> None:
    """A second stack hears the prompt, and its own tone from the echo."""
    tone = sound.tone_file(tmp_path, 620)
    ca = str(engine.data / "tls" / "cert.pem")
    for number in ("7000", "5000"):
        with Baresip(tmp_path / number, tone, transport="tls", ca_file=ca, srtp="srtp-mand") as baresip:
            baresip.dial(engine.uri(number, "tls"))
            baresip.wait_for("CALL_ESTABLISHED")
            baresip.rest(4.0)
            baresip.command("hangup")
            baresip.wait_for("CALL_CLOSED")
            if number == "7000":
                sound.assert_hears_prompt(baresip.heard(), WELCOME)
            else:
                sound.assert_hears_tone(baresip.heard(), 620, -12)


def test_a_secure_phone_and_a_plain_one_talk(engine: Engine, tmp_path: Path) -> None:
    """Two lines, one required to be secure and one plain: each hears the other's tone, and no third sound."""
    engine.cli(
        "lines", "add", "301", "--password-file", engine.password_file("secret-301"), "--srtp", "required"
    )
    engine.add_line("302", "secret-302")
    secure = {
        "uri": f"sip:301@{engine.ready.address('tls')}",
        "registrar": engine.uri("", "tls"),
        "user": "301",
        "password": "secret-301",
    }
    plain = {
        "uri": f"sip:302@{engine.ready.address()}",
        "registrar": engine.uri(),
        "user": "302",
        "password": "secret-302",
    }
    with secure_phone(tmp_path, engine, "anna", **secure) as anna, Phone(tmp_path, "bert", **plain) as bert:
        anna.register()
        bert.register()
        for caller, callee, number in ((anna, bert, "302"), (bert, anna, "301")):
            outgoing = caller.call(engine.uri(number, caller.settings.transport))
            incoming = callee.wait_for_incoming()
            callee.answer(incoming)
            caller.wait_for("confirmed", outgoing)
            caller.play(sound.tone_file(tmp_path, 440, level_dbfs=-15), loop=True, number=outgoing)
            callee.play(sound.tone_file(tmp_path, 950, level_dbfs=-15), loop=True, number=incoming)
            caller.rest(0.8)
            callee.record(tmp_path / f"{number}-callee.wav", number=incoming)
            heard = caller.hears(1.2, outgoing, name=number)
            callee.stop_recording(incoming)
            sound.assert_hears_tone(heard, 950, -15)
            sound.assert_hears_tone(tmp_path / f"{number}-callee.wav", 440, -15)
            caller.hangup(outgoing)
            callee.wait_for("disconnected", incoming)
    assert "RTP/SAVP" in anna.log
    assert "RTP/SAVP" not in bert.log
