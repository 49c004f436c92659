"""Who asks too often waits: by the source of a request, and by the API token it bears."""

from __future__ import annotations

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.problems import problem
from admin_api.rate_limit import RateLimit

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from engine.domain.actor import Actor

_TOKEN = "token:"  # noqa: S105  # how the name of an actor with a token begins


class Throttle:
    """source_rate, token_rate: requests a second; 0 for any number. seconds: a monotonic clock."""

    def __init__(self, source_rate: float, token_rate: float, seconds: Callable[[], float]) -> None:
        self._sources = RateLimit(source_rate)
        self._tokens = RateLimit(token_rate)
        self._seconds = seconds

    def of_source(self, request: IRequest) -> bytes | None:
        """The refusal of a source that asks too often; before anything else of a request is looked at."""
        source = str(getattr(request.getClientAddress(), "host", ""))
        return self._refused(request, self._sources.wait(source, self._seconds()))

    def of_token(self, request: IRequest, actor: Actor) -> bytes | None:
        """The refusal of a token that is used too often, wherever from."""
        if not actor.name.startswith(_TOKEN):
            return None
        return self._refused(request, self._tokens.wait(actor.name, self._seconds()))

    def _refused(self, request: IRequest, waits: float) -> bytes | None:
        if not waits:
            return None
        request.setHeader(b"retry-after", str(math.ceil(waits)).encode())
        return problem(request, HTTPStatus.TOO_MANY_REQUESTS, "Too many requests.", reason="rate")
