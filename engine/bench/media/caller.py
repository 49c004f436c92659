"""The calls of the load generator: a SIP user agent client over UDP (RFC 3261) that knows just enough to hold a call.

It is driven by ``poll``, has no timers of its own and keeps no threads: the generator's loop also sends the sound.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.bench.engine_under_test import BenchError
from sip.errors import SipError
from sip.message import Request, Response, parse_message
from sip.sdp import MediaSection, SessionDescription

T1 = 0.5
MOST_TRANSMISSIONS = 7
ANSWER_SECONDS = 20.0


@dataclass(slots=True, eq=False)
class Call:
    """One call: what was asked for, and how far it is. Times are seconds of the monotonic clock."""

    index: int
    number: str
    describe: Callable[[], str]
    call_id: str
    began: float
    transmissions: int = 1
    status: int = 0
    provisional: bool = False
    to: str = ""
    target: str = ""
    routes: tuple[str, ...] = ()
    setup: float = 0.0
    description: SessionDescription | None = None
    ended: bool = False
    dropped: bool = False
    """The server hung up."""
    leaving: bool = False
    """Hung up by us; where the call was not answered yet the BYE follows its answer."""
    over: bool = False
    """Nothing more is to be said."""
    byes: int = 0
    bye_sent: float = 0.0
    moves: int = 0
    """How often the server has described its side anew."""

    @property
    def up(self) -> bool:
        """Answered, and not over."""
        return 200 <= self.status < 300 and not self.ended

    @property
    def audio(self) -> MediaSection | None:
        """The audio section of the answer, unless it was refused."""
        media = () if self.description is None else self.description.media
        return next((each for each in media if each.kind == "audio" and each.port), None)

    @property
    def media_address(self) -> tuple[str, int] | None:
        """Where the server wants the sound."""
        section = self.audio
        if section is None or self.description is None:
            return None
        host = self.description.host_of(section)
        return None if host is None else (host, section.port)


@dataclass(slots=True)
class Caller:
    """All calls of one generator, from one signalling socket. ``server`` is a host and a UDP port."""

    server: tuple[str, int]
    answers: Counter[int] = field(default_factory=Counter)
    calls: dict[str, Call] = field(default_factory=dict)
    _tag: str = field(default_factory=lambda: secrets.token_hex(4))
    _socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    _here: tuple[str, int] = ("", 0)
    _placed: int = 0

    def __post_init__(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(self.server)
            host = probe.getsockname()[0]
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self._here = self._socket.getsockname()

    @property
    def host(self) -> str:
        """Our address, as the server sees it."""
        return self._here[0]

    @property
    def unanswered(self) -> int:
        """Calls that wait for their final answer."""
        return sum(call.status == 0 for call in self.calls.values())

    def place(self, index: int, number: str, describe: Callable[[], str]) -> Call:
        """Call ``number``, offering what ``describe`` returns."""
        self._placed += 1
        call = Call(index, number, describe, f"{self._tag}-{self._placed}@bench", time.monotonic())
        self.calls[call.call_id] = call
        self._send(self._request(call, "INVITE", 1, describe()))
        return call

    def hang_up(self, call: Call) -> None:
        """End a call; when that is acknowledged it is ``over`` and off the list."""
        call.leaving = True
        if call.up:
            call.ended = True
            self._say_bye(call)
        elif call.ended:
            self._forget(call)

    def _say_bye(self, call: Call) -> None:
        call.byes, call.bye_sent = call.byes + 1, time.monotonic()
        self._send(self._request(call, "BYE", 2))

    def _forget(self, call: Call) -> None:
        call.over = True
        self.calls.pop(call.call_id, None)

    def retransmit(self, now: float) -> None:
        """Repeat what was not answered (timers A and E, RFC 3261 section 17.1); give up after a while."""
        for call in list(self.calls.values()):
            if call.byes:
                self._repeat_bye(call, now)
            elif not call.status and not call.provisional:
                self._repeat_invite(call, now)

    def _repeat_bye(self, call: Call, now: float) -> None:
        if now - call.bye_sent > T1 * (1 << call.byes - 1):
            if call.byes < MOST_TRANSMISSIONS:
                self._say_bye(call)
            else:
                self._forget(call)

    def _repeat_invite(self, call: Call, now: float) -> None:
        if now - call.began > ANSWER_SECONDS:
            call.status, call.ended = 408, True
            self.answers[408] += 1
            if call.leaving:
                self._forget(call)
        elif (
            call.transmissions < MOST_TRANSMISSIONS and now - call.began > T1 * (1 << call.transmissions) - T1
        ):
            call.transmissions += 1
            self._send(self._request(call, "INVITE", 1, call.describe()))

    def poll(self) -> Iterator[Call]:
        """Take what has come; the calls that just got their final answer."""
        while True:
            try:
                data = self._socket.recv(65535)
            except BlockingIOError:
                return
            except ConnectionRefusedError as error:
                raise BenchError(f"nothing listens on {self.server[0]}:{self.server[1]}") from error
            try:
                message = parse_message(data)
            except SipError:
                continue
            if isinstance(message, Request):
                self._requested(message)
                continue
            call = self._answered(message)
            if call is not None:
                yield call

    def close(self) -> None:
        """Shut the signalling socket."""
        self._socket.close()

    def _answered(self, response: Response) -> Call | None:
        call = self.calls.get(response.headers.get("Call-ID") or "")
        if call is None:
            return None
        if (response.headers.get("CSeq") or "").endswith("BYE") and response.status >= 200:
            self._forget(call)
        if not (response.headers.get("CSeq") or "").endswith("INVITE"):
            return None
        if response.status < 200:
            call.provisional = True
            return None
        call.to = response.headers.get("To") or ""
        if response.status < 300:
            contact = response.headers.get("Contact") or ""
            call.target = contact.partition("<")[2].partition(">")[0] or contact.partition(";")[0]
            call.routes = tuple(reversed(response.headers.get_all("Record-Route")))
        first = call.status == 0
        call.status = response.status
        self._send(self._request(call, "ACK", 1, branch="ACK" if response.status < 300 else "INVITE"))
        if not first:
            return None
        call.setup = time.monotonic() - call.began
        self.answers[call.status] += 1
        call.ended = call.status >= 300
        if call.leaving:
            self.hang_up(call)
            return None
        if response.body and not call.ended:
            call.description = SessionDescription.parse(response.body)
        return call

    def _requested(self, request: Request) -> None:
        """What the server asks of us: BYE ends the call, a re-INVITE is answered as the first one was offered."""
        if request.method == "ACK":
            return
        call = self.calls.get(request.headers.get("Call-ID") or "")
        status, body = (200, "") if call is not None else (481, "")
        if call is not None and request.method == "BYE":
            call.dropped = call.dropped or not call.ended
            call.ended = True
        elif call is not None and request.method == "INVITE":
            body = call.describe()
            if request.body:
                call.description = SessionDescription.parse(request.body)
                call.moves += 1
        lines = [f"SIP/2.0 {status} {'OK' if status == 200 else 'Gone'}"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            lines += [f"{name}: {value}" for value in request.headers.get_all(name)]
        if body:
            lines.append(f"Contact: <sip:bench@{self._here[0]}:{self._here[1]}>")
        self._send("\r\n".join(lines + _content(body)))

    def _request(self, call: Call, method: str, cseq: int, body: str = "", branch: str = "") -> str:
        """``branch``: the method whose transaction this belongs to; an ACK to a refusal is the INVITE's."""
        host, port = self._here
        uri = f"sip:{call.number}@{self.server[0]}:{self.server[1]}"
        lines = [
            f"{method} {call.target or uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{call.call_id.partition('@')[0]}{branch or method}",
            "Max-Forwards: 70",
            *[f"Route: {route}" for route in call.routes],
            f"From: <sip:bench{call.index}@{host}:{port}>;tag={call.call_id.partition('@')[0]}",
            f"To: {call.to or f'<{uri}>'}",
            f"Call-ID: {call.call_id}",
            f"CSeq: {cseq} {method}",
        ]
        if method == "INVITE":
            lines.append(f"Contact: <sip:bench{call.index}@{host}:{port}>")
        return "\r\n".join(lines + _content(body))

    def _send(self, message: str) -> None:
        try:
            self._socket.sendto(message.encode(), self.server)
        except OSError:
            return  # lost, as on any network: it is sent again


def _content(body: str) -> list[str]:
    """The last header lines and the body."""
    kind = ["Content-Type: application/sdp"] if body else []
    return [*kind, f"Content-Length: {len(body)}", "", body]
