"""The doctor against a phone that plays the engine's part, well or badly: every finding has its cause."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.doctor import Server, listens, server_of
from engine.softphone import environment
from engine.softphone.examination import PROMPTS, spoken_digits
from engine.softphone.findings import Verdict
from engine.softphone.probe import Answer, local_address, probe
from engine.softphone.settings import SoftphoneError
from tests.interop import sound
from tests.interop.engine_process import POLYPHONY, ROOT, Engine
from tests.interop.kamailio import Kamailio, password_of
from tests.interop.phone import Phone
from tests.interop.ports import free_port


def doctor(*arguments: str, status: int) -> dict[str, dict[str, Any]]:
    """Run the command; its findings by check (the last of each)."""
    result = subprocess.run(
        [*POLYPHONY, "doctor", "--json", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert "Traceback" not in result.stderr, result.stderr
    assert result.returncode == status, result.stdout + result.stderr
    return {finding["check"]: finding for finding in json.loads(result.stdout)}


class Part:
    """A phone playing the engine: the first call is the echo, the second 7000, the third 6999."""

    def __init__(
        self, phone: Phone, *, echo: bool = True, prompt: Path | None = None, says: str = ""
    ) -> None:
        self._phone, self._echo, self._prompt, self._says = phone, echo, prompt, says
        self._told = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play)

    def __enter__(self) -> Part:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _play(self) -> None:
        while not self._over.wait(0.02):
            events = self._phone.events[self._told :]
            self._told += len(events)
            for event in events:
                with contextlib.suppress(SoftphoneError):  # the call is over already
                    self._react(event.kind, event.call, event.text)

    def _react(self, kind: str, call: int, text: str) -> None:
        if kind == "state" and text == "confirmed":
            if call == 0 and self._echo:
                self._phone.loop_back(call)
            elif self._prompt is not None and call > 0:
                self._phone.play(self._prompt, number=call)
        elif kind == "digit" and self._says:
            spoken = self._says if self._says != "same" else text
            self._phone.play(PROMPTS / "en" / f"digit-{spoken}.wav", number=call)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """Makes the phone that answers the doctor's calls with a status."""
    with contextlib.ExitStack() as stack:

        def make(status: int = 200, **settings: object) -> Phone:
            phone = Phone(tmp_path, "engine", answer_with=status, **settings)
            stack.callback(phone.stop)
            phone.start()
            return phone

        yield make


def place(phone: Phone) -> str:
    """``HOST:PORT`` of a phone."""
    return phone.address.partition("@")[2].partition(";")[0]


@pytest.mark.slow
def test_all_is_well(server: Callable[..., Phone], tmp_path: Path) -> None:
    """A server that echoes, announces and repeats digits passes: level, delay and digits are told."""
    engine = server()
    prompt = PROMPTS / "en" / "digit-5.wav"
    with Part(engine, prompt=prompt, says="same"):
        found = doctor("--sip", place(engine), status=0)
    assert found["signalling"]["key"] == "answered"
    assert found["audio"]["key"] == "echo_heard"
    assert found["audio"]["values"]["codec"] == "PCMU"
    assert 0 < found["delay"]["values"]["milliseconds"] < 300
    assert found["announcement"]["key"] == "announcement_heard"
    assert found["dtmf_rfc4733"]["key"] == found["dtmf_info"]["key"] == "digit_recognised"


@pytest.mark.slow
def test_one_way_audio(server: Callable[..., Phone]) -> None:
    """RTP that comes back silent is told as one-way audio, a silent announcement as a missing prompt."""
    engine = server()
    found = doctor("--sip", place(engine), status=1)
    assert found["audio"]["key"] == "echo_silent"
    assert "One-way audio" in found["audio"]["text"]
    assert found["announcement"]["key"] == "silent_packets"
    assert found["dtmf_rfc4733"]["key"] == found["dtmf_info"]["key"] == "digit_unanswered"


