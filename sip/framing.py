"""Cut a byte stream into SIP messages (RFC 3261 section 18.3) and keep-alives (RFC 5626 section 4.4.1).

The framer looks at nothing but the end of the header block and Content-Length. When those leave any doubt
where the next message begins, it reports ``Bad`` and reads no further: what follows could be a request hidden
in a body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sip.errors import ParseError
from sip.grammar import parse_integer
from sip.message import MAX_BODY, MAX_HEAD, parse_message

HEAD_SECONDS = 10.0  # for a header block, from its first byte
BODY_SECONDS = 30.0  # for a body, from the end of its header block
SILENCE_SECONDS = 30.0  # for the first byte of a connection

_END = b"\r\n\r\n"
_CONTENT_LENGTH = frozenset({b"content-length", b"l"})


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole message, for ``parse_message(data, stream=True)``."""

    data: bytes


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """A keep-alive between messages: answer a "ping" with one CRLF."""

    kind: Literal["ping", "pong"]


@dataclass(frozen=True, slots=True)
class Bad:
    """The stream cannot be followed any more: answer when ``error.message`` is there, then close."""

    error: ParseError


Output = Frame | KeepAlive | Bad


class StreamFramer:
    """Frames one connection. Does no I/O: after each call take the outputs and arm one timer at ``deadline``.

    Args:
        now: when the connection came up.
        accepted: the peer opened it, so a lone CRLF is padding and two are its ping; on a connection of ours
            a CRLF is the peer's pong.
    """

    def __init__(self, now: float, *, accepted: bool = True) -> None:
        self._accepted = accepted
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer known not to hold the end of the header block
        self._needed = 0  # length of the whole message once its header block is there
        self._lone_crlf = False
        self._closed = False
        self._outputs: list[Output] = []
        self.deadline: float | None = now + SILENCE_SECONDS

    def take_outputs(self) -> list[Output]:
        """Return what happened since the last call, in order."""
        outputs, self._outputs = self._outputs, []
        return outputs

    @property
    def pending(self) -> int:
        """Bytes held of a message that is not complete."""
        return len(self._buffer)

    @property
    def closed(self) -> bool:
        """Whether ``Bad`` was reported; further bytes are ignored."""
        return self._closed

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of any number of messages, or of a part of one."""
        if self._closed or not data:
            return
        begun = bool(self._buffer)
        self._buffer += data
        while self._buffer:
            if not self._needed:
                self._take_keep_alives()
                if not self._buffer:
                    break
                if not begun:
                    self.deadline = now + HEAD_SECONDS
                    begun = True
                if self._buffer == b"\r" or not self._find_head(now):
                    return  # a lone CR may become a keep-alive
            if len(self._buffer) < self._needed:
                return
            self._take_frame()
            begun = False
        self.deadline = None

    def handle_timer(self, now: float) -> None:
        """Give up on a peer that is too slow."""
        if self.deadline is None or now < self.deadline:
            return
        label = "slow_body" if self._needed else "slow_head" if self._buffer else "silence"
        self._fail(ParseError(label, "the peer took too long"))

    def _take_keep_alives(self) -> None:
        """Take the CRLFs before a message; a CR whose LF has not come stays."""
        if self._searched:
            return  # within a header block
        at = 0
        while self._buffer.startswith(b"\r\n", at):
            at += 2
            if not self._accepted:
                self._outputs.append(KeepAlive("pong"))
            elif self._lone_crlf:
                self._outputs.append(KeepAlive("ping"))
            self._lone_crlf = self._accepted and not self._lone_crlf
        del self._buffer[:at]
        if self._buffer and self._buffer != b"\r":
            self._lone_crlf = False

    def _find_head(self, now: float) -> bool:
        """Look for the end of the header block and learn how long the message is."""
        end = self._buffer.find(_END, max(0, self._searched - 3))
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_HEAD:
                self._refuse(
                    self._searched, ParseError("head_length", f"more than {MAX_HEAD} bytes", status=513)
                )
            return False
        length = end + len(_END)
        try:
            self._needed = length + _read_content_length(bytes(self._buffer[:end]))
        except ParseError as error:
            self._refuse(length, error)
            return False
        if len(self._buffer) < self._needed:
            self.deadline = now + BODY_SECONDS
        return True

    def _take_frame(self) -> None:
        self._outputs.append(Frame(bytes(self._buffer[: self._needed])))
        del self._buffer[: self._needed]
        self._needed = self._searched = 0

    def _refuse(self, length: int, error: ParseError) -> None:
        """Report an error of the frame, with the request to answer when its header block can be read."""
        try:
            parse_message(bytes(self._buffer[:length]), stream=True)
        except ParseError as read:
            error.message = read.message
        self._fail(error)

    def _fail(self, error: ParseError) -> None:
        self._closed = True
        self.deadline = None
        self._buffer.clear()
        self._outputs.append(Bad(error))


def _read_content_length(head: bytes) -> int:
    """Return the one Content-Length of a header block; the parser checks later that it reads the same."""
    found = None
    if len(head) > MAX_HEAD:
        raise ParseError("head_length", f"more than {MAX_HEAD} bytes", status=513)
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.rstrip(b" \t").lower() in _CONTENT_LENGTH:
            if found is not None:
                raise ParseError("repeated_content-length", "this header may be there once")
            found = parse_integer(value.strip(b" \t").decode("latin-1"), 2**32 - 1, "content_length")
    if found is None:
        raise ParseError("missing_content-length", "a stream needs it to find the next message")
    if found > MAX_BODY:
        raise ParseError("body_length", f"more than {MAX_BODY} bytes", status=413)
    return found
