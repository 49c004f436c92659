"""A WebSocket client on a blocking socket, as a program that follows events would be."""

from __future__ import annotations

import json
import socket
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)


class SocketReader:
    """Follows events; ``status`` is 101, or what it was refused with; ``closed`` the code it was closed with."""

    def __init__(self, connection: socket.socket, target: str, headers: list[tuple[bytes, bytes]]) -> None:
        self.status: int | None = None
        self.closed: int | None = None
        self.reason = ""
        self.pings = 0
        self._socket = connection
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._texts: list[str] = []
        self._text_begun = ""
        self._socket.settimeout(20)
        self.send(Request(host="127.0.0.1", target=target, extra_headers=headers))
        while self.status is None:
            self._receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def send(self, message: Any) -> None:
        """A message, or any other event of wsproto."""
        self._socket.sendall(self._frames.send(message))

    def raw(self, data: bytes) -> None:
        """Octets that are no frame."""
        self._socket.sendall(data)

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next so many; fewer when it is closed before."""
        while len(self._texts) < count and self.closed is None:
            self._receive()
        texts, self._texts = self._texts[:count], self._texts[count:]
        return [json.loads(each) for each in texts]

    def wait_closed(self) -> int | None:
        """Until the other side has hung up; with which code."""
        while self.closed is None:
            self._receive()
        return self.closed

    def _receive(self) -> None:
        data = self._socket.recv(65_536)
        self._frames.receive_data(data or None)
        for event in self._frames.events():
            match event:
                case AcceptConnection():
                    self.status = 101
                case RejectConnection():
                    self.status = event.status_code
                case Ping():
                    self.pings += 1
                    self.send(event.response())
                case TextMessage():
                    self._text(event)
                case CloseConnection():
                    self.closed, self.reason = event.code, event.reason or ""
        if not data:
            self.closed = self.closed or 1006

    def _text(self, event: Message[str]) -> None:
        self._text_begun += str(event.data)  # a part, where octets of the rest have not come yet
        if event.message_finished:
            self._texts.append(self._text_begun)
            self._text_begun = ""
