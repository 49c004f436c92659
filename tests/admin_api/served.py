"""The service on its own reactor, in a thread, before a hall with people on paper; asked as any client would."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import ensureDeferred

from admin_api.service import AdminService, service
from engine.administration.catalogue import nouns
from engine.administration.desk import Desk
from engine.administration.event_reading import EventReading
from engine.administration.noun import Noun
from engine.authentication.authenticator import Authenticator, SessionLimits
from engine.authentication.refusal import NotAdmitted, Why
from engine.call_journal import CallTotals
from engine.certificate import ensure_self_signed
from engine.conferences.administration import ConferenceAdministration
from engine.conferences.event_store import EventStore
from engine.conferences.planned import PlannedMeetings
from engine.config import load
from engine.domain.authentication.account import Account
from engine.events.events import Events
from engine.letters.planning import Planning
from engine.numbering import read_numbering
from engine.own_thread import in_own_thread
from engine.services import ServiceContext
from engine.status import (
    AutomateStatus,
    EngineMetrics,
    EngineStatus,
    LineStatus,
    LinkStatus,
    StatusSource,
    WorkerMetrics,
    WorkerStatus,
)
from engine.store import Store
from engine.store_thread import StoreThread
from sip.guessing import GuessingSettings
from tests.engine.call_records import call_record
from tests.engine.conferences.hall import Hall

USER, PASSWORD = "admin", "a long password: with a colon"
HOSTILE = '<script>alert("1")</script>\r\n'
T = TypeVar("T")


def engine_status() -> EngineStatus:
    return EngineStatus(
        version="1",
        started_at=1.0,
        uptime=2.0,
        sip=("sip:127.0.0.1:5060;transport=udp",),
        calls=1,
        calls_total=2,
        workers=(WorkerStatus(42, 3),),
        worker_restarts=0,
        lines_registered=0,
        automates_registered=0,
        automates_failed=0,
        counters={"flood_source": 7},
    )


def metrics() -> EngineMetrics:
    totals = CallTotals()
    for score in (4.41, 4.2, 1.2, None):
        totals.add(call_record(mos_average=score))
    worker = WorkerMetrics(0, 3, 0.25, 1000, 2, 1, 1.5)
    return EngineMetrics(10.0, 1.25, 1, 5, (worker,), {"flood_source": 7, "workers_lost": 1}, totals)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_problem(self, status: int) -> bool:
        """The status, as problem details, without a word of our insides."""
        problem = self.json
        return (
            self.status == problem["status"] == status
            and self.headers["content-type"] == "application/problem+json"
            and b"Traceback" not in self.body
            and b".py" not in self.body
        )


class Doors(Authenticator):
    """The real one; it tells what it has looked up, and can be made to refuse."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.asked: list[tuple[str, str, str]] = []
        self.silent = False

    async def _account(self, name: str, password: str, source: str, code: str = "") -> Account:
        self.asked.append((name, password, source))
        if self.silent:
            raise NotAdmitted(Why.SILENCED)
        return await super()._account(name, password, source, code)


