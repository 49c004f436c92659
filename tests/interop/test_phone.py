"""The fixture's phones call each other: what they say, hear, press and transfer is what the tests believe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.softphone.settings import SoftphoneError, WaitedTooLong
from tests.interop import sound
from tests.interop.phone import Phone, phones

TRANSPORTS = ["udp", "tcp", "tls"]


@pytest.fixture
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, tls_files: dict[str, str]
) -> Iterator[tuple[Phone, Phone]]:
    """Alice and Bob on the transport the test names (UDP without a name)."""
    transport = getattr(request, "param", "udp")
    tls = {"ca_file": tls_files["ca"], "certificate": tls_files["cert"], "key": tls_files["key"]}
    with phones(tmp_path, "alice", "bob", transport=transport, **(tls if transport == "tls" else {})) as (
        a,
        b,
    ):
        yield a, b


def connect(caller: Phone, called: Phone) -> tuple[int, int]:
    """Call and answer; the numbers of the call at both ends."""
    out = caller.call(called.address)
    back = called.wait_for_incoming()
    called.answer(back)
    caller.wait_for("confirmed", out)
    called.wait_for("confirmed", back)
    return out, back


@pytest.mark.parametrize("pair", TRANSPORTS, indirect=True)
def test_what_one_plays_the_other_hears(pair: tuple[Phone, Phone], tmp_path: Path) -> None:
    """Over each transport a tone arrives at its level, digits arrive, and hanging up ends both."""
    alice, bob = pair
    connect(alice, bob)
    alice.play(sound.tone_file(tmp_path, 1000), loop=True)
    bob.rest(0.3)
    sound.assert_hears_tone(bob.hears(1.0), 1000, -12)
    sound.assert_silent(alice.hears(0.5))
    alice.send_dtmf("12#")
    bob.wait_for_digits("12#")
    assert bob.status().received_packets > 50
    alice.hangup()
    bob.wait_for("disconnected")


def test_digits_by_info(pair: tuple[Phone, Phone]) -> None:
    """Digits sent as INFO are told apart from RFC 4733's."""
    alice, bob = pair
    connect(alice, bob)
    alice.send_dtmf("5", "info")
    assert bob.wait_for_event("digit", text="5").extra == "info"
    bob.send_dtmf("6")
    assert alice.wait_for_event("digit", text="6").extra == "rfc4733"


def test_hold_and_resume(pair: tuple[Phone, Phone], tmp_path: Path) -> None:
    """On hold nothing is heard; after resuming, the tone goes on."""
    alice, bob = pair
    connect(alice, bob)
    alice.play(sound.tone_file(tmp_path, 600), loop=True)
    alice.hold()
    bob.wait_for_media("remote_hold")
    bob.rest(0.2)
    sound.assert_silent(bob.hears(0.5))
    alice.resume()
    bob.wait_for_media("active")
    bob.rest(0.3)
    sound.assert_hears_tone(bob.hears(0.5, name="again"), 600, -12)


def test_a_refusal_and_a_cancelled_call(pair: tuple[Phone, Phone]) -> None:
    """486 reaches the caller as its status; a call given up before the answer ends with 487."""
    alice, bob = pair
    out = alice.call(bob.address)
    bob.hangup(bob.wait_for_incoming(), 486)
    with pytest.raises(SoftphoneError, match="486") as refused:
        alice.wait_for("confirmed", out)
    assert refused.value.status == 486
    out = alice.call(bob.address)
    ringing = bob.wait_for_incoming()
    bob.answer(ringing, 180)
    alice.wait_for("early", out)
    alice.hangup(out)
    assert alice.status(out).status == 487
    bob.wait_for("disconnected", ringing)


def test_a_blind_transfer(tmp_path: Path) -> None:
    """Bob is sent to Carol, hears her tone, and Alice is told it worked."""
    with phones(tmp_path, "alice", "bob", "carol") as (alice, bob, carol):
        connect(alice, bob)
        alice.transfer(carol.address)
        ringing = carol.wait_for_incoming()
        carol.answer(ringing)
        carol.wait_for("confirmed", ringing)
        carol.play(sound.tone_file(tmp_path, 800), loop=True)
        assert alice.wait_for_event("transfer", extra="final").code == 200
        bob.rest(0.3)
        sound.assert_hears_tone(bob.hears(0.5, number=1), 800, -12)


def test_an_attended_transfer(tmp_path: Path) -> None:
    """Alice, in calls with Bob and Carol, joins them (REFER with Replaces)."""
    with phones(tmp_path, "alice", "bob", "carol") as (alice, bob, carol):
        first, _ = connect(alice, bob)
        second, _ = connect(alice, carol)
        alice.attended_transfer(first, second)
        assert carol.wait_for_event("replaced").code == 1
        carol.play(sound.tone_file(tmp_path, 900), loop=True, number=1)
        bob.rest(0.3)
        sound.assert_hears_tone(bob.hears(0.5, number=1), 900, -12)


def test_a_late_offer(pair: tuple[Phone, Phone], tmp_path: Path) -> None:
    """An INVITE without SDP gets the offer in the 200 and the answer in the ACK, and sound flows."""
    alice, bob = pair
    out = alice.call(bob.address, late_offer=True)
    bob.answer(bob.wait_for_incoming())
    alice.wait_for("confirmed", out)
    bob.play(sound.tone_file(tmp_path, 700), loop=True)
    alice.rest(0.3)
    sound.assert_hears_tone(alice.hears(0.5), 700, -12)


def test_nobody_there(tmp_path: Path) -> None:
    """A call to a closed TCP port ends at once with the library's status, and a wait has its limit."""
    with Phone(tmp_path, "alice", transport="tcp") as alice:
        out = alice.call("sip:nobody@127.0.0.1:9;transport=tcp")
        with pytest.raises(SoftphoneError):
            alice.wait_for("confirmed", out)
        with pytest.raises(WaitedTooLong, match="an incoming call"):
            alice.wait_for_incoming(timeout=0.1)
        with pytest.raises(SoftphoneError, match="no such call"):
            alice.status(7)


def test_a_command_it_does_not_know(tmp_path: Path) -> None:
    """An unknown command or argument is refused in words, and the phone goes on."""
    with Phone(tmp_path, "alice") as alice:
        with pytest.raises(SoftphoneError, match="not a command"):
            alice.ask("close")
        with pytest.raises(SoftphoneError, match="call"):
            alice.ask("call", number=3)
        assert alice.ask("rest", seconds=0.01) is None


def test_settings_it_cannot_use(tmp_path: Path) -> None:
    """A port that is taken is said at the start, and the child is gone."""
    with Phone(tmp_path, "alice") as alice:
        port = int(alice.address.rpartition(":")[2])
        with pytest.raises(SoftphoneError, match=r"(?i)address already in use"):
            Phone(tmp_path, "bob", port=port).start()


def test_a_phone_that_dies_is_told(tmp_path: Path) -> None:
    """When the child is killed the next command says so instead of waiting."""
    phone = Phone(tmp_path, "alice")
    phone.start()
    child = phone._child
    assert child is not None
    child.kill()
    child.wait()
    with pytest.raises(SoftphoneError, match=r"ended \(-9\)"):
        phone.status()
    phone.stop()
