"""The 49 messages of RFC 4475 sent to a running engine, over UDP and over TCP.

The sender is on loopback, whose calls are taken without a password; none of the numbers called is ours. What
RFC 4475 leaves to the user agent is therefore settled: a call ends with 404, a REGISTER is asked for a
password, whatever else is in it.
"""

from __future__ import annotations

import re
import select
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.interop.engine_process import Engine
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone, ask_over_tcp, place
from tests.sip.torture_table import TABLE, Torture

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

_STATUS = re.compile(rb"^SIP/2\.0 (\d{3}) ", re.MULTILINE)
SILENCE = 0.15
"""Seconds without an answer that mean none; every answer here takes a few milliseconds."""

ROUTED = {
    name: status
    for status, names in {
        200: "lwsdisp semiuri transports badbranch zeromf",
        400: "mismatch02",
        401: "escnull dblreq unksm2 regaut01 cparam01 cparam02 regescrt",
        404: "esc01 longreq baddate inv2543",
        405: "intmeth esc02 mpart01",
        406: "sdp01",
        481: "wsinv",  # its To has a tag, of no dialog of ours
    }.items()
    for name in names.split()
}
"""Where RFC 4475 allows several answers, the one that our routing, our admission or our methods make of it."""

IN_A_STREAM: dict[str, tuple[set[int] | None, bool, str]] = {
    "clerr": (None, False, "the rest of the body may still come"),
    "ncl": ({400}, True, "the end cannot be found"),
    "mcl01": ({400}, True, "the end cannot be found"),
    "inv2543": ({400}, True, "without Content-Length the end cannot be found"),
    "dblreq": ({401, 400}, False, "the second request is one of its own here, an INVITE without Contact"),
}
"""What differs on a stream: the answers (None: none), whether the connection is closed, and why."""


def expected(torture: Torture) -> set[int] | None:
    """The answers over UDP; None when there must be none."""
    if torture.statuses is None:
        return None
    if torture.name in ROUTED:
        assert ROUTED[torture.name] in torture.statuses, "RFC 4475 does not allow it"
        return {ROUTED[torture.name]}
    (only,) = torture.statuses
    return {only}


@pytest.fixture(scope="module", params=["udp", "tcp"])
def tried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, str]]:
    """An engine for each transport: a message that came over the other one would be a repetition."""
    with Engine(tmp_path_factory.mktemp("torture")) as engine:
        yield engine, request.param
        assert_no_exception(engine)


@pytest.mark.parametrize("torture", TABLE, ids=lambda torture: str(torture.name))
def test_message(tried: tuple[Engine, str], torture: Torture) -> None:
    """It is answered as RFC 4475 says; then the engine answers an OPTIONS over UDP and a new connection."""
    engine, transport = tried
    address = engine.ready.address("udp")
    if transport == "udp":
        found, closed = over_udp(address, torture.read(), expected(torture) is not None), False
        wanted, closes = expected(torture), False
    else:
        wanted, closes, _ = IN_A_STREAM.get(torture.name, (expected(torture), False, ""))
        found, closed = over_tcp(address, torture.read(), len(wanted or ()), closes)
    assert (found, closed) == (wanted or set(), closes)
    with WirePhone(address) as phone:
        assert phone.options().status == 200
    ask_over_tcp(address)


def test_nothing_is_left_of_them(tried: tuple[Engine, str]) -> None:
    """No call was begun, and no exception was met."""
    engine, _ = tried
    assert engine.status()["calls_total"] == 0
    assert_no_exception(engine)


def over_udp(address: str, data: bytes, answered: bool) -> set[int]:
    """The final answers to a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        sender.sendto(data, place(address))
        answers = _read(sender, 1 if answered else 0, closes=False)[0]
    return final(answers)


def over_tcp(address: str, data: bytes, answers: int, closes: bool) -> tuple[set[int], bool]:
    """The final answers on a connection, and whether the engine closed it."""
    with socket.create_connection(place(address)) as sender:
        sender.sendall(data)
        received, closed = _read(sender, answers, closes)
    return final(received), closed


def _read(sender: socket.socket, answers: int, closes: bool) -> tuple[bytes, bool]:
    """Read until all has come that is expected, and then a little longer."""
    received = b""
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        enough = len(final_list(received)) >= answers and not closes
        if not select.select([sender], [], [], SILENCE if enough else 3.0)[0]:
            return received, False
        data = sender.recv(65535)
        if not data:
            return received, True
        received += data
    return received, False


def final_list(received: bytes) -> list[int]:
    return [status for status in map(int, _STATUS.findall(received)) if status >= 200]


def final(received: bytes) -> set[int]:
    """The final statuses; each must have come once, or an answer was repeated that needs no repeating."""
    found = final_list(received)
    assert len(found) == len(set(found)), found
    return set(found)
