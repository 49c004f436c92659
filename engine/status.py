"""What the running engine says of itself: one snapshot for the API, the console and the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.call_journal import CallTotals


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One media worker: its process, the legs it carries and the share of a core it uses for them.

    ``ports``: pairs of ports that are in use, as it last said.
    """

    pid: int
    legs: int
    load: float = 0.0
    ports: int = 0


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The engine at one moment. Times are Unix seconds, durations seconds."""

    version: str
    started_at: float
    uptime: float
    sip: tuple[str, ...]
    calls: int
    calls_total: int
    workers: tuple[WorkerStatus, ...]
    worker_restarts: int
    lines_registered: int
    automates_registered: int
    automates_failed: int
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AutomateStatus:
    """One automate number. ``since`` is a Unix time; ``link`` is empty for a number of our own; company: its uid."""

    number: str
    application: str
    link: str
    state: str
    since: float
    last_error: str
    calls: int
    company: str = ""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One link: whether its PBX answers, and how many of its automates are registered."""

    name: str
    address: str
    transport: str
    state: str
    since: float
    last_error: str
    automates: int
    registered: int
    company: str = ""


@dataclass(frozen=True, slots=True)
class LineStatus:
    """One line and the phones registered under it (their contact addresses, without passwords)."""

    number: str
    contacts: tuple[str, ...]
    company: str = ""


@dataclass(frozen=True, slots=True)
class WorkerMetrics:
    """A worker's totals since it began, as it last told them. ``load``: of a core, 0 to 1."""

    index: int
    legs: int
    load: float
    ticks: int
    late_ticks: int
    skipped_ticks: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """What is measured, as numbers."""

    uptime: float
    cpu_seconds: float
    calls: int
    calls_total: int
    workers: tuple[WorkerMetrics, ...]
    counters: Mapping[str, int]
    totals: CallTotals


class StatusSource:
    """Collects the snapshot from those who own each fact."""

    def __init__(
        self,
        *,
        engine: Callable[[], EngineStatus],
        automates: Callable[[], list[AutomateStatus]],
        links: Callable[[], list[LinkStatus]],
        lines: Callable[[], list[LineStatus]],
        metrics: Callable[[], EngineMetrics],
        lacking: Callable[[], str] = str,
    ) -> None:
        """lacking: what keeps it from taking calls; empty where nothing does."""
        self.lacking = lacking
        self.engine = engine
        self.automates = automates
        self.links = links
        self.lines = lines
        self.metrics = metrics
