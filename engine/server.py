"""The engine put together: every part is made here, started in order, and stopped in the reverse one."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger

from engine.call.register import CallRegister
from engine.certificate import CertificateFiles, ensure_self_signed
from engine.config import Config, differences
from engine.numbering import Numbering, read_numbering
from engine.parts import Parts, build
from engine.prompts import catalogue
from engine.services import Service, ServiceContext, load_services
from engine.status import EngineStatus, StatusSource, WorkerStatus
from engine.store import Recording, Store, StoreError
from engine.store.first_start import fill
from engine.store_thread import StoreThread
from sip.flow import host_port

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from engine.data_directory import DataDirectory
    from engine.services import ServiceReactor

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""What the ready line names for "every address": one that answers from here."""

log = Logger()


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
        self._parts: Parts | None = None

    # ---- life

    async def start(self) -> str | None:
        """Start everything; returns the administrator's password when it has just been made.

        Raises:
            StartError: something the administrator must mend.
        """
        self._store_thread.start()
        password = await self._store_thread.call(self._open_store)
        certificate = self._certificate()
        self._parts = parts = build(self._reactor, self._directory, self._config, certificate, self._calls)
        parts.services.recording_closed = self._recording_closed
        try:
            await parts.media.start()
            self._load_prompts()
            await parts.registrations.load(self._store_thread, self._store)
            await parts.endpoint.start()
        except OSError as error:
            raise StartError(f"cannot listen: {error}") from error
        parts.take_ports(self._config)
        self._apply_numbering()
        parts.links.start()
        await self._start_services(certificate)
        return password

    async def stop(self) -> None:
        """Say goodbye to every call, close the recordings, unregister, and close everything."""
        parts = self._parts
        if parts is not None:
            log.info("stopping with {calls} conversation(s)", calls=len(self._calls))
            parts.router.max_calls = 0
            await self._within(self._calls.stop_all(), self._config.engine.stop_timeout / 2)
            await self._within(ensureDeferred(parts.links.stop()), self._config.engine.stop_timeout / 4)
            for service in reversed(self._running):
                await service.stop()
            await parts.endpoint.stop()
            await parts.media.stop()
        self._store_thread.stop()
        self._store.close()

    async def reload(self, config: Config) -> None:
        """Take up another configuration and what the store says now; calls are not touched."""
        applied, later = differences(self._config, config)
        if later:
            log.warn("these keys take effect after a restart: {keys}", keys=", ".join(later))
        self._config = config
        assert self._parts is not None
        self._parts.configure(config)
        self._numbering = await self._store_thread.call(read_numbering, self._store)
        self._load_prompts()
        self._apply_numbering()
        log.info("reloaded; changed keys: {keys}", keys=", ".join(applied) or "none")

    def ready(self) -> dict[str, object]:
        """What the ready line tells, besides the process id."""
        assert self._parts is not None
        return {"sip": self._sip_uris(), **self._told, "workers": self._parts.media.pids}

    # ---- starting

    def _open_store(self) -> str | None:
        """In the store's thread."""
        try:
            self._store.open()
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
        assert self._parts is not None
        for name, path in catalogue().items():
            self._parts.load_prompt(name, path)
        for prompt in self._numbering.prompts:
            self._parts.load_prompt(prompt.name, Path(prompt.path))

    def _apply_numbering(self) -> None:
        assert self._parts is not None
        self._parts.apply(self._numbering)

    async def _start_services(self, certificate: CertificateFiles) -> None:
        context = ServiceContext(
            reactor=cast("ServiceReactor", self._reactor),
            config=self._config,
            status=self._status_source(),
            verify_admin=self._verify_admin,
            socket=self._directory.socket,
            certificate=Path(self._config.http.tls_certificate or certificate.certificate),
            key=Path(self._config.http.tls_key or certificate.key),
        )
        for service in load_services(context):
            try:
                self._told.update(await service.start())
            except OSError as error:
                raise StartError(f"{type(service).__name__} cannot start: {error}") from error
            self._running.append(service)

    async def _within(self, waited_for: Deferred[None], seconds: float) -> None:
        """Wait, but not for ever: a peer that does not answer must not hold the process."""
        waited_for.addTimeout(seconds, self._reactor)
        try:
            await waited_for
        except TimeoutError:
            log.warn("some peers did not answer while stopping")

    # ---- what others are told

    def _recording_closed(
        self, number: str, caller: str, path: Path, samples: int, reason: str | None
    ) -> None:
        seconds = samples / 8000
        recording = Recording(
            number=number,
            caller=caller,
            path=str(path),
            started_at=time.time() - seconds,
            seconds=seconds,
            reason=reason or "closed",
        )
        self._store_thread.later("storing a recording", self._store.recordings.add, recording)

    async def _verify_admin(self, name: str, password: str) -> bool:
        return await self._store_thread.call(self._store.admins.verify, name, password)

    def _sip_uris(self) -> list[str]:
        assert self._parts is not None
        found = []
        for address in self._parts.endpoint.listening:
            host = WILDCARDS.get(address.host, address.host)
            found.append(f"sip:{host_port(host, address.port)};transport={address.transport}")
        return found

    def _status_source(self) -> StatusSource:
        parts = self._parts
        assert parts is not None
        return StatusSource(
            engine=self._engine_status,
            automates=lambda: parts.links.automate_states(self._numbering, self._calls.by_number),
            links=parts.links.link_states,
            lines=lambda: parts.registrations.states(self._numbering),
        )

    def _engine_status(self) -> EngineStatus:
        parts = self._parts
        assert parts is not None
        links = parts.links.link_states()
        return EngineStatus(
            version=version("polyphony"),
            started_at=self._started_at,
            uptime=time.time() - self._started_at,
            sip=tuple(self._sip_uris()),
            calls=len(self._calls),
            calls_total=self._calls.total,
            workers=tuple(WorkerStatus(pid, legs) for pid, legs in parts.media.load.items()),
            worker_restarts=parts.media.counters["workers_lost"],
            lines_registered=parts.registrations.registered,
            automates_registered=sum(each.registered for each in links),
            automates_failed=sum(each.automates - each.registered for each in links),
            counters={**parts.endpoint.counters.snapshot(), **parts.media.counters},
        )
