"""A phone without a stack: it says exactly what a test wants said, and measures when it is answered.

One socket for SIP, one for RTP, both of one loopback address. It repeats a request until it is answered and
answers what the engine asks of it; nothing more, so that what a test sees is the engine's doing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sip.message import Request, Response, parse_message, response_to

if TYPE_CHECKING:
    from collections.abc import Iterable

T1 = 0.5
"""Seconds until a request over UDP is said again (RFC 3261 section 17.1.1.1); then twice that, and so on."""
_PARAMETER = re.compile(r'(\w+)="?([^",]*)"?')

Place = tuple[str, int]


def place(address: str) -> Place:
    """``host:port`` taken apart."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


@dataclass(frozen=True)
class Answer:
    """A final response, and how long the first response of any kind took."""

    message: Response
    seconds: float

    @property
    def status(self) -> int:
        return self.message.status


class NotAnswered(AssertionError):
    """The engine said nothing in time."""


@dataclass
class Dialog:
    """The call a phone is in."""

    call_id: str = field(default_factory=lambda: secrets.token_hex(8))
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    target: str = ""
    remote_tag: str = ""
    cseq: int = 0
    media: Place | None = None
    """Where the engine wants our RTP."""


class WirePhone:
    """One phone and at most one call. Not thread safe: each thread has its own."""

    def __init__(
        self,
        engine: str,
        *,
        host: str = "127.0.0.1",
        user: str = "tester",
        password: str = "",
        domain: str = "",
    ) -> None:
        """domain: the host of its addresses, and of the numbers it calls; empty: the engine's and its own."""
        self.engine = place(engine)
        self.domain = domain
        self.user = user
        self._password = password
        self._nonce_count = 0
        self.sip = _socket(host)
        self.rtp = _socket(host)
        self.dialog = Dialog()
        self.up = False
        self.answers = {"INVITE": 180}
        """What it says to a request of the engine: 200, but for these. So a phone that is called rings."""
        self.picks_up = False
        """Whether it answers a call instead."""
        self.ended_by_engine: float | None = None
        """When a BYE came (``time.monotonic``)."""
        self.asked: list[Request] = []
        """What the engine asked of us since our last call began, repetitions too."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.sip.close()
        self.rtp.close()

    # ---- what it says

    def options(self, timeout: float = 4.0) -> Answer:
        """A question outside of calls."""
        return self.ask("OPTIONS", self._uri(), Dialog(), timeout=timeout)

    def register(self, expires: int = 300) -> Answer:
        """Register, with the password."""
        dialog = Dialog()
        return self._with_password("REGISTER", self._uri(), dialog, (f"Expires: {expires}",))

    def call(self, number: str, timeout: float = 6.0) -> Answer:
        """Call, and acknowledge the answer; ``up`` says whether there is a call now."""
        self.dialog = dialog = Dialog(target=self._uri(number))
        self.ended_by_engine = None
        self.asked.clear()
        answer = self._with_password("INVITE", dialog.target, dialog, (), self._sdp(), timeout)
        if answer.status < 300:
            self._take_up(answer.message)
        return answer

    def _take_up(self, message: Response) -> None:
        dialog = self.dialog
        dialog.remote_tag = message.to_tag or ""
        dialog.target = str(message.contacts[0].uri)
        dialog.media = _media(message.body)
        self._send(self._request("ACK", dialog.target, dialog, cseq=message.cseq.number))
        self.up = True

    def _sdp(self) -> bytes:
        host, port = self.rtp.getsockname()[:2]
        family = "IP6" if ":" in host else "IP4"
        return (
            f"v=0\r\no=- 1 1 IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        ).encode()

    def press(self, keys: str) -> None:
        """Keys, each in an INFO request."""
        for key in keys:
            body = f"Signal={key}\r\nDuration=100\r\n".encode()
            kind = ("Content-Type: application/dtmf-relay",)
            assert self.ask("INFO", self.dialog.target, self.dialog, kind, body).status == 200

    def hang_up(self, timeout: float = 6.0) -> Answer:
        """BYE."""
        self.up = False
        return self.ask("BYE", self.dialog.target, self.dialog, timeout=timeout)

    def _with_password(
        self,
        method: str,
        uri: str,
        dialog: Dialog,
        headers: tuple[str, ...] = (),
        body: bytes = b"",
        timeout: float = 6.0,
    ) -> Answer:
        """Ask; when challenged, ask again with the password, if there is one. The time is the longer one's."""
        answer = self.ask(method, uri, dialog, headers, body, timeout)
        if answer.status != 401 or not self._password:
            return answer
        challenge = dict(_PARAMETER.findall(answer.message.headers.get_all("WWW-Authenticate")[0]))
        authorization = self._authorization(challenge, method, uri)
        again = self.ask(method, uri, dialog, (*headers, authorization), body, timeout)
        return Answer(again.message, max(answer.seconds, again.seconds))

    def _authorization(self, challenge: dict[str, str], method: str, uri: str) -> str:
        """Digest with qop=auth (RFC 7616 section 3.4.1)."""
        algorithm = challenge.get("algorithm", "MD5")
        digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
        realm, nonce, cnonce = challenge["realm"], challenge["nonce"], secrets.token_hex(4)

        def hashed(text: str) -> str:
            return digest(text.encode()).hexdigest()

        secret = hashed(f"{self.user}:{realm}:{self._password}")
        proof = hashed(f"{secret}:{nonce}:00000001:{cnonce}:auth:{hashed(f'{method}:{uri}')}")
        return (
            f'Authorization: Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{proof}", algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{cnonce}"'
        )

    def ask(
        self,
        method: str,
        uri: str,
        dialog: Dialog,
        headers: Iterable[str] = (),
        body: bytes = b"",
        timeout: float = 4.0,
    ) -> Answer:
        """Send a request, repeat it as RFC 3261 asks, and wait for the final response. Raises NotAnswered."""
        dialog.cseq += 1
        data = self._request(method, uri, dialog, headers, body)
        began = time.monotonic()
        first: float | None = None
        pause = T1
        repeat_at, end = began + pause, began + timeout
        self._send(data)
        while (now := time.monotonic()) < end:
            message = self._receive(min(end, repeat_at if first is None else end) - now)
            if message is None:
                if first is None and time.monotonic() >= repeat_at:
                    self._send(data)
                    pause = min(2 * pause, 4.0)
                    repeat_at += pause
                continue
            if message.call_id != dialog.call_id or message.cseq.number != dialog.cseq:
                continue
            if message.cseq.method != method:
                continue
            first = first if first is not None else time.monotonic() - began
            if message.status >= 200:
                if method == "INVITE" and message.status >= 300:
                    self._acknowledge_refusal(data, message)
                return Answer(message, first)
        raise NotAnswered(f"no answer to {method} in {timeout} s")

    def _acknowledge_refusal(self, invite: bytes, response: Response) -> None:
        """The ACK of a refusal has the branch of its INVITE (17.1.1.3)."""
        head = invite.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        lines = [head[0].replace("INVITE", "ACK", 1)]
        lines += [line for line in head[1:] if line.startswith(("Via", "From", "Call-ID", "Max-Forwards"))]
        lines += [
            f"To: {response.headers.get('To')}",
            f"CSeq: {response.cseq.number} ACK",
            "Content-Length: 0",
        ]
        self._send("\r\n".join([*lines, "", ""]).encode())

    def _request(
        self,
        method: str,
        uri: str,
        dialog: Dialog,
        headers: Iterable[str] = (),
        body: bytes = b"",
        cseq: int = 0,
    ) -> bytes:
        host, port = _own(self.sip)
        to = self._uri(self.user) if method == "REGISTER" else dialog.target or uri
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@{self.domain or host}>;tag={dialog.tag}",
            f"To: <{to}>" + (f";tag={dialog.remote_tag}" if dialog.remote_tag else ""),
            f"Call-ID: {dialog.call_id}",
            f"CSeq: {cseq or dialog.cseq} {method}",
            f"Contact: <sip:{self.user}@{host}:{port}>",
            *headers,
        ]
        if body and not any(line.startswith("Content-Type") for line in lines):
            lines.append("Content-Type: application/sdp")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def _uri(self, user: str = "") -> str:
        if self.domain:
            return f"sip:{user}@{self.domain}" if user else f"sip:{self.domain}"
        host, port = _shown(self.engine[0]), self.engine[1]
        return f"sip:{user}@{host}:{port}" if user else f"sip:{host}:{port}"

    # ---- what it hears

    def listen(self, seconds: float, until: str = "BYE") -> None:
        """Answer what the engine asks during that time, or until it has asked that."""
        end = time.monotonic() + seconds
        while until not in [each.method for each in self.asked] and (left := end - time.monotonic()) > 0:
            self._receive(left)

    def _send(self, data: bytes) -> None:
        self.sip.sendto(data, self.engine)

    def _receive(self, timeout: float) -> Response | None:
        """The next response; requests are answered on the way."""
        self.sip.settimeout(max(timeout, 0.001))
        try:
            data, source = self.sip.recvfrom(65535)
        except TimeoutError:
            return None
        if data[:1] >= b"\x80":
            return None  # RTCP of a call whose RTP socket happens to be the one before
        message = parse_message(data)
        if isinstance(message, Response):
            return message
        self.asked.append(message)
        if message.method == "BYE" and message.call_id == self.dialog.call_id:
            self.up = False
            self.ended_by_engine = self.ended_by_engine or time.monotonic()
        if message.method == "INVITE" and self.picks_up:
            self._pick_up(message, source)
            return None
        status = self.answers.get(message.method, 200)
        if message.method != "ACK" and status:
            answer = response_to(message, status, to_tag=None if status == 100 else "phone")
            self.sip.sendto(answer.serialise(), source)
        return None

    def _pick_up(self, invite: Request, source: Place) -> None:
        """200 with our description; the call is this phone's from now on."""
        self.dialog = Dialog(invite.call_id, "phone", str(invite.contacts[0].uri), invite.from_tag or "")
        self.dialog.media = _media(invite.body)
        self.up = True
        host, port = _own(self.sip)
        contact = ("Contact", f"<sip:{self.user}@{host}:{port}>")
        answer = response_to(
            invite,
            200,
            to_tag="phone",
            headers=[contact],
            body=self._sdp(),
            content_type="application/sdp",
            record_route=True,
        )
        self.sip.sendto(answer.serialise(), source)


