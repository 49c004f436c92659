"""``/api/v1/status`` and its like: what the running engine says of itself."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from admin_api.bodies import json_answer
from admin_api.metrics import CONTENT_TYPE, render
from admin_api.operations import Operation
from admin_api.problems import problem
from engine.status import AutomateStatus, EngineStatus, LineStatus, LinkStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.iweb import IRequest

    from admin_api.routes import Resource, Routes
    from engine.status import StatusSource

TAG = "engine"
OK = dict[str, str]
FORMER = frozenset({"status", "automates", "links"})
"""What is told beside ``status`` too; ``lines`` are a noun."""


class RunningEngine:
    """Figures and states, for administrators; that it runs, for everybody.

    nouns: names of those that have their own routes. States are under ``status`` and, as ever, beside it where no noun
    has the name.
    """

    def __init__(self, status: StatusSource, nouns: Collection[str]) -> None:
        self._status = status
        self._nouns = nouns

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        status = self._status
        told: dict[str, tuple[Callable[[], object], str, Any]] = {
            "status": (status.engine, "Shows the engine at this moment.", EngineStatus),
            "automates": (
                status.automates,
                "Lists the numbers of automates and what became of each.",
                list[AutomateStatus],
            ),
            "links": (status.links, "Lists the links and whether their PBXes answer.", list[LinkStatus]),
            "lines": (status.lines, "Lists the lines and where their phones are.", list[LineStatus]),
        }
        for name, (read, summary, answer) in told.items():
            operation = Operation(summary, TAG, answer)
            if name in FORMER and name not in self._nouns:
                routes.read(f"/api/v1/{name}", _reader(read), operation)
            if name != "status":
                routes.read(f"/api/v1/status/{name}", _reader(read), operation)
        metrics = Operation("Figures for Prometheus, in its text format.", TAG, str, answers=("text/plain",))
        routes.read("/metrics", self._metrics, metrics)
        health = Operation("Says that the process answers.", TAG, OK, public=True)
        for path in ("/health", "/api/v1/health"):
            routes.read_by_all(path, _health, health)
        ready = Operation(
            "Says whether it takes calls.",
            TAG,
            OK,
            refusals=frozenset({HTTPStatus.SERVICE_UNAVAILABLE}),
            public=True,
        )
        routes.read_by_all("/ready", self._ready, ready)

    def _ready(self, request: IRequest) -> bytes:
        """For whoever spreads calls or restarts what is stuck; says nothing else of the engine."""
        lacking = self._status.lacking()
        if lacking:
            return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, lacking[:1].upper() + lacking[1:] + ".")
        return json_answer(request, {"status": "ready"})

    async def _metrics(self, request: IRequest) -> bytes:
        request.setHeader(b"content-type", CONTENT_TYPE)
        request.setHeader(b"cache-control", b"no-store")
        return render(self._status.metrics())


def _reader(read: Callable[[], object]) -> Resource:
    async def answer(request: IRequest) -> bytes:
        return json_answer(request, read())

    return answer


def _health(request: IRequest) -> bytes:
    return json_answer(request, {"status": "ok"})
