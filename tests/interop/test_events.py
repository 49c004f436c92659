"""A running engine's events: nothing acknowledged is lost by kill -9, and nobody gets anything twice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.admin_api.socket_reader import SocketReader
from tests.interop.engine_process import Engine

pytestmark = pytest.mark.slow
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
WAIT = 60.0


class Receiver:
    """A webhook's receiver, which can be down."""

    def __init__(self) -> None:
        self.up = False
        self.got: list[int] = []
        self.unsigned = 0
        self.refused = 0
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(outer.take(self.headers, body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as it is called
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server.server_port}/hook"

    def take(self, headers: Message, body: bytes) -> int:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        proof = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        with self.changed:
            self.unsigned += headers["webhook-signature"] != f"v1,{proof}"
            if self.up:
                self.got += [each["sequence"] for each in json.loads(body)["events"]]
            else:
                self.refused += 1
            self.changed.notify_all()
        return 204 if self.up else 503

    def wait(self, last: int) -> list[int]:
        with self.changed:
            assert self.changed.wait_for(lambda: bool(self.got) and self.got[-1] >= last, WAIT), self.got
            return list(self.got)


def connected(engine: Engine) -> socket.socket:
    found = socket.socket(socket.AF_UNIX)
    found.connect(str(engine.data / "engine.sock"))
    return found


def ask(engine: Engine, method: str, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = connected(engine)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, text
    return json.loads(text) if text else None


def follow(engine: Engine, after: int) -> SocketReader:
    return SocketReader(connected(engine), f"/api/v1/events/socket?after={after}", [])


def test_kill_and_a_receiver_that_is_down(tmp_path: Path) -> None:
    """What was acknowledged is in the log; a reader goes on from its cursor, a webhook from its own, in order."""
    receiver = Receiver()
    allowed = {"events.webhook_networks": '["127.0.0.0/8", "::1/128"]', "events.webhook_plain": "true"}
    engine = Engine(tmp_path, allowed)
    engine.start()
    hook = ask(engine, "POST", "/webhooks", {"name": "CRM", "url": receiver.url, "secret": SECRET})
    added: list[str] = []

    def add(count: int) -> None:
        for _ in range(count):
            made = ask(engine, "POST", "/groups", {"name": f"group {len(added)}"})
            added.append(made["uid"])

    seen: list[dict[str, Any]] = []
    with follow(engine, 0) as reader:
        add(20)
        seen += reader.events(10)
        engine.kill()  # while the reader has not taken the rest
    engine.start()
    add(5)
    log = ask(engine, "GET", "/events?after=0&limit=1000")
    assert [each["sequence"] for each in log["events"]] == list(range(1, log["cursor"] + 1))
    assert [each["subject"] for each in log["events"] if each["kind"] == "groups.added"] == added
    with follow(engine, seen[-1]["sequence"]) as reader:
        seen += reader.events(log["cursor"] - seen[-1]["sequence"])
    assert seen == log["events"]
    with receiver.changed:
        assert receiver.changed.wait_for(lambda: receiver.refused > 0, WAIT)
        assert receiver.got == []
        receiver.up = True
    first = next(each["sequence"] for each in log["events"] if each["subject"] == hook["uid"])
    assert receiver.wait(log["cursor"]) == list(range(first, log["cursor"] + 1))
    assert receiver.unsigned == 0
    engine.stop()


def test_a_webhook_leads_to_no_private_address(tmp_path: Path) -> None:
    """Nothing is sent there, and whoever administers it is told why."""
    receiver = Receiver()
    receiver.up = True
    with Engine(tmp_path, {"events.webhook_plain": "true"}) as engine, follow(engine, 0) as reader:
        hook = ask(engine, "POST", "/webhooks", {"name": "CRM", "url": receiver.url, "secret": SECRET})
        assert reader.events(1)[0]["subject"] == hook["uid"]
        error = ""
        while not error:
            error = ask(engine, "GET", f"/webhooks/{hook['uid']}")["error"]
        assert "no public address" in error
        assert (receiver.got, receiver.refused) == ([], 0)
