"""The engine put together: every part is made here, started in order, and stopped in the reverse one."""

from __future__ import annotations

import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from OpenSSL import SSL
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from engine.administration.catalogue import nouns
from engine.administration.desk import Desk
from engine.administration.event_reading import EventReading
from engine.administration.lines import Lines
from engine.administration.memberships import Memberships
from engine.administration.user_import_runs import UserImportRuns
from engine.administration.users import Users
from engine.authentication.authenticator import Authenticator, SessionLimits
from engine.call.adoption import adopt, legs_of, recorded_in, state_of
from engine.call.register import CallRegister
from engine.certificate import CertificateFiles, ensure_self_signed
from engine.conferences.administration import ConferenceAdministration
from engine.conferences.event_store import EventStore
from engine.conferences.meeting_journal import MeetingFiles
from engine.conferences.names import SpokenNames
from engine.conferences.planned import PlannedMeetings
from engine.config import Config, differences, taken_up
from engine.entitlement_reading import EntitlementUpdates
from engine.events.events import Events
from engine.events.webhooks import Webhooks, network_post
from engine.imports.service import UserImportService
from engine.journal import Journal, boot_id
from engine.journal import read as read_journal
from engine.journal_cleaning import JournalCleaning
from engine.letters.office import Office
from engine.numbering import READ_FROM, Numbering, read_numbering
from engine.own_thread import in_own_thread
from engine.parts import Parts, build
from engine.prompts import catalogue
from engine.reactor import join_turns
from engine.recordings import Recordings
from engine.services import Service, ServiceContext, load_services
from engine.settings import LiveSettings, StartSettings
from engine.speech import Speech
from engine.status import EngineMetrics, EngineStatus, StatusSource, WorkerMetrics, WorkerStatus
from engine.store import Store, StoreError
from engine.store.first_start import fill
from engine.store_thread import StoreThread
from media.pool import MediaError

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from engine.call.call_state import ConversationState
    from engine.data_directory import DataDirectory
    from engine.events.events import EventsReactor
    from engine.imports.service import ImportReactor
    from engine.mail.post import PostReactor
    from engine.recordings import RecordingsReactor
    from engine.services import ServiceReactor
    from engine.speech import SpeechReactor
    from sip.guessing import GuessingSettings

log = Logger()


OF_LINES = frozenset({"lines", "users"})
"""Nouns of which some changes say who may call; most of those of users do not, and numbers are many."""


class StartError(Exception):
    """The engine cannot start; the text is for the administrator."""


