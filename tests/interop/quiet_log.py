"""What a healthy engine's log and counters never hold, whatever came over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.interop.engine_process import Engine

BAD_WORDS = (
    "Unhandled",
    "Traceback",
    "could not be served",
    "was not handled",
    " failed | ",
    "never retrieved",
)
"""Twisted's, Python's and our own words for an exception that reached the last line."""
BAD_COUNTERS = ("application_error", "internal_error", "event_faults")


def assert_no_exception(engine: Engine) -> None:
    """No exception reached the reactor, a last line of defence, or a worker's standard error."""
    found = [line for line in engine.log.splitlines() if any(word in line for word in BAD_WORDS)]
    assert not found, "\n".join(found[:5])
    counters = engine.status()["counters"]
    assert not {name: counters[name] for name in BAD_COUNTERS if counters.get(name)}
