"""Phones register with us, over TLS above all, and call each other's numbers: every call through our own media."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.softphone.settings import SoftphoneError, WaitedTooLong
from tests.interop import sound
from tests.interop.engine_process import Engine
from tests.interop.phone import Phone
from tests.port_share import port_share

LINES = {"1001": "alice", "1002": "bob", "1003": "carol"}
SUSPECT = "1004"  # who gives wrong passwords is not answered for a while: no other test uses it
PASSWORD = "a-password-of-a-line"
PAIRS = [("tls", "tls"), ("udp", "tls"), ("tls", "tcp")]
TONES = {"1001": 620, "1002": 980, "1003": 1440}  # what each says, none a harmonic of another


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with three lines."""
    with Engine(Path(tmp_path_factory.mktemp("engine"))) as engine:
        for number, name in LINES.items():
            engine.add_line(number, PASSWORD, name)
        engine.add_line(SUSPECT, PASSWORD)
        yield engine


def line(folder: Path, engine: Engine, number: str, transport: str = "tls", **settings: object) -> Phone:
    """The phone of a line, not started; it checks the engine's certificate."""
    chosen: dict[str, object] = {
        "uri": f"sip:{number}@{engine.ready.address(transport)}",
        "registrar": engine.uri(transport=transport),
        "user": number,
        "password": PASSWORD,
        "transport": transport,
        "ca_file": str(engine.data / "tls" / "cert.pem") if transport == "tls" else "",
    }
    return Phone(folder, LINES.get(number, number), **{**chosen, **settings})


@contextlib.contextmanager
def registered(
    folder: Path, engine: Engine, *transports: str, **settings: object
) -> Iterator[tuple[Phone, ...]]:
    """The phones of 1001, 1002, ... on those transports, registered."""
    with contextlib.ExitStack() as stack:
        found = []
        for number, transport in zip(LINES, transports, strict=False):
            phone = stack.enter_context(line(folder, engine, number, transport, **settings))
            phone.register()
            found.append(phone)
        yield tuple(found)


def connect(engine: Engine, caller: Phone, called: Phone) -> tuple[int, int]:
    """Call the number of a line and answer; the numbers of the call at both ends."""
    out = caller.call(engine.uri(called.settings.user, caller.settings.transport))
    back = called.wait_for_incoming()
    called.answer(back)
    caller.wait_for("confirmed", out)
    called.wait_for("confirmed", back)
    return out, back


def speak(folder: Path, *calls: tuple[Phone, int]) -> None:
    """Each phone says its own tone in that call."""
    for phone, number in calls:
        phone.play(sound.tone_file(folder, TONES[phone.settings.user]), loop=True, number=number)


def assert_talking(one: tuple[Phone, int], other: tuple[Phone, int], name: str = "heard") -> None:
    """Both hear the other's tone and nothing of their own."""
    one[0].rest(0.4)
    for (listener, number), (speaker, _) in ((one, other), (other, one)):
        heard = listener.hears(0.8, number, name=name)
        sound.assert_hears_tone(heard, TONES[speaker.settings.user], -12)


def contacts(engine: Engine, number: str) -> list[str]:
    """Where the phones of a line are, as ``polyphony lines`` shows them."""
    found: list[dict[str, Any]] = engine.listing("lines")
    return next(each["contacts"] for each in found if each["number"] == number)


def audio_ports(phone: Phone, direction: str) -> set[int]:
    """The ports of every audio stream in the descriptions it received (``RX``) or sent (``TX``)."""
    messages = re.findall(rf"\.{direction} \d+ bytes (.*?)--end msg--", phone.log, re.DOTALL)
    return {int(port) for message in messages for port in re.findall(r"^m=audio (\d+)", message, re.M)}


@pytest.mark.parametrize("transports", PAIRS, ids="-".join)
def test_two_lines_talk_through_us(served: Engine, tmp_path: Path, transports: tuple[str, str]) -> None:
    """Tones and digits cross both ways; each side's media is with us; hanging up ends both."""
    with registered(tmp_path, served, *transports) as (alice, bob):
        assert len(contacts(served, "1001")) == len(contacts(served, "1002")) == 1
        out, back = connect(served, alice, bob)
        assert "1001" in bob.status(back).remote
        speak(tmp_path, (alice, out), (bob, back))
        assert_talking((alice, out), (bob, back))
        alice.send_dtmf("12#", number=out)
        bob.wait_for_digits("12#")
        bob.send_dtmf("*70", number=back)
        alice.wait_for_digits("*70")
        bob.hangup(back)
        assert alice.wait_for("disconnected", out).status == 200
        out, back = connect(served, bob, alice)
        bob.hangup(out)
        assert alice.wait_for("disconnected", back).status == 200
    for phone, partner in ((alice, bob), (bob, alice)):
        seen = audio_ports(phone, "RX")
        assert seen
        assert audio_ports(partner, "TX")
        assert all(port in port_share().engines and port % 2 == 0 for port in seen)
        assert not seen & audio_ports(partner, "TX")
        assert not seen & audio_ports(partner, "RX")
    assert contacts(served, "1001") == contacts(served, "1002") == []


@pytest.mark.parametrize("holder", ["caller", "called"])
def test_hold_and_resume(served: Engine, tmp_path: Path, holder: str) -> None:
    """The held side hears nothing, nor does the holder; afterwards both talk again."""
    with registered(tmp_path, served, "tls", "tls") as (alice, bob):
        out, back = connect(served, alice, bob)
        speak(tmp_path, (alice, out), (bob, back))
        assert_talking((alice, out), (bob, back))
        phone, other = ((alice, out), (bob, back)) if holder == "caller" else ((bob, back), (alice, out))
        phone[0].hold(phone[1])
        other[0].hears(1.0, other[1], name="rest")  # what its jitter buffer still held
        sound.assert_silent(other[0].hears(0.6, other[1], name="held"))
        phone[0].resume(phone[1])
        assert_talking((alice, out), (bob, back), "again")


