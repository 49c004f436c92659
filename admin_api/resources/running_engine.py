"""``/api/v1/status`` and its like: what the running engine says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from admin_api.bodies import json_answer
from admin_api.metrics import CONTENT_TYPE, render
from admin_api.operations import Operation
from engine.status import AutomateStatus, EngineStatus, LineStatus, LinkStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.iweb import IRequest

    from admin_api.routes import Resource, Routes
    from engine.status import StatusSource

TAG = "engine"
OK = dict[str, str]


class RunningEngine:
    """Figures and states, for administrators; that it runs, for everybody."""

    def __init__(self, status: StatusSource) -> None:
        self._status = status

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
            routes.read(f"/api/v1/{name}", _reader(read), Operation(summary, TAG, answer))
        metrics = Operation("Figures for Prometheus, in its text format.", TAG, str, answers=("text/plain",))
        routes.read("/metrics", self._metrics, metrics)
        health = Operation("Says that the process answers.", TAG, OK, public=True)
        for path in ("/health", "/api/v1/health"):
            routes.read_by_all(path, _health, health)

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