@pytest.mark.slow
def test_digits_mistaken(server: Callable[..., Phone]) -> None:
    """Another digit spoken back than the one sent is told with both."""
    engine = server()
    with Part(engine, prompt=PROMPTS / "en" / "digit-5.wav", says="9"):
        found = doctor("--sip", place(engine), status=1)
    assert found["dtmf_rfc4733"]["key"] == "digit_wrong"
    assert found["dtmf_rfc4733"]["values"] == {"digit": "7", "heard": "9"}


@pytest.mark.parametrize(
    ("status", "key"),
    [(403, "forbidden"), (404, "no_such_number"), (486, "busy"), (503, "overloaded"), (600, "refused")],
)
def test_refusals_have_their_reasons(server: Callable[..., Phone], status: int, key: str) -> None:
    """Each refusal is put down to its likely cause."""
    engine = server(status)
    found = doctor("--sip", place(engine), status=1)
    assert found["signalling"]["key"] == key
    assert str(status) in found["signalling"]["text"]


@pytest.mark.needs("kamailio")
def test_registration(tmp_path: Path) -> None:
    """A line registers with its password, and not with another; 404 for the numbers is told too."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(password_of("1001") + "\n")
    wrong.write_text("guess\n")
    with Kamailio(tmp_path) as pbx:
        found = doctor("--sip", pbx.address, "--user", "1001", "--password-file", str(right), status=1)
        assert found["registration"]["key"] == "registered"
        assert found["signalling"]["key"] == "no_such_number"
        found = doctor("--sip", pbx.address, "--user", "1001", "--password-file", str(wrong), status=1)
        assert found["registration"]["key"] == "registration_denied"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_nobody_listens(transport: str) -> None:
    """A closed port is told as such over each transport, and no call is tried."""
    found = doctor("--sip", f"127.0.0.1:{free_port()}", "--transport", transport, status=1)
    assert found["listening"]["key"] == "nobody_listens"
    assert "signalling" not in found


def test_what_listens_is_no_sip_server() -> None:
    """Silence, another protocol, a closed connection and a failed handshake are told apart."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert probe("127.0.0.1", deaf.getsockname()[1], "udp", timeout=0.6).answer is Answer.SILENT
    for greeting, answer in [(b"220 mail ready\r\n", Answer.NOT_SIP), (b"", Answer.NOT_SIP)]:
        with _greeter(greeting) as port:
            assert probe("127.0.0.1", port, "tcp").answer is answer
    with _greeter(b"220 mail ready\r\n") as port:
        assert listens(Server("127.0.0.1", port, "tls")).key == "no_tls"
    assert probe("host.invalid", 5060).answer is Answer.UNREACHABLE