class Server:
    """One engine. :meth:`start` until it takes calls; :meth:`stop` until none is left."""

    def __init__(self, reactor: AsyncioSelectorReactor, directory: DataDirectory, config: Config) -> None:
        self._reactor = reactor
        self._directory = directory
        self._config = config
        self._started_at = time.time()
        self._store = Store(config.store.url_in(directory.root))
        self._store_thread = StoreThread(reactor)
        self._numbering = Numbering()
        self._calls = CallRegister()
        self._told: dict[str, str] = {}
        self._running: list[Service] = []
        self._running_parts: Parts | None = None
        self._journal: Journal | None = None
        self._authenticator: Authenticator | None = None
        self._recordings: Recordings | None = None
        self._cleaning: JournalCleaning | None = None
        self._office: Office  # made when the store is open
        self._entitlements: EntitlementUpdates | None = None  # made with the parts
        self._imports: UserImportService | None = None  # likewise
        self._events = Events(self._store, self._store_thread, cast("EventsReactor", reactor), config.events)
        self._webhooks = Webhooks(
            self._events,
            self._store,
            self._store_thread,
            reactor,
            network_post(reactor, lambda: self._config.events),
        )
        self._lines: Lines | None = None  # made with the services

    # ---- life

    async def start(self) -> str | None:
        """Start everything; returns the administrator's password when it has just been made.

        Raises:
            StartError: something the administrator must mend.
        """
        self._store_thread.start()
        password = await self._store_thread.call(self._open_store)
        self._office = Office(
            cast("PostReactor", self._reactor), self._store_thread, self._store, self._config.mail
        )
        self._events.start()
        try:
            await self._start_parts()
        except (OSError, CannotListenError) as error:
            raise StartError(f"cannot listen: {error}") from error
        except SSL.Error as error:
            raise StartError(f"a certificate or its key cannot be used: {error}") from error
        except MediaError as error:
            raise StartError(f"the media workers do not start: {error}") from error
        return password

    async def _start_parts(self) -> None:
        certificate = self._certificate()
        start = StartSettings.of(self._config, self._directory, certificate)
        live = LiveSettings.of(self._config)
        recordings = Recordings(
            start.recordings, self._store_thread, self._store, cast("RecordingsReactor", self._reactor)
        )
        self._recordings = recordings
        boot = boot_id()
        left = read_journal(self._directory.journal, boot)
        files = MeetingFiles(self._directory.meetings, boot)
        meetings = files.left()
        going_on = recorded_in(left) | {each.recording for each in meetings if each.recording}
        await self._store_thread.call(recordings.recover, going_on)
        recordings.take_up()
        self._running_parts = parts = build(self._reactor, start, live, self._calls, recordings)
        join_turns(self._reactor, parts.endpoint, parts.media)
        await parts.media.start()
        speech = Speech(
            cast("SpeechReactor", self._reactor),
            self._directory.root / "speech",
            parts.media.load_prompt,
            parts.media.forget_prompt,
        )
        parts.services.say = speech.say
        parts.services.journal.keep_in(
            self._store, self._store_thread, self._reactor, self._config.store.call_days
        )
        names = parts.services.names = SpokenNames(self._directory.names, parts.media)
        names.sweep(each for meeting in meetings for each in meeting.names.values())
        events = EventStore(self._store, self._store_thread, self._reactor, self._config.store.call_days)
        parts.services.conferences.keep_in(events, files)
        parts.configure(live)
        self._load_prompts()
        await parts.registrations.load(self._store_thread, self._store)
        await parts.endpoint.start()
        parts.apply(self._numbering)
        self._entitlements = entitlements = EntitlementUpdates(
            self._reactor, self._store_thread, self._store, parts.entitle
        )
        await entitlements.read()
        parts.services.conferences.on_report = self._office.report
        parts.services.conferences.take_up(meetings)
        self._take_up(parts, left, boot)
        parts.services.conferences.go_on()
        parts.links.start()
        self._office.start()
        await self._webhooks.take_up()
        self._imports = UserImportService(
            cast("ImportReactor", self._reactor),
            self._store_thread,
            self._store,
            self._imported,
        )
        self._imports.start()
        self._cleaning = JournalCleaning(
            self._reactor, self._store_thread, self._store, lambda: self._config.journal
        )
        self._cleaning.start()
        await self._start_services(certificate, start.digest.guessing, events)
        api_port = urlsplit(self._told.get("api", "")).port
        parts.keep_streams_from(start.store_ports | ({api_port} if api_port else set()))

    def _take_up(self, parts: Parts, left: list[ConversationState], boot: str) -> None:
        """Go on with the calls of a process that was killed, and keep a journal from now on."""
        legs = parts.media.adopt(legs_of(left))
        adopted = adopt(parts.services, left, legs)
        if left:
            log.info("{adopted} of {left} conversations taken up", adopted=len(adopted), left=len(left))
        self._journal = journal = Journal(self._directory.journal, self._reactor, state_of, boot)
        journal.start(adopted)
        parts.keep_journal(journal)

    async def stop(self) -> None:
        """Say goodbye to every call and every PBX, close the recordings, then everything."""
        parts = self._running_parts
        if parts is not None:
            log.info("stopping with {calls} conversation(s)", calls=len(self._calls))
            parts.router.max_calls = 0
            half = self._config.engine.stop_timeout / 2
            farewells = [ensureDeferred(self._end_calls(parts)), ensureDeferred(parts.links.stop())]
            await self._within(DeferredList(farewells, consumeErrors=True), half)
            for service in reversed(self._running):
                await service.stop()
            ends = [
                ensureDeferred(parts.endpoint.stop()),
                ensureDeferred(parts.media.stop()),
                self._office.stop(),
            ]
            await self._within(DeferredList(ends, consumeErrors=True), half)
        if self._entitlements is not None:
            self._entitlements.stop()
        if self._cleaning is not None:
            self._cleaning.stop()
        if self._recordings is not None:
            self._recordings.stop()
        if parts is not None:
            parts.services.journal.flush()
        if self._journal is not None:
            self._journal.stop()
        if self._imports is not None:
            self._imports.stop()
        self._webhooks.stop()
        self._events.stop()
        self._store_thread.stop()
        self._store.close()

    async def _end_calls(self, parts: Parts) -> None:
        """Hang up everywhere, and let each BYE go out and be answered."""
        parts.services.conferences.stop()
        await self._calls.stop_all()
        over: Deferred[None] = Deferred()
        # who has waited long enough has given up
        parts.endpoint.dialogs.when_over(lambda: None if over.called else over.callback(None))
        await over

    async def reload(self, config: Config) -> None:
        """Take up another configuration and what the store says now; calls are not touched."""
        parts = self._running_parts
        if parts is None:
            return  # still starting: what is read then is new enough
        applied, later = differences(self._config, config)
        if later:
            log.warn("these keys take effect after a restart: {keys}", keys=", ".join(later))
        self._config = taken_up(self._config, config)
        self._events.settings = self._config.events
        parts.configure(LiveSettings.of(self._config))
        if self._authenticator is not None:
            self._authenticator.forget()
        await self._renumber()
        if self._entitlements is not None:
            await self._entitlements.read()
        log.info("reloaded; changed keys: {keys}", keys=", ".join(applied) or "none")

    async def _renumber(self) -> None:
        """Take up what the store says now."""
        self._numbering = await self._store_thread.call(read_numbering, self._store)
        self._load_prompts()
        self._parts.apply(self._numbering)
        self._office.post.wake()

    async def _written(self, noun: str) -> None:
        """Take up what was written of a noun: the next call is answered by it."""
        if noun in READ_FROM or (noun in OF_LINES and self._lines is not None and self._lines.take_changed()):
            await self._renumber()
        if self._entitlements is not None:
            await self._entitlements.written(noun)
        if noun in ("webhooks", "companies"):
            await self._webhooks.take_up()
        if noun == UserImportRuns.name and self._imports is not None:
            self._imports.wake()

    async def _imported(self) -> None:
        """Take up what an import of users has changed; it had nouns of its own."""
        if self._lines is not None:
            self._lines.note_changed()
        for noun in (Users.name, Memberships.name):
            await self._written(noun)

    def ready(self) -> dict[str, object]:
        """What the ready line tells, besides the process id."""
        return {"sip": self._parts.own.uris(), **self._told, "workers": self._parts.media.pids}

    @property
    def _parts(self) -> Parts:
        assert self._running_parts is not None, "the engine has started"
        return self._running_parts

    # ---- starting

    def _open_store(self) -> str | None:
        """In the store's thread."""
        try:
            self._store.open(apart=True)  # for years nobody needs what migrates it
        except (StoreError, SQLAlchemyError) as error:
            raise StartError(f"the store cannot be opened: {error}") from error
        password = fill(self._store)
        self._numbering = read_numbering(self._store)
        return password

    def _certificate(self) -> CertificateFiles:
        """The configured certificate, or the self-signed one of the data directory."""
        sip = self._config.sip
        if sip.tls_certificate and sip.tls_key:
            return CertificateFiles(Path(sip.tls_certificate), Path(sip.tls_key))
        return ensure_self_signed(self._directory.tls)

    def _load_prompts(self) -> None:
        imported = {each.key: Path(each.path) for each in self._numbering.prompts}
        self._parts.load_prompts({**catalogue(), **imported})

    async def _start_services(
        self, certificate: CertificateFiles, guessing: GuessingSettings, events: EventStore
    ) -> None:
        self._authenticator = Authenticator(
            self._store_thread,
            self._store,
            partial(in_own_thread, self._reactor, "password"),
            guessing,
            SessionLimits(self._config.http.session_idle, self._config.http.session_longest),
            csrf_key=await self._store_thread.call(self._store.secrets.get, "csrf"),
            seconds=self._reactor.seconds,
            wall=time.time,
        )
        administered = nouns(
            self._store, channels_used=self._calls.channels.used, realm=self._config.sip.realm
        )
        self._lines = next(each for each in administered if isinstance(each, Lines))
        context = ServiceContext(
            reactor=cast("ServiceReactor", self._reactor),
            config=self._config,
            status=self._status_source(),
            authenticator=self._authenticator,
            conferences=ConferenceAdministration(
                self._parts.services.conferences, self._store, self._store_thread, events, self._renumber
            ),
            planned=PlannedMeetings(self._store, self._store_thread, self._office.planning, self._renumber),
            desk=Desk(administered, self._store_thread, self._written),
            events=EventReading(self._store.database, self._store_thread, self._events),
            socket=self._directory.socket,
            certificate=Path(self._config.http.tls_certificate or certificate.certificate),
            key=Path(self._config.http.tls_key or certificate.key),
        )
        for service in load_services(context):
            self._running.append(service)
            self._told.update(await service.start())

    async def _within(self, waited_for: Deferred[Any], seconds: float) -> None:
        """Wait, but not for ever: a peer that does not answer must not hold the process."""
        waited_for.addTimeout(seconds, self._reactor)
        try:
            await waited_for
        except TooLate:
            log.warn("some peers did not answer while stopping")

    # ---- what others are told

    def _status_source(self) -> StatusSource:
        parts = self._parts
        return StatusSource(
            engine=self._engine_status,
            automates=lambda: parts.links.automate_states(self._numbering, self._calls.by_number),
            links=parts.links.link_states,
            lines=lambda: parts.registrations.states(self._numbering),
            metrics=self._engine_metrics,
            lacking=self._lacking,
        )

    def _lacking(self) -> str:
        parts = self._parts
        if not parts.router.max_calls:
            return "the engine is stopping"
        return "" if parts.media.load else "there is no media worker"

    def _engine_status(self) -> EngineStatus:
        parts = self._parts
        links = parts.links.link_states()
        recorded = parts.services.recordings.counters
        return EngineStatus(
            version=version("polyphony"),
            started_at=self._started_at,
            uptime=time.time() - self._started_at,
            sip=tuple(parts.own.uris()),
            calls=len(self._calls),
            calls_total=self._calls.total,
            workers=tuple(
                WorkerStatus(pid, legs, parts.media.shares.get(pid, 0.0), parts.media.ports.get(pid, 0))
                for pid, legs in parts.media.load.items()
            ),
            worker_restarts=parts.media.counters["workers_lost"],
            lines_registered=parts.registrations.registered,
            automates_registered=sum(each.registered for each in links),
            automates_failed=sum(each.automates - each.registered for each in links),
            counters={
                **parts.endpoint.counters.snapshot(),
                **parts.media.totals,
                **recorded,
                **self._office.post.counters,
                **(self._imports.counters if self._imports is not None else {}),
                **self._events.counters,
                **self._webhooks.counters,
            },
        )

    def _engine_metrics(self) -> EngineMetrics:
        media = self._parts.media
        return EngineMetrics(
            uptime=time.time() - self._started_at,
            cpu_seconds=time.process_time(),
            calls=len(self._calls),
            calls_total=self._calls.total,
            workers=tuple(
                WorkerMetrics(
                    index,
                    each.legs,
                    media.share_of(index),
                    each.ticks,
                    each.late_ticks,
                    each.skipped_ticks,
                    each.cpu_seconds,
                )
                for index, each in sorted(media.statistics.items())
            ),
            counters={**self._parts.endpoint.counters.snapshot(), **media.totals},
            totals=self._parts.services.journal.totals,
        )
