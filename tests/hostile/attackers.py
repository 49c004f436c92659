"""Attackers of a running engine. Each runs in a process of its own, so that it does not slow the honest phones down.

``attacking(...)`` starts one and gives what it counted; every loop here has an end.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import secrets
import select
import socket
import time
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING

from tests.hostile.sip_messages import MAX_SIZE, hostile_messages
from tests.interop.wire_phone import Place, place
from tests.interop.wire_sound import rtp, tone_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

STRANGER_TONE = 1100
"""Hz; no harmonic of what the honest phones say."""
A_STREAM = 8
"""Messages sent on one connection, unless the engine closes it before."""


@contextlib.contextmanager
def attacking(attack: Callable[..., Any], *arguments: object) -> Iterator[Future[Any]]:
    """Run an attack in another process meanwhile; at the end it is waited for, and its errors are raised here."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        running = process.submit(attack, *arguments)
        yield running
        running.result()


class Pace:
    """Holds a sender to a rate: ``wait`` before each message."""

    def __init__(self, per_second: float) -> None:
        self._every = 1 / per_second
        self._next = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        if self._next > now + 0.002:
            time.sleep(self._next - now)
        elif self._next < now - 0.1:
            self._next = now  # do not make up for a pause by a burst
        self._next += self._every


def fresh(data: bytes, number: int) -> bytes:
    """The message as one of its own, not the repetition of an earlier one, and its peers on loopback."""
    data = data.replace(b"192.0.2.9", b"127.0.0.9").replace(b"-84b4c76e66710", b"-%013x" % number)
    return data.replace(b"branch=z9hG4bK", b"branch=z9hG4bK%x." % number)[:MAX_SIZE]


def send_datagrams(engine: str, seed: int, count: int, per_second: float) -> int:
    """Hostile messages over UDP; the number of answers."""
    answers = 0
    pace = Pace(per_second)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        sender.setblocking(False)
        for number, data in enumerate(hostile_messages(seed, count), seed << 32):
            pace.wait()
            with contextlib.suppress(BlockingIOError):
                sender.sendto(fresh(data, number), place(engine))
            answers += _drain(sender)
    return answers


def _drain(reader: socket.socket) -> int:
    """Read what has come; how often there was something."""
    found = 0
    with contextlib.suppress(BlockingIOError, ConnectionError):
        while reader.recv(65535):
            found += 1
    return found


def send_streams(engine: str, seed: int, count: int, per_second: float) -> int:
    """Hostile messages over TCP, a few on each connection; the number of connections."""
    connections = 0
    pace = Pace(per_second)
    messages = enumerate(hostile_messages(seed, count), seed << 32)
    left = count
    while left:
        connections += 1
        with socket.create_connection(place(engine), 5) as connection:
            connection.setblocking(False)
            for _ in range(min(A_STREAM, left)):
                number, data = next(messages)
                left -= 1
                pace.wait()
                if not _write(connection, fresh(data, number)):
                    break
    return connections


def _write(connection: socket.socket, data: bytes) -> bool:
    """Write and read what comes back; False when the engine has closed."""
    end = time.monotonic() + 2
    while data and time.monotonic() < end:
        readable, _, _ = select.select([connection], [connection], [], 1)
        try:
            if readable and not connection.recv(65535):
                return False
            data = data[connection.send(data) :]
        except BlockingIOError:
            continue
        except ConnectionError:
            return False
    return not data


def flood_with_registers(engine: str, host: str, per_second: int, seconds: float) -> tuple[int, int, int]:
    """REGISTERs that cannot succeed, from one address; messages sent, answers, and octets answered per octet sent in %.

    Ten in a burst, since no clock sleeps 50 microseconds.
    """
    sent = answers = octets_sent = octets_heard = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((host, 0))
        sender.setblocking(False)
        pace = Pace(per_second / 10)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pace.wait()
            for _ in range(10):
                data = register(host, sent)
                sender.sendto(data, place(engine))
                sent += 1
                octets_sent += len(data)
            with contextlib.suppress(BlockingIOError):
                while answer := sender.recv(65535):
                    answers += 1
                    octets_heard += len(answer)
    return sent, answers, 100 * octets_heard // max(1, octets_sent)


def register(host: str, number: int) -> bytes:
    """A REGISTER with credentials out of thin air."""
    return (
        "REGISTER sip:polyphony SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host};rport;branch=z9hG4bKflood{number}\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:200@polyphony>;tag={number}\r\n"
        "To: <sip:200@polyphony>\r\n"
        f"Call-ID: flood-{number}\r\n"
        f"CSeq: {number + 1} REGISTER\r\n"
        f"Contact: <sip:200@{host}>\r\n"
        'Authorization: Digest username="200", realm="polyphony", nonce="guess", uri="sip:polyphony", '
        'response="00000000000000000000000000000000"\r\n'
        "Content-Length: 0\r\n\r\n"
    ).encode()


def speak_as_stranger(leg: Place, hosts: list[str], seconds: float, per_second: float = 50) -> int:
    """A loud tone to a leg's RTP port, and garbage to RTCP, from several addresses; how often anything came back."""
    frames = tone_frames(STRANGER_TONE)
    with contextlib.ExitStack() as stack:
        senders = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in hosts]
        for sender, host in zip(senders, hosts, strict=True):
            sender.bind((host, 0))
            sender.setblocking(False)
        names = [secrets.randbits(32) for _ in hosts]
        pace, heard, number = Pace(per_second), 0, 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pace.wait()
            for sender, ssrc in zip(senders, names, strict=True):
                with contextlib.suppress(ConnectionError, BlockingIOError):
                    sender.sendto(rtp(number, ssrc, frames[number % 5]), leg)
                    sender.sendto(goodbye(ssrc), (leg[0], leg[1] + 1))
                heard += _drain(sender)
            number += 1
    return heard


def goodbye(ssrc: int) -> bytes:
    """An empty receiver report and a BYE for that source (RFC 3550 section 6.6)."""
    return (
        bytes.fromhex("80c90001")
        + ssrc.to_bytes(4, "big")
        + bytes.fromhex("81cb0001")
        + ssrc.to_bytes(4, "big")
    )


def flood_with_rtp(source: Place, leg: Place, per_second: int, seconds: float) -> tuple[int, int]:
    """From the honest address itself, so that the kernel lets it through; packets sent, and packets that came."""
    frames = tone_frames(STRANGER_TONE)
    sent = heard = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(source)
        sender.setblocking(False)
        pace = Pace(per_second / 20)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pace.wait()
            for _ in range(20):
                sender.sendto(rtp(sent, 1, frames[sent % 5]), leg)
                sent += 1
            heard += _drain(sender)
    return sent, heard