@contextlib.contextmanager
def _greeter(greeting: bytes) -> Iterator[int]:
    """A TCP server that says one thing to one client, reads what it says, and closes."""

    def serve() -> None:
        client, _ = listening.accept()
        with client:
            client.recv(65536)
            client.sendall(greeting)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def test_a_server_that_forbids_us() -> None:
    """403 to OPTIONS is an address that is not accepted."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def refuse() -> None:
            _, client = server.recvfrom(65536)
            server.sendto(b"SIP/2.0 403 Forbidden\r\nContent-Length: 0\r\n\r\n", client)

        thread = threading.Thread(target=refuse)
        thread.start()
        finding = listens(Server("127.0.0.1", server.getsockname()[1], "udp"))
        thread.join()
    assert (finding.verdict, finding.key) == (Verdict.FAILS, "forbidden_options")


def test_no_engine_on_the_data_directory(tmp_path: Path) -> None:
    """A missing directory, one that others may read, and one without a running engine are told."""
    found = doctor("--data", str(tmp_path / "none"), status=1)
    assert found["data"]["key"] == "data_missing"
    assert found["engine"]["key"] == "engine_not_running"
    tmp_path.chmod(0o755)
    assert doctor("--data", str(tmp_path), status=1)["data"]["key"] == "data_open"
    tmp_path.chmod(0o700)
    found = doctor("--data", str(tmp_path), status=1)
    assert found["data"]["key"] == "data"
    assert found["disk"]["verdict"] in ("works", "note")


def test_french() -> None:
    """The findings are told in French when that is asked for."""
    result = subprocess.run(
        [*POLYPHONY, "doctor", "--sip", f"127.0.0.1:{free_port()}", "--language", "fr"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert "Rien n'écoute" in result.stdout
    assert "ne fonctionnent pas" in result.stdout


def test_rtp_ports_taken() -> None:
    """A range that somebody holds is told."""
    first = free_port(pair=True)
    with contextlib.ExitStack() as stack:
        assert environment.ports(first, first + 3).key == "ports"
        for port in (first, first + 2):
            held = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            held.bind(("0.0.0.0", port))
        assert environment.ports(first, first + 3).verdict is Verdict.FAILS


def test_full_disk_and_wrong_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Little room is a note, hardly any a failure; a clock before this version was made is a failure."""
    import shutil
    import time

    usage = shutil.disk_usage(tmp_path)
    tmp_path.chmod(0o700)
    for free, verdict in [(500 << 20, Verdict.NOTE), (1 << 20, Verdict.FAILS)]:
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        assert list(environment.data_directory(tmp_path))[-1].verdict is verdict
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2001, 1, 1, 0, 0, 0, 0, 1, 0)))
    assert environment.clock().key == "clock_wrong"


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("sip:127.0.0.1:5060;transport=udp", Server("127.0.0.1", 5060, "udp")),
        ("sip:0.0.0.0:5060;transport=TCP", Server("127.0.0.1", 5060, "tcp")),
        ("sip:[::]:5061;transport=tls", Server("::1", 5061, "tls")),
        ("sips:192.0.2.1:5061", Server("192.0.2.1", 5061, "tls")),
        ("sip:192.0.2.1:5060", Server("192.0.2.1", 5060, "udp")),
        ("sip:192.0.2.1", None),
        ("http://127.0.0.1:80", None),
        ("sip:192.0.2.1:5060;transport=ws", None),
    ],
)
def test_listening_addresses(uri: str, server: Server | None) -> None:
    """The engine's listening URIs become addresses reachable from here."""
    assert server_of(uri) == server


def test_our_own_address() -> None:
    """Packets to loopback leave from loopback; to a name that does not exist, from nowhere."""
    assert local_address("127.0.0.1", 5060) == "127.0.0.1"
    assert local_address("host.invalid", 5060) == ""


def test_the_spoken_digits_are_told_apart() -> None:
    """Each shipped digit resembles itself most, so a mistaken one would be noticed."""
    words = spoken_digits()
    assert len(words) >= 20
    for name, spoken in words.items():
        scores = {other: sound.correlate(spoken, words[other]).score for other in words if other != name}
        assert max(scores.values()) < 0.7, (name, max(scores, key=lambda other: scores[other]))


@pytest.mark.slow
def test_a_running_engine(tmp_path: Path) -> None:
    """A fresh engine passes on every count, as a stranger and as a line, whose wrong password is told."""
    with Engine(tmp_path, migrated=False) as engine:
        engine.add_line("1001", "a-long-password")
        found = doctor("--data", str(engine.data), status=0)
        assert found["engine"]["key"] == "engine"
        assert found["audio"]["key"] == "echo_heard"
        assert found["announcement"]["key"] == "announcement_heard"
        assert found["dtmf_rfc4733"]["key"] == found["dtmf_info"]["key"] == "digit_recognised"
        line = ["--user", "1001", "--password-file", engine.password_file("a-long-password")]
        place = ["--sip", engine.ready.address("tls"), "--transport", "tls"]
        found = doctor(*place, *line, status=0)
        assert found["registration"]["key"] == "registered"
        assert "TLS" in found["audio"]["text"]
        line[-1] = engine.password_file("another")
        assert doctor(*place, *line, status=1)["registration"]["key"] == "registration_denied"


@pytest.mark.slow
def test_an_engine_that_does_not_accept_us(tmp_path: Path) -> None:
    """A stranger whose address is not accepted is told to use a password or to be declared."""
    with Engine(tmp_path, {"sip.accept_from": '["192.0.2.0/24"]'}) as engine:
        found = doctor("--data", str(engine.data), status=1)
        assert found["listening"]["key"] == "listening"
        assert found["signalling"]["key"] in ("forbidden", "needs_password")
