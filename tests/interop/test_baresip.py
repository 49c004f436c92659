"""The baresip fixture calls pjsua2: two stacks that are not ours agree on what was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import sound
from tests.interop.baresip import Baresip
from tests.interop.phone import Phone

pytestmark = pytest.mark.needs("baresip")


def test_baresip_calls_a_phone(tmp_path: Path) -> None:
    """Each hears the other's tone at its level, and baresip's digits arrive."""
    with (
        Phone(tmp_path, "bob", answer_with=200) as bob,
        Baresip(tmp_path, sound.tone_file(tmp_path, 800)) as baresip,
    ):
        baresip.dial(bob.address)
        baresip.wait_for("CALL_ESTABLISHED")
        bob.wait_for("confirmed")
        bob.play(sound.tone_file(tmp_path, 500), loop=True)
        bob.rest(0.2)
        sound.assert_hears_tone(bob.hears(1.0), 800, -12)
        baresip.press("47")
        bob.wait_for_digits("47")
        baresip.command("hangup")
        baresip.wait_for("CALL_CLOSED")
        bob.wait_for("disconnected")
        sound.assert_hears_tone(baresip.heard(), 500, -12)


def test_a_phone_calls_baresip(tmp_path: Path) -> None:
    """Baresip answers by itself and plays its file."""
    with (
        Phone(tmp_path, "alice") as alice,
        Baresip(tmp_path, sound.tone_file(tmp_path, 600), answer=True) as baresip,
    ):
        alice.call(baresip.address)
        alice.wait_for("confirmed")
        alice.rest(0.2)
        sound.assert_hears_tone(alice.hears(0.5), 600, -12)
        alice.hangup()
        baresip.wait_for("CALL_CLOSED")
