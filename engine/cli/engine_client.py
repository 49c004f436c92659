"""How a command talks to the engine running on its data directory: HTTP over the engine's Unix socket."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from engine.data_directory import DataDirectory

TIMEOUT = 5.0
"""Seconds; the engine answers from memory."""


class EngineNotRunning(Exception):
    """Nobody answers on the socket of this data directory."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def read(data: DataDirectory, path: str) -> Any:
    """GET ``/api/v1/PATH`` of the running engine, decoded.

    Raises:
        EngineNotRunning: no engine answers there.
    """
    status, body = request(data, "GET", path)
    if status != HTTPStatus.OK:
        raise EngineNotRunning(f"{data.root}: {status} {HTTPStatus(status).phrase}")
    return body


def request(data: DataDirectory, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Ask ``/api/v1/PATH`` of the running engine for something; the status and the decoded answer, {} for none.

    Text is answered as it is.

    Raises:
        EngineNotRunning: no engine answers there.
    """
    connection = _UnixConnection(data.socket)
    content = None if body is None else msgspec.json.encode(body)
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        connection.request(method, f"/api/v1/{path}", content, headers)
        answer = connection.getresponse()
        told = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise EngineNotRunning(str(data.root)) from error
    finally:
        connection.close()
    kind = answer.headers.get_content_type()
    if kind.startswith("text/"):
        return answer.status, told.decode()
    return answer.status, msgspec.json.decode(told) if told else {}


def tell_to_reload(data: DataDirectory) -> bool:
    """Have the running engine read its store and configuration again; False when none runs."""
    pid = data.running_pid()
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:  # it has ended just now
        return False
    return True