class Served:
    """A service on its own reactor, in a thread of its own; asked from here as any client would."""

    def __init__(
        self,
        folder: Path,
        *settings: str,
        extra: Callable[[Store], Sequence[Noun[Any]]] = lambda store: (),
    ) -> None:
        self.config = load(None, ["http.port=0", *settings])
        self.socket = folder / "engine.sock"
        self.broken = False
        self.lacking = ""
        certificate = ensure_self_signed(folder)
        self._loop = asyncio.new_event_loop()
        self._reactor = AsyncioSelectorReactor(self._loop)
        conferences = self._conferences(folder)
        self.store.admins.create(USER, PASSWORD)
        self.doors = Doors(
            self.thread,
            self.store,
            partial(in_own_thread, self._reactor, "password"),
            GuessingSettings(failures=1000),
            SessionLimits(),
            csrf_key=b"k",
            seconds=time.monotonic,
            wall=time.time,
        )
        context = ServiceContext(
            reactor=self._reactor,  # type: ignore[arg-type]
            config=self.config,
            status=StatusSource(
                engine=self._engine,
                automates=lambda: [AutomateStatus("100", "echo", "pbx", "failed", 1.0, HOSTILE, 0)],
                links=lambda: [LinkStatus("pbx", "192.0.2.90:5060", "udp", "down", 1.0, HOSTILE, 1, 0)],
                lines=lambda: [LineStatus("1001", ("sip:1001@192.0.2.10",))],
                metrics=metrics,
                lacking=lambda: self.lacking,
            ),
            authenticator=self.doors,
            conferences=conferences,
            planned=PlannedMeetings(
                self.store, self.thread, lambda: Planning(self.store, None, time.time), self._renumber
            ),
            desk=Desk([*nouns(self.store), *extra(self.store)], self.thread),
            events=EventReading(self.store.database, self.thread, self.company_events),
            socket=self.socket,
            certificate=certificate.certificate,
            key=certificate.key,
        )
        self.service: AdminService = service(context)
        self.told: dict[str, str] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _engine(self) -> EngineStatus:
        if self.broken:
            raise RuntimeError("secret insides")
        return engine_status()

    def _conferences(self, folder: Path) -> ConferenceAdministration:
        """Of a hall whose clock stands still, and a store of its own."""
        self.store = Store(f"sqlite:///{folder / 'store.sqlite3'}")
        self.store.open()
        self.thread = StoreThread(self._reactor)  # type: ignore[arg-type]
        self.thread.start()
        self.company_events = Events(self.store, self.thread, self._reactor, self.config.events)  # type: ignore[arg-type]
        self.company_events.start()
        self.hall = Hall(folder / "meetings")
        self.events = EventStore(self.store, self.thread, self.hall.clock)
        self.hall.conferences.keep_in(self.events, self.hall.files)
        self.hall.conferences.define(())
        return ConferenceAdministration(
            self.hall.conferences, self.store, self.thread, self.events, self._renumber
        )

    async def _renumber(self) -> None:
        numbering = await self.thread.call(read_numbering, self.store)
        self.hall.conferences.define(numbering.room_definitions)

    def clear(self) -> None:
        """An empty store, and nobody in any meeting."""
        self.inside(self.hall.conferences.stop)
        for collection, key in (
            (self.store.planned_meetings, "uid"),
            (self.store.rooms, "number"),
            (self.store.room_ranges, "first_number"),
            (self.store.meeting_policies, "key"),
        ):
            for each in collection.all():
                collection.remove(getattr(each, key))
        self.inside(lambda: self.hall.conferences.define(()))
        self.inside(self.hall.events.clear)

    def inside(self, function: Callable[[], T]) -> T:
        """Do something on the reactor's thread, where the hall is."""
        done: list[T] = []
        over = threading.Event()

        def run() -> None:
            try:
                done.append(function())
            finally:
                over.set()

        self._loop.call_soon_threadsafe(run)
        assert over.wait(10)
        return done[0]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._reactor.startRunning(installSignalHandlers=False)
        ensureDeferred(self.service.start()).addBoth(self._started)
        self._loop.run_forever()

    def _started(self, told: Any) -> None:
        self.told = dict(told)
        self._ready.set()

    def close(self) -> None:
        done = threading.Event()

        def stop() -> None:
            ensureDeferred(self.service.stop()).addBoth(stopped)

        def stopped(_: object) -> None:
            self._loop.stop()
            done.set()

        self._loop.call_soon_threadsafe(stop)
        assert done.wait(10)
        self._thread.join(10)
        self.company_events.stop()
        self.thread.stop()
        self.store.close()
        self._loop.close()

    @property
    def port(self) -> int:
        return int(self.told["api"].split("/")[2].rpartition(":")[2])

    def connection(self, *, local: bool = False) -> http.client.HTTPConnection:
        if local:
            found = http.client.HTTPConnection("localhost", timeout=10)
            found.sock = socket.socket(socket.AF_UNIX)
            found.sock.connect(str(self.socket))
            return found
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        user: str | None = None,
        password: str = PASSWORD,
        local: bool = False,
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        if user is not None:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        connection = self.connection(local=local)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()