def _media(sdp: bytes) -> Place:
    """Where a session description wants its audio."""
    found = re.search(rb"c=IN IP[46] (\S+)\r\n.*m=audio (\d+)", sdp, re.DOTALL)
    assert found is not None, sdp
    return found[1].decode(), int(found[2])


def _shown(host: str) -> str:
    """As SIP writes it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _own(opened: socket.socket) -> Place:
    """A socket's address, as SIP writes it."""
    host, port = opened.getsockname()[:2]
    return _shown(host), port


def _socket(host: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((host, 0))
    return opened


def ask_over_tcp(engine: str, timeout: float = 4.0, host: str = "127.0.0.1") -> float:
    """OPTIONS on a connection of its own; the seconds from connecting to the 200."""
    began = time.monotonic()
    with socket.create_connection(place(engine), timeout, source_address=(host, 0)) as connection:
        connection.settimeout(timeout)
        connection.sendall(options_over_tcp(engine, host))
        received = b""
        while b"\r\n\r\n" not in received:
            data = connection.recv(65535)
            if not data:
                raise NotAnswered("the engine closed the connection")
            received += data
    if not received.startswith(b"SIP/2.0 200 "):
        raise NotAnswered(received.partition(b"\r\n")[0].decode())
    return time.monotonic() - began


def options_over_tcp(engine: str, host: str = "127.0.0.1", number: int | None = None) -> bytes:
    """An OPTIONS request as a stream carries it; ``number`` is its CSeq."""
    return (
        f"OPTIONS sip:{engine} SIP/2.0\r\n"
        f"Via: SIP/2.0/TCP {host};branch=z9hG4bK{secrets.token_hex(8)}\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:tester@{host}>;tag={secrets.token_hex(4)}\r\n"
        f"To: <sip:{engine}>\r\n"
        f"Call-ID: {secrets.token_hex(8)}\r\n"
        f"CSeq: {number or 1} OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
