"""Who asks too often gets 429 and is told how long to wait, over loopback."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from admin_api.throttle import Throttle
from engine.domain.actor import Actor, Role
from tests.admin_api.served import USER, Served


def request() -> Any:
    headers: dict[bytes, bytes] = {}
    return SimpleNamespace(
        getClientAddress=lambda: SimpleNamespace(host="192.0.2.7"),
        setHeader=headers.__setitem__,
        setResponseCode=lambda code: None,
        headers=headers,
    )


def test_of_a_token() -> None:
    """Each by itself; a password's actor is bounded by her source only."""
    now = [0.0]
    throttle = Throttle(0, 0.5, lambda: now[0])
    token, other, person = (
        Actor(name, Role.READ_ONLY, None) for name in ("token:tok_a", "token:tok_b", "admin:jane")
    )
    assert throttle.of_token(request(), token) is None
    asked = request()
    assert throttle.of_token(asked, token) is not None
    assert asked.headers[b"retry-after"] == b"2"
    assert throttle.of_token(request(), other) is None
    assert all(throttle.of_token(request(), person) is None for _ in range(9))
    now[0] = 2.0
    assert throttle.of_token(request(), token) is None


@pytest.fixture
def served(tmp_path: Path) -> Any:
    found = Served(tmp_path, "http.source_rate=1")
    yield found
    found.close()


def test_of_a_source(served: Served) -> None:
    """Every route of the network counts, the local socket never."""
    answers = [served.ask("/health") for _ in range(20)]
    refused = [each for each in answers if each.status == 429]
    assert len(refused) >= 10
    assert all(each.is_problem(429) and int(each.headers["retry-after"]) >= 1 for each in refused)
    assert served.ask("/api/v1/status", local=True).status == 200
    assert {served.ask("/api/v1/status", user=USER, local=True).status for _ in range(20)} == {200}
