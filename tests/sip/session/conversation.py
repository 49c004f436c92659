"""Two sessions joined by a scripted link on a virtual clock.

The link stands for the transaction layer and the network. Requests and their final responses arrive,
late when they were lost, because transactions repeat them; what the sessions themselves must repeat (a 2xx
to INVITE, its ACK, provisional responses) is lost for good. Every message goes over the wire format.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from sip.invite_session import InviteSession
from sip.message import Request, Response, parse_message
from sip.session.outputs import CancelRequest, Respond, SendAck, SendRequest
from sip.session.settings import SessionSettings
from sip.uri import NameAddr, Uri

OFFER = b"v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = (
    b"v=0\r\no=b 2 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
)
HOLD = OFFER + b"a=sendonly\r\n"
HELD = ANSWER + b"a=recvonly\r\n"
DELAY = 0.01
REPEAT = 0.5

Message = Request | Response
Loses = Callable[[str, int], bool]


def settings(**changes: Any) -> SessionSettings:
    return SessionSettings(**{"random": lambda: 0.5, "session_expires": 0, **changes})


def name_of(message: Message) -> str:
    """What a message is called in a script: "INVITE", "200 INVITE"."""
    return message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"


class Peer:
    """One end: its session and what it saw."""

    def __init__(self, name: str, conversation: Conversation) -> None:
        self.name = name
        self.conversation = conversation
        self.session: InviteSession | None = None
        self.events: list[Any] = []
        self.sent: list[Message] = []
        self.finals: set[object] = set()

    @property
    def s(self) -> InviteSession:
        assert self.session is not None
        return self.session

    @property
    def names(self) -> list[str]:
        return [name_of(message) for message in self.sent]

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    @property
    def last(self) -> Any:
        return self.events[-1]

    def count(self, name: str) -> int:
        return self.names.count(name)

    def sent_named(self, name: str) -> list[Any]:
        return [message for message in self.sent if name_of(message) == name]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def do(self, command: str, *arguments: Any, **options: Any) -> None:
        """Give a command at the present time, and let the messages flow."""
        getattr(self.s, command)(*arguments, now=self.conversation.now, **options)
        self.conversation.flow()


class Conversation:
    """A caller, a callee and the link between them."""

    def __init__(
        self,
        *,
        loses: Loses = lambda name, nth: False,
        caller: SessionSettings | None = None,
        callee: SessionSettings | None = None,
        offer: bytes | None = OFFER,
        headers: tuple[tuple[str, str], ...] = (),
        credentials: Any = None,
    ) -> None:
        self.now = 1000.0
        self.loses = loses
        self.callee_settings = callee or settings()
        self.caller, self.callee = Peer("caller", self), Peer("callee", self)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._seen: dict[str, int] = {}
        tokens = itertools.count(1)
        self.caller.session = InviteSession.outgoing(
            target=Uri.parse("sip:bob@192.0.2.2"),
            from_=NameAddr.parse("<sip:alice@example.com>"),
            to=NameAddr.parse("<sip:bob@example.com>"),
            contact=NameAddr.parse("<sip:alice@192.0.2.1:5060>"),
            call_id="call-1",
            offer=offer,
            credentials=credentials,
            headers=headers,
            settings=caller or settings(),
            new_token=lambda: f"alice-{next(tokens)}",
            now=self.now,
        )

    @property
    def first_invite(self) -> Request:
        """The caller's INVITE; before ``flow`` it can still be changed."""
        assert self.caller.s._uac is not None
        return self.caller.s._uac._invite

    # Time

    def flow(self) -> None:
        """Carry all messages that are due soon, without timers."""
        self.advance(5 * DELAY)

    def advance(self, seconds: float) -> None:
        """Let time pass: messages arrive and timers run in their order."""
        end = self.now + seconds
        while True:
            self._drain()
            times = [self._queue[0][0]] if self._queue else []
            times += [
                peer.session.deadline
                for peer in (self.caller, self.callee)
                if peer.session is not None and peer.session.deadline is not None
            ]
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            if self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
                continue
            for peer in (self.caller, self.callee):
                if peer.session is not None:
                    peer.session.handle_timer(self.now)
        self.now = end

    # Carrying

    def _drain(self) -> None:
        for peer, other in ((self.caller, self.callee), (self.callee, self.caller)):
            if peer.session is None:
                continue
            for output in peer.session.take_outputs():
                self._put_out(peer, other, output)

    def _put_out(self, peer: Peer, other: Peer, output: Any) -> None:
        if isinstance(output, SendRequest):
            self._send(peer, output.request, lambda m: self._request(other, m, (peer.name, output.key)))
        elif isinstance(output, SendAck):
            self._send(peer, output.request, lambda m: self._ack(other, m))
        elif isinstance(output, CancelRequest):
            peer.sent.append(Request("CANCEL", "sip:x", [("CSeq", "1 CANCEL")]))
            self._later(DELAY, lambda: self._cancel(other))
        elif isinstance(output, Respond):
            key: Any = output.key
            self._send(peer, output.response, lambda m: self._response(other, m, key[1]))
        else:
            peer.events.append(output)

    def _send(self, peer: Peer, message: Message, deliver: Callable[[Any], None]) -> None:
        peer.sent.append(message)
        name = name_of(message)
        self._seen[name] = self._seen.get(name, 0) + 1
        wire = message.copy()
        if isinstance(wire, Request):
            wire.headers.prepend("Via", f"SIP/2.0/UDP {peer.name}.example;branch=z9hG4bK{next(self._order)}")
        data = wire.serialise()
        lost = self.loses(name, self._seen[name])
        own = name == "ACK" or name == "200 INVITE" or name.startswith("1")
        if lost and own:
            return
        self._later(REPEAT if lost else DELAY, lambda: deliver(parse_message(data)))

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def _request(self, other: Peer, request: Request, key: object) -> None:
        if other.session is None:
            other.session = InviteSession.incoming(
                request,
                key,
                contact=NameAddr.parse("<sip:bob@192.0.2.2:5060>"),
                local_tag="bob-1",
                settings=self.callee_settings,
                now=self.now,
            )
        else:
            other.session.receive_request(request, key, self.now)

    def _cancel(self, other: Peer) -> None:
        if other.session is not None:
            other.session.cancelled(self.now)

    def _ack(self, other: Peer, request: Request) -> None:
        if other.session is not None:
            other.session.receive_ack(request, self.now)

    def _response(self, other: Peer, response: Response, key: int) -> None:
        final = response.status >= 200
        known = None if key in other.finals else key
        if final:
            other.finals.add(key)
        other.s.receive_response(known, response, self.now)


def ringing(**options: Any) -> Conversation:
    """A call that has reached the callee."""
    call = Conversation(**options)
    call.flow()
    return call


def established(**options: Any) -> Conversation:
    """A call that was answered, with the events so far forgotten."""
    call = ringing(**options)
    call.callee.do("answer", ANSWER)
    call.advance(1)
    for peer in (call.caller, call.callee):
        peer.events.clear()
        peer.sent.clear()
    return call
