"""Our SIPp scenarios against pjsua2, which is known to be right: a scenario that fails here is itself wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.softphone.settings import SoftphoneError
from tests.interop.phone import Phone
from tests.interop.sipp import Outcome, Sipp

pytestmark = pytest.mark.needs("sipp")


def place(phone: Phone) -> str:
    """``HOST:PORT`` of a phone."""
    return phone.address.partition("@")[2]


@pytest.mark.parametrize(
    "scenario",
    [
        "late_offer",
        "hold",
        "update",
        "cancel_crossing",
        "session_refresh_by_us",
        "replaces",
        "replaces_unknown",
    ],
)
def test_caller(tmp_path: Path, scenario: str) -> None:
    """SIPp calls a phone that answers at once."""
    with Phone(tmp_path, "bob", answer_with=200) as bob:
        Sipp(tmp_path, scenario, remote=place(bob), timeout=8).run().check()


@pytest.mark.slow
def test_caller_that_waits_for_a_refresh(tmp_path: Path) -> None:
    """The phone refreshes the session at half its interval, which is no shorter than 90 s.

    ``glare`` cannot be tried here: pjsua2 does not send its refresh again after 491.
    """
    with Phone(tmp_path, "bob", answer_with=200) as bob:
        Sipp(tmp_path, "session_refresh_by_them", remote=place(bob), timeout=75).run().check()


def test_prack(tmp_path: Path) -> None:
    """A reliable 180 is acknowledged before the answer."""
    with (
        Phone(tmp_path, "bob", reliable="optional") as bob,
        Sipp(tmp_path, "prack", remote=place(bob), timeout=8) as sipp,
    ):
        bob.answer(bob.wait_for_incoming(), 180)
        bob.rest(0.3)
        bob.answer()
        sipp.wait().check()


def test_cancel(tmp_path: Path) -> None:
    """A ringing call is cancelled and ends with 487."""
    with Phone(tmp_path, "bob", answer_with=180) as bob:
        Sipp(tmp_path, "ring_and_cancel", remote=place(bob), timeout=8).run().check()


def called(tmp_path: Path, scenario: str, *, hang_up: bool = True, **keys: str) -> tuple[str, Outcome]:
    """A phone calls SIPp; the call's fate and SIPp's outcome."""
    with (
        Sipp(tmp_path, scenario, timeout=8, keys=keys) as sipp,
        Phone(
            tmp_path, "alice", reliable="optional", user="alice", password="secret", uri="sip:alice@127.0.0.1"
        ) as alice,
    ):
        alice.call(f"sip:9@127.0.0.1:{sipp.port}")
        try:
            fate = alice.wait_for("confirmed").state
            alice.hangup()
        except SoftphoneError as error:
            fate = str(error)
        return fate, sipp.wait()


@pytest.mark.parametrize("scenario", ["uas_answer", "uas_prack"])
def test_called(tmp_path: Path, scenario: str) -> None:
    """SIPp answers a phone's call."""
    fate, outcome = called(tmp_path, scenario)
    assert fate == "confirmed"
    outcome.check()


def test_called_and_challenging(tmp_path: Path) -> None:
    """The right password is accepted, another one is not."""
    fate, outcome = called(tmp_path / "right", "uas_challenge", username="alice", password="secret")
    assert fate == "confirmed"
    outcome.check()
    fate, outcome = called(tmp_path / "wrong", "uas_challenge", username="alice", password="other")
    assert fate.startswith("403")
    assert outcome.failed == 1


def test_called_and_busy(tmp_path: Path) -> None:
    """486 ends the call."""
    fate, outcome = called(tmp_path, "uas_busy")
    assert fate.startswith("486")
    outcome.check()


def test_called_and_cancelled(tmp_path: Path) -> None:
    """A call given up while SIPp rings is cancelled there."""
    with Sipp(tmp_path, "uas_cancelled", timeout=8) as sipp, Phone(tmp_path, "alice") as alice:
        alice.call(f"sip:9@127.0.0.1:{sipp.port}")
        alice.wait_for("early")
        alice.hangup()
        assert alice.status().status == 487
        sipp.wait().check()
