"""A town on paper: the engine's own parts, phones around it, a network that is a list and a clock turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from engine.call.register import CallRegister
from engine.certificate import CertificateFiles
from engine.config import load
from engine.data_directory import DataDirectory
from engine.domain.scope import company_of, plain
from engine.numbering import Numbering, plans_of
from engine.parts import Parts, build
from engine.settings import LiveSettings, StartSettings
from engine.store import AutomateRange, Line, Link
from media.control import LegEvent, LegMoved, LegSpec
from media.pool import MediaError
from sip.bindings import Binding
from sip.call import Call
from sip.credentials import Credentials
from sip.digest import ha1
from sip.flow import Address, Flow
from sip.message import Request, Response
from sip.session.outputs import Ended, Event, OfferReceived, Progress, ReferProgress
from sip.transport.sockets import Listener
from sip.transport.udp import UdpPort
from sip.uri import NameAddr, Uri
from tests.sip.endpoint.paper import SESSION, Paper, PaperSocket
from tests.sip.wire import as_request, name

ENGINE = Address("udp", "192.0.2.1", 5060)
REALM, PASSWORD = "polyphony", "a long password"
ECHO, LOOP = "5000", "7000"


def sdp(
    host: str, port: int = 4000, *, codec: int = 0, direction: str = "sendrecv", version: int = 1
) -> bytes:
    """A phone's description of itself."""
    return (
        f"v=0\r\no=phone 1 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {codec} 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


@dataclass(eq=False)
class PaperLeg:
    """A leg that writes down what it is told."""

    id: int
    near: PaperLeg | None
    spec: LegSpec
    told: list[tuple[Any, ...]] = field(default_factory=list)
    alive: bool = True
    bridged: PaperLeg | None = None
    on_event: Any = None
    on_change: Any = None
    on_closed: Any = None
    moved_to: int | None = None

    @property
    def local_host(self) -> str:
        return self.spec.local_host

    @property
    def local_port(self) -> int:
        return self.moved_to or 40000 + 2 * self.id

    @property
    def remote(self) -> tuple[str | None, int | None]:
        """Where it sends."""
        return self.spec.remote_host, self.spec.remote_port

    def modify(self, **changes: Any) -> None:
        self.spec = LegSpec(**changes)

    def close(self) -> None:
        self.alive = False

    def bridge(self, other: PaperLeg | None) -> None:
        self.bridged = other
        if other is not None:
            other.bridged = self

    def happens(self, event: LegEvent) -> None:
        """The worker says something."""
        self.on_event(event)

    def closed(self) -> None:
        """The worker has closed it, as ``media.leg.Leg`` is told."""
        tell = self.on_closed
        self.on_event = self.on_change = self.on_closed = None
        tell()

    def moves(self, port: int | None = None) -> None:
        """Its worker dies, and the next one opens it on that port; None: on the one it had."""
        self.moved_to = port or self.moved_to
        self.happens(LegMoved(self.id, self.local_port))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments, **named: self.told.append((name, *arguments, *named.values()))


class PaperMedia:
    """A pool of workers that opens what it is asked for; ``refuses`` makes it full, ``holds`` slow."""

    def __init__(self) -> None:
        self.legs: list[PaperLeg] = []
        self.refuses = False
        self.holds = False
        self.held: list[tuple[Deferred[PaperLeg], PaperLeg]] = []

    def open_leg(
        self,
        spec: LegSpec,
        near: PaperLeg | None = None,
        room: str | None = None,
        towards: str | None = None,
    ) -> Deferred[PaperLeg]:
        if self.refuses:
            return fail(MediaError("no_port"))
        leg = PaperLeg(len(self.legs) + 1, near, spec)
        self.legs.append(leg)
        if not self.holds:
            return succeed(leg)
        waiting: Deferred[PaperLeg] = Deferred()
        self.held.append((waiting, leg))
        return waiting

    def release(self) -> None:
        """The slow worker answers."""
        self.holds = False
        held, self.held = self.held, []
        for waiting, leg in held:
            waiting.callback(leg)

    def fail_held(self) -> None:
        """The slow worker dies."""
        held, self.held = self.held, []
        for waiting, _ in held:
            waiting.errback(MediaError("worker_lost"))

    def limit_rooms(self, legs: int) -> None:
        """Legs of a room on one worker; here there is one."""

    def limit_load(self, share: float) -> None:
        """Paper weighs nothing."""

    def limit_recordings(self, seconds: int) -> None:
        """Nothing is recorded."""

    @property
    def open(self) -> list[PaperLeg]:
        return [leg for leg in self.legs if leg.alive]


class PaperRecordings:
    """A journal on paper."""

    def __init__(self) -> None:
        self.format = "wav"
        self.told: list[tuple[Any, ...]] = []

    def begin(self, number: str, caller: str, form: str, company: int = 1) -> Path:
        self.told.append(("begin", number, caller, form))
        return Path("/recordings/one.wav")

    def closed(self, *told: Any) -> None:
        self.told.append(("closed", *told))

    def room_closed(self, *told: Any) -> None:
        self.told.append(("room_closed", *told))

    def lost(self, *told: Any) -> None:
        self.told.append(("lost", *told))


class Phone(Paper):
    """A phone: calls, rings, answers and keeps what happened."""

    def __init__(self, town: Town, number: str, host: str, reliable: str) -> None:
        address = Address("udp", host, 5060)
        session = replace(SESSION, reliable_provisionals=reliable)
        super().__init__(town.clock, address, town.carry, session=session)
        self.town = town
        self.number = number
        self.host = host
        self.last_call: Call | None = None
        self.status: int | None = 200  # answered so at once; 180 rings, None says nothing
        self.headers: tuple[tuple[str, str], ...] = ()
        self.early: bytes | None = None
        self.codec = 0  # what it answers with
        self.application.on_invite = self._rings

    @property
    def call(self) -> Call:
        """The call it has, or had last."""
        assert self.last_call is not None, f"{self.number} has had no call"
        return self.last_call

    def _rings(self, call: Call) -> None:
        self.last_call = call
        call.on_event = self._happens
        if self.early is not None:
            call.progress(183, self.early)
        if self.status == 180:
            call.ring()
        elif self.status == 200:
            self.pick_up()
            if call.replaces is not None:
                call.replaces.hangup()
        elif self.status is not None:
            call.reject(self.status, headers=self.headers)

    def pick_up(self) -> None:
        self.call.answer(sdp(self.host, codec=self.codec))

    def _happens(self, event: Event) -> None:
        self.application.events.append(event)
        if isinstance(event, OfferReceived):
            self.call.answer_offer(sdp(self.host))

    def dial(
        self,
        number: str,
        *,
        offer: bytes | None = b"",
        password: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        caller: str | None = None,
        display_host: str = "192.0.2.1",
        domain: str = ENGINE.host,
    ) -> Call:
        """Call a number; empty offer: this phone's own; None: a late one."""
        own = Uri("sip", caller or self.number, None, display_host)
        target = Uri("sip", number, None, domain, ENGINE.port if domain == ENGINE.host else None)
        self.last_call = call = self.endpoint.call(
            target=target,
            from_=NameAddr(None, own),
            to=NameAddr(None, target),
            offer=sdp(self.host) if offer == b"" else offer,
            on_event=self._happens,
            credentials=None if password is None else Credentials(REALM, self.number, password),
            headers=headers,
            next_hop=Uri("sip", None, None, ENGINE.host, ENGINE.port),
        )
        self.town.pass_time(0.1)
        return call

    @property
    def events(self) -> list[Event]:
        return self.application.events

    @property
    def ended(self) -> Ended | None:
        """How its last call ended."""
        return next((each for each in reversed(self.events) if isinstance(each, Ended)), None)

    @property
    def rings(self) -> list[int]:
        """Provisional responses heard."""
        return [each.status for each in self.events if isinstance(each, Progress)]

    @property
    def reports(self) -> list[int]:
        """What NOTIFYs said of a REFER of its own."""
        return [each.status for each in self.events if isinstance(each, ReferProgress)]

    def last_invite(self) -> Request:
        """The INVITE it got last."""
        return self.invites[-1]

    @property
    def invites(self) -> list[Request]:
        got = [data for data, to in self.town.post if to == self.address and name(data) == "INVITE"]
        return [as_request(data) for data in got]


class Town:
    """The engine at 192.0.2.1 and its phones. ``accepted``: networks whose calls need no password."""

    def __init__(
        self,
        lines: tuple[str, ...] = (),
        links: tuple[Link, ...] = (),
        ranges: tuple[AutomateRange, ...] = (),
        settings: Mapping[str, str] | None = None,
        sip_domains: Mapping[str, int] | None = None,
    ) -> None:
        self.clock = Clock()
        self.sip_domains = dict(sip_domains or {})
        self.post: list[tuple[bytes, Address]] = []
        self.loses: Callable[[bytes, Address], bool] = lambda data, to: False
        self.phones: dict[Address, Phone] = {}
        overrides = {
            "sip.accept_from": '["192.0.2.0/24"]',
            "media.codecs": '["PCMU", "PCMA"]',
            **(settings or {}),
        }
        config = load(None, [f"{key}={value}" for key, value in overrides.items()])
        start = StartSettings.of(
            config, DataDirectory(Path("/data")), CertificateFiles(Path("none"), Path("none"))
        )
        tokens = count(1)
        session = replace(start.endpoint.session, random=lambda: 0.5, session_expires=0)
        endpoint = replace(
            start.endpoint, tls=None, session=session, new_token=lambda: f"token{next(tokens)}"
        )
        self.calls = CallRegister()
        self.recordings = PaperRecordings()
        self.media = PaperMedia()
        self.parts: Parts = build(
            self.clock,  # type: ignore[arg-type]  # no socket is opened
            replace(start, endpoint=endpoint),
            LiveSettings.of(config),
            self.calls,
            self.recordings,  # type: ignore[arg-type]
        )
        self.parts.services.media = self.parts.media = self.media  # type: ignore[assignment]
        self.endpoint = self.parts.endpoint
        socket: Any = PaperSocket(lambda data, to: self.carry(data, ENGINE, Address("udp", *to)))
        listener = Listener(ENGINE, socket)
        self.port = UdpPort(listener, self.endpoint.datagram_received)
        self.endpoint.transports._udp.append(self.port)
        self.numbering(lines, links, ranges)

    def numbering(
        self,
        lines: tuple[str, ...] = (),
        links: tuple[Link, ...] = (),
        ranges: tuple[AutomateRange, ...] = (),
    ) -> None:
        """What the store says; 5000 and 7000 are always there. ``lines``: scoped numbers."""
        own = (
            AutomateRange(id=1, first_number=ECHO, application="echo"),
            AutomateRange(id=2, first_number=LOOP, application="announcement"),
        )
        stored = tuple(
            Line(
                number=plain(each),
                realm=REALM,
                ha1={"SHA-256": ha1(plain(each), REALM, PASSWORD, "SHA-256")},
                company_id=company_of(each),
            )
            for each in lines
        )
        self.parts.apply(
            Numbering(
                (*own, *ranges),
                stored,
                links,
                (),
                (),
                plans_of((*own, *ranges), stored, links, (), self.sip_domains),
                {each.key: each.ha1 for each in stored},
            )
        )

    # ---- people

    def phone(
        self, number: str, host: str, *, registered: bool = False, reliable: str = "supported"
    ) -> Phone:
        """A phone at that address; ``registered``: it is a line's; ``reliable``: how it rings (RFC 3262)."""
        phone = Phone(self, plain(number), host, reliable)
        self.phones[phone.address] = phone
        if registered:
            binding = Binding(
                aor=number,
                contact=f"sip:{plain(number)}@{host}:5060",
                expires_at=self.clock.seconds() + 3600,
                call_id=f"register-{host}",
                cseq=1,
                flow=Flow(ENGINE, phone.address),
            )
            self.parts.registrations._bindings.restore([binding])
        return phone

    # ---- the post

    def carry(self, data: bytes, source: Address, to: Address) -> None:
        self.post.append((data, to))
        if self.loses(data, to):
            return
        if to == ENGINE:
            self.clock.callLater(0.001, self._deliver, data, source)
        elif to in self.phones:
            self.clock.callLater(0.001, self.phones[to].receive, data, source)

    def _deliver(self, data: bytes, source: Address) -> None:
        self.port.datagram_received(data, (source.host, source.port))

    def pass_time(self, seconds: float) -> None:
        """Turn the clock in steps no timer is shorter than."""
        for _ in range(round(seconds / 0.01)):
            self.clock.advance(0.01)

    def sent_to(self, phone: Phone) -> list[str]:
        """What the engine sent a phone, in words."""
        return [name(data) for data, to in self.post if to == phone.address]

    def count(self, label: str) -> int:
        return self.endpoint.counters[label]

    def send(self, data: bytes, source: Address) -> list[bytes]:
        """One datagram from anywhere; the answers to it."""
        before = len(self.post)
        self._deliver(data, source)
        self.pass_time(0.05)
        return [each for each, to in self.post[before:] if to == source]

    def at_rest(self) -> None:
        """Nothing is left: no conversation, no leg, no fault on the way."""
        self.pass_time(40)
        assert len(self.calls) == 0
        assert self.media.open == []
        assert not self.endpoint.calls
        for label in ("application_error", "internal_error", "call_fault"):
            assert self.count(label) == 0
        for phone in self.phones.values():
            assert not phone.endpoint.calls


def statuses(answers: list[bytes]) -> list[str]:
    """What answers are, in words."""
    return [name(each) for each in answers]


def response_headers(answer: bytes) -> Response:
    """A response, to be looked into."""
    from tests.sip.wire import as_response

    return as_response(answer)