@pytest.mark.parametrize("asking", ["caller", "called"])
def test_a_blind_transfer(served: Engine, tmp_path: Path, asking: str) -> None:
    """Either side sends the other to a third line, is told it worked, and is out of the call."""
    with registered(tmp_path, served, "tls", "tls", "udp") as (alice, bob, carol):
        out, back = connect(served, alice, bob)
        asks, stays = ((alice, out), (bob, back)) if asking == "caller" else ((bob, back), (alice, out))
        asks[0].transfer(served.uri("1003", "tls"), asks[1])
        third = carol.wait_for_incoming()
        assert stays[0].settings.user in carol.status(third).remote
        carol.answer(third)
        carol.wait_for("confirmed", third)
        assert asks[0].wait_for_event("transfer", extra="final").code == 200
        asks[0].wait_for("disconnected", asks[1])
        speak(tmp_path, stays, (carol, third))
        assert_talking(stays, (carol, third))
        carol.hangup(third)
        stays[0].wait_for("disconnected", stays[1])


@pytest.mark.parametrize("asking", ["caller", "called"])
def test_an_attended_transfer(served: Engine, tmp_path: Path, asking: str) -> None:
    """Alice or Bob speaks to Carol first and then joins the two others (REFER with Replaces)."""
    with registered(tmp_path, served, "tls", "tls", "tls") as (alice, bob, carol):
        out, back = connect(served, alice, bob)
        asks, stays = ((alice, out), (bob, back)) if asking == "caller" else ((bob, back), (alice, out))
        asks[0].hold(asks[1])
        second, third = connect(served, asks[0], carol)
        asks[0].attended_transfer(asks[1], second)
        asks[0].wait_for("disconnected", asks[1])
        asks[0].wait_for("disconnected", second)
        carol.rest(0.2)
        third = carol.status().number  # hers may be a new one that replaced the first
        speak(tmp_path, stays, (carol, third))
        assert_talking(stays, (carol, third))
        stays[0].hangup(stays[1])
        carol.wait_for("disconnected", third)


def test_a_transfer_that_fails_leaves_the_call_as_it_was(served: Engine, tmp_path: Path) -> None:
    """The third line is not there: whoever asked is told so and may go on talking."""
    with registered(tmp_path, served, "tls", "tls") as (alice, bob):
        out, back = connect(served, alice, bob)
        alice.transfer(served.uri("1003", "tls"), out)
        assert alice.wait_for_event("transfer", extra="final").code == 480
        speak(tmp_path, (alice, out), (bob, back))
        assert_talking((alice, out), (bob, back))


@pytest.mark.parametrize("status", [486, 603])
def test_a_refusal_is_passed_on(served: Engine, tmp_path: Path, status: int) -> None:
    """Busy is busy, declined is declined."""
    with registered(tmp_path, served, "tls", "udp") as (alice, bob):
        out = alice.call(served.uri("1002", "tls"))
        bob.hangup(bob.wait_for_incoming(), status)
        assert_refused(alice, out, status)


def test_a_caller_that_gives_up(served: Engine, tmp_path: Path) -> None:
    """The phone that rang stops ringing."""
    with registered(tmp_path, served, "tls", "tls") as (alice, bob):
        out = alice.call(served.uri("1002", "tls"))
        ringing = bob.wait_for_incoming()
        bob.answer(ringing, 180)
        alice.wait_for("early", out)
        alice.hangup(out)
        assert alice.status(out).status == 487
        bob.wait_for("disconnected", ringing)


def test_a_line_without_a_phone(served: Engine, tmp_path: Path) -> None:
    """480 before it registers and after it has unregistered, 404 for a number of nobody."""
    with registered(tmp_path, served, "tls", "tls") as (alice, bob):
        assert_refused(alice, alice.call(served.uri("1003", "tls")), 480)
        bob.unregister()
        assert contacts(served, "1002") == []
        assert_refused(alice, alice.call(served.uri("1002", "tls")), 480)
        assert_refused(alice, alice.call(served.uri("4711", "tls")), 404)
        bob.register()
        connect(served, alice, bob)


def test_a_wrong_password_is_refused(served: Engine, tmp_path: Path) -> None:
    """No registration, and no call; who goes on guessing is not answered any more, unlike its neighbours."""
    with line(tmp_path, served, SUSPECT, password="guess") as guessing:
        with pytest.raises(SoftphoneError, match="401"):
            guessing.register()
        assert contacts(served, SUSPECT) == []
        out = guessing.call(served.uri("5000", "tls"))
        with pytest.raises(WaitedTooLong):
            guessing.wait_for("confirmed", out, timeout=3.0)
        assert guessing.status(out).state == "calling"
    assert served.status()["counters"]["guessing"] >= 1
    with registered(tmp_path, served, "tls") as (alice,):
        alice.call(served.uri("5000", "tls"))
        alice.wait_for("confirmed")


def test_nobody_speaks_in_anothers_name(served: Engine, tmp_path: Path) -> None:
    """1001's password neither registers 1002 nor calls as it."""
    uri = f"sip:1002@{served.ready.address('tls')}"
    with line(tmp_path, served, "1001", uri=uri) as alice:
        with pytest.raises(SoftphoneError, match="403"):
            alice.register()
        assert contacts(served, "1002") == []
        assert_refused(alice, alice.call(served.uri("5000", "tls")), 403)


def assert_refused(phone: Phone, number: int, status: int) -> None:
    """The call ends with that status."""
    with pytest.raises(SoftphoneError) as refused:
        phone.wait_for("confirmed", number)
    assert refused.value.status == status
