"""A meeting with phones on the wire, administered over HTTP: what is asked for is heard, listed and told."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.interop.ears import loudness
from tests.interop.engine_process import Engine
from tests.interop.meetings import PATIENCE, eventually
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

pytestmark = pytest.mark.slow

ROOM, ROOMS = "9050", "/api/v1/conferences"
LOW, HIGH = 500, 1300
LOUD_DB, QUIET_DB = -20.0, -40.0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(Path(tmp_path_factory.mktemp("engine"))) as running:
        yield running
        assert_no_exception(running)


class Administrator:
    """Asks over TCP, with the password of the first start."""

    def __init__(self, engine: Engine) -> None:
        (told,) = [line for line in engine.first_lines if "password" in line]
        token = base64.b64encode(f"admin:{told.split('the password ')[1].split()[0]}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._netloc = urlsplit(engine.ready.api).netloc

    def request(self, method: str, path: str, value: object = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._netloc, timeout=PATIENCE)
        body = None if value is None else json.dumps(value).encode()
        connection.request(method, path, body, self._headers)
        return connection.getresponse()

    def ask(self, method: str, path: str, value: object = None) -> Any:
        with self.request(method, path, value) as answer:
            data = answer.read()
            assert answer.status < 300, data
            return json.loads(data) if data else None

    def act(self, verb: str, **values: object) -> Any:
        return self.ask("POST", f"{ROOMS}/{ROOM}/live/{verb}", values)


def next_event(stream: http.client.HTTPResponse, *kinds: str) -> Any:
    """The next event of one of these kinds."""
    while line := stream.readline():
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            if event["kind"] in kinds:
                return event
    raise AssertionError("the stream is over")


def heard(voice: Voice, tone: int, *, loud: bool) -> None:
    eventually(
        lambda: loudness(voice, tone) > LOUD_DB if loud else loudness(voice, tone) < QUIET_DB,
        lambda: f"{tone} Hz is at {loudness(voice, tone):.0f} dB",
    )


def test_muted_told_unmuted_expelled(engine: Engine) -> None:
    """A room made over HTTP answers at once; each verb is heard by the other phone, and told with who did it."""
    administrator = Administrator(engine)
    with WirePhone(engine.ready.address(), user="301") as phone:
        assert phone.call(ROOM).status == 404
    administrator.ask("POST", ROOMS, {"number": ROOM, "name": "By HTTP", "music": False})
    stream = administrator.request("GET", f"{ROOMS}/{ROOM}/events")
    with (
        stream,
        WirePhone(engine.ready.address(), user="301") as one,
        WirePhone(engine.ready.address(), user="302") as other,
    ):
        assert one.call(ROOM).status == 200
        with Voice(one, LOW):
            muted = next_event(stream, "entered")["participant"]
            assert other.call(ROOM).status == 200
            with Voice(other, HIGH) as ear:
                assert next_event(stream, "entered")["participant"] != muted
                heard(ear, LOW, loud=True)
                eventually(lambda: muted in administrator.ask("GET", f"{ROOMS}/live")[0]["talking"], "talks")

                administrator.act("mute", participant=muted)
                told = next_event(stream, "muted")
                assert (told["participant"], told["actor"]) == (muted, "admin")
                heard(ear, LOW, loud=False)
                first, _ = administrator.ask("GET", f"{ROOMS}/{ROOM}/live")["participants"]
                assert (first["id"], first["muted_by_host"], first["number"]) == (muted, True, "301")

                administrator.act("unmute", participant=muted)
                assert next_event(stream, "unmuted")["participant"] == muted
                heard(ear, LOW, loud=True)

                administrator.act("expel", participant=muted)
                left = next_event(stream, "left")
                assert (left["participant"], left["details"]["reason"]) == (muted, "expelled")
                one.listen(PATIENCE)
                assert one.ended_by_engine is not None
                heard(ear, LOW, loud=False)
            administrator.act("end")
            assert next_event(stream, "closed")["details"]["reason"] == "ended"
            other.listen(PATIENCE)
            assert other.ended_by_engine is not None
    administrator.ask("DELETE", f"{ROOMS}/{ROOM}")
    with WirePhone(engine.ready.address(), user="301") as phone:
        assert phone.call(ROOM).status == 404
