"""Lines call out over a link to Kamailio, and its users call in; nobody passes through us from link to link."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.softphone.settings import SoftphoneError
from tests.interop import sound
from tests.interop.engine_process import Engine
from tests.interop.kamailio import REALM, Kamailio, password_of
from tests.interop.phone import Phone

pytestmark = pytest.mark.needs("kamailio")

LINE, PASSWORD = "1001", "a-password-of-a-line"
INSIDE, OUTSIDE, ELSEWHERE = "1002", "9123", "4123"
"""A user of the PBX we have no prefix for; one we have; and a number the other link has the prefix for."""
OTHER_HOST = "127.0.0.3"


@dataclass
class World:
    """An engine between two PBXs; of the second only the socket is there, to see what reaches it."""

    engine: Engine
    pbx: Kamailio
    other: socket.socket
    _seen: set[bytes] = field(default_factory=set)

    def phone(self, folder: Path, number: str) -> Phone:
        """A phone of the PBX, not started."""
        return Phone(
            folder,
            f"pbx-{number}",
            uri=f"sip:{number}@127.0.0.1",
            registrar=self.pbx.uri(),
            user=number,
            password=password_of(number),
        )

    def line(self, folder: Path) -> Phone:
        """The phone of our line, over TLS: what comes from the PBX's address over UDP is the PBX's."""
        return Phone(
            folder,
            "line",
            uri=f"sip:{LINE}@{self.engine.ready.address('tls')}",
            registrar=self.engine.uri(transport="tls"),
            user=LINE,
            password=PASSWORD,
            transport="tls",
            ca_file=str(self.engine.data / "tls" / "cert.pem"),
        )

    def new_calls_elsewhere(self) -> int:
        """How many calls have reached the second PBX since last asked; it answers none, so each is repeated."""
        found: set[bytes] = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                message = self.other.recv(65536)
                if message.startswith(b"INVITE "):
                    found |= set(re.findall(rb"(?im)^Call-ID: *(\S+)", message))
        new = len(found - self._seen)
        self._seen |= found
        return new


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The PBX asks for the line's password at each call: its account and our line have the same number."""
    folder = Path(tmp_path_factory.mktemp("links"))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        Kamailio(folder, challenge_calls=True) as pbx,
        Engine(folder) as engine,
    ):
        other.bind((OTHER_HOST, 0))
        other.setblocking(False)
        engine.add_line(LINE, PASSWORD)
        engine.cli(
            "links", "add", "pbx", "--host", "127.0.0.1", "--port", str(pbx.port), "--no-register",
            "--route", "9", "--realm", REALM, "--user", LINE,
            "--password-file", engine.password_file(password_of(LINE)),
        )  # fmt: skip
        engine.cli(
            "links", "add", "other", "--host", OTHER_HOST, "--port", str(other.getsockname()[1]),
            "--no-register", "--route", "4",
        )  # fmt: skip
        yield World(engine, pbx, other)


def test_a_line_calls_out(world: World, tmp_path: Path) -> None:
    """Through the link's challenge to a phone behind it; sound, digits and the line's number cross."""
    with world.line(tmp_path) as alice, world.phone(tmp_path, OUTSIDE) as bob:
        bob.register()
        alice.register()
        out = alice.call(world.engine.uri(OUTSIDE, "tls"))
        back = bob.wait_for_incoming()
        assert LINE in bob.status(back).remote
        bob.answer(back)
        alice.wait_for("confirmed", out)
        bob.wait_for("confirmed", back)
        alice.play(sound.tone_file(tmp_path, 620), loop=True)
        bob.play(sound.tone_file(tmp_path, 980), loop=True)
        bob.rest(0.4)
        sound.assert_hears_tone(bob.hears(0.8), 620, -12)
        sound.assert_hears_tone(alice.hears(0.8), 980, -12)
        alice.send_dtmf("42")
        bob.wait_for_digits("42")
        bob.hangup(back)
        assert alice.wait_for("disconnected", out).status == 200


def test_a_number_nobody_answers_there(world: World, tmp_path: Path) -> None:
    """The PBX's 404 is the line's 404; what no prefix covers is ours to refuse."""
    with world.line(tmp_path) as alice:
        for number in ("9999", INSIDE):
            assert_refused(alice, alice.call(world.engine.uri(number, "tls")), 404)


def test_a_line_may_use_either_link(world: World, tmp_path: Path) -> None:
    """What is refused below to a caller from a link is a line's right: its INVITE does reach the other PBX."""
    world.new_calls_elsewhere()
    with world.line(tmp_path) as alice:
        out = alice.call(world.engine.uri(ELSEWHERE, "tls"))
        alice.rest(0.5)
        alice.hangup(out)
    assert world.new_calls_elsewhere() == 1


@pytest.mark.parametrize("name", [INSIDE, LINE])
@pytest.mark.parametrize("number", [OUTSIDE, ELSEWHERE])
def test_a_caller_from_a_link_stays_inside(world: World, tmp_path: Path, name: str, number: str) -> None:
    """It reaches our lines and automates, but neither another link nor its own, whatever name it gives."""
    world.new_calls_elsewhere()
    with world.line(tmp_path) as alice, Phone(tmp_path, "caller", uri=f"sip:{name}@127.0.0.1") as caller:
        alice.register()
        assert_refused(caller, caller.call(world.engine.uri(number)), 403)
        caller.call(world.engine.uri("5000"))
        caller.wait_for("confirmed")
        caller.hangup()
        out = caller.call(world.engine.uri(LINE))
        alice.answer(alice.wait_for_incoming())
        caller.wait_for("confirmed", out)
    assert world.new_calls_elsewhere() == 0


def test_a_link_that_does_not_answer_is_down(world: World) -> None:
    """The probes are answered by one PBX only; a link's silence is known after one of them."""
    end = time.monotonic() + 15.0
    while (found := {each["name"]: each for each in world.engine.listing("links")})["other"][
        "state"
    ] != "down":
        assert time.monotonic() < end, found
        time.sleep(0.5)
    assert found["other"]["last_error"]
    assert (found["pbx"]["state"], found["pbx"]["last_error"]) == ("up", "")


def assert_refused(phone: Phone, number: int, status: int) -> None:
    """The call ends with that status."""
    with pytest.raises(SoftphoneError) as refused:
        phone.wait_for("confirmed", number)
    assert refused.value.status == status
