"""A call is over: how it sounded is in the store and in the metrics."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.store import Store
from tests.interop.engine_process import Engine
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.store import CallRecord

pytestmark = pytest.mark.slow

STORED = 8.0
"""Seconds after a call within which its record is in the store."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as running:
        yield running


def metrics(engine: Engine) -> str:
    """What Prometheus would read, over the local socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(engine.data / "engine.sock"))
        connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def stored(engine: Engine) -> list[CallRecord]:
    """The calls the engine has kept, once there is one."""
    end = time.monotonic() + STORED
    while True:
        store = Store(f"sqlite:///{engine.data / 'store.sqlite3'}")
        store.open()
        found = store.calls.all()
        store.close()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def test_a_call_is_kept_with_how_it_sounded(engine: Engine) -> None:
    """A clean call of three seconds rates 4.4; a call that is refused is none."""
    with WirePhone(engine.ready.address(), user="tester") as phone:
        assert phone.call("nobody").status == 404
        assert phone.call("5000").status == 200
        with Voice(phone):
            time.sleep(3)
        assert phone.hang_up().status == 200
    (call,) = stored(engine)
    assert (call.number, call.direction, call.codec) == ("tester", "in", "PCMU")
    assert 2.5 < call.seconds < 6
    assert 100 < call.packets_received < 160
    assert call.lost == 0
    assert call.mos_average is not None
    assert call.mos_average > 4.2
    text = metrics(engine)
    assert 'polyphony_calls_ended_total{codec="PCMU",direction="in"} 1.0' in text
    assert "polyphony_call_mos_count 1.0" in text
