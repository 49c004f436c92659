"""Once a day, at its hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from engine.config.journal_section import JournalSection
from engine.journal_cleaning import JournalCleaning, until


@given(
    st.floats(1.7e9, 1.9e9),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["UTC", "Europe/Paris"]),
)
def test_it_is_never_far_and_never_now(at: float, hours: int, minutes: int, zone: str) -> None:
    """A day has up to 25 hours where clocks are set; on these days it may be an hour off, but comes."""
    now = datetime.fromtimestamp(at, ZoneInfo(zone))
    assert 0 < until(f"{hours:02}:{minutes:02}", now) <= 25 * 3600


def test_once_a_day() -> None:
    """At half past three, by what the configuration says then."""
    clock, cleaned = Clock(), []
    start = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    thread: Any = SimpleNamespace(
        later=lambda what, function, *told: cleaned.append((clock.seconds(), *told))
    )
    store: Any = SimpleNamespace(call_journal=SimpleNamespace(clean=None))
    settings = JournalSection(days=10, most=7, least=2)

    def now() -> datetime:
        return start + timedelta(seconds=clock.seconds())

    cleaning = JournalCleaning(clock, thread, store, lambda: settings, now)
    cleaning.start()
    for _ in range(50 * 60):
        clock.advance(60)
    at = 2.5 * 3600
    assert cleaned == [
        (when, (start + timedelta(seconds=when, days=-10)).timestamp(), 7, 2)
        for when in (at, at + 86_400, at + 2 * 86_400)
        if when <= 50 * 3600
    ]
    cleaning.stop()
    assert clock.getDelayedCalls() == []
