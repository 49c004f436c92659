"""What is kept of calls: totals at once, records in the store some seconds later."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from engine.call_journal import GATHER_SECONDS, MOS_BOUNDS, CallJournal
from engine.store import Store
from tests.engine.call_records import call_record


class Now:
    """A store thread that does not wait."""

    def later(self, what: str, function: Any, *arguments: Any) -> None:
        function(*arguments)


@pytest.fixture
def store(store_url: str) -> Any:
    opened = Store(store_url)
    opened.open()
    yield opened
    opened.close()


def test_calls_are_stored_together(store: Store) -> None:
    """Within two seconds of the first, in one go; control characters of the network are not."""
    clock, journal = Clock(), CallJournal()
    journal.keep_in(store, Now(), clock, days=90)  # type: ignore[arg-type]
    for number in range(5):
        journal.note(call_record(number=f"20{number}", started_at=time.time() + number))
    journal.note(call_record(number="evil\r\n", call_id="x" * 400, mos_average=None, started_at=time.time()))
    assert store.calls.all() == []
    clock.advance(GATHER_SECONDS)
    assert [each.number for each in store.calls.latest(2)] == ["204", "203"]
    (evil,) = store.calls.latest(9, "evil  ")
    assert (len(evil.call_id), evil.mos_average) == (255, None)
    assert clock.getDelayedCalls() == []
    journal.flush()
    assert len(store.calls.all()) == 6


def test_what_is_left_at_the_end_is_stored(store: Store) -> None:
    """``flush`` before the store closes."""
    clock, journal = Clock(), CallJournal()
    journal.keep_in(store, Now(), clock, days=90)  # type: ignore[arg-type]
    journal.note(call_record(started_at=time.time()))
    journal.flush()
    assert len(store.calls.all()) == 1
    assert clock.getDelayedCalls() == []


def test_old_calls_are_forgotten(store: Store) -> None:
    """Those older than the days they are to be kept."""
    journal = CallJournal()
    journal.keep_in(store, Now(), Clock(), days=2)  # type: ignore[arg-type]
    journal.note(call_record(number="old", started_at=time.time() - 3 * 86_400))
    journal.note(call_record(number="new", started_at=time.time() - 86_400))
    journal.flush()
    assert [each.number for each in store.calls.all()] == ["new"]


def test_totals_without_a_store() -> None:
    """They count; calls too short to be rated are in no bucket."""
    journal = CallJournal()
    for score in (4.5, 4.41, 1.0, None):
        journal.note(call_record(mos_average=score, direction="out", codec="OPUS"))
    totals = journal.totals
    assert totals.ended == {("out", "OPUS"): 4}
    assert (totals.lost, totals.late, totals.received) == (8, 4, 4 * 2998)
    assert totals.mos[0] == 1
    assert totals.mos[len(MOS_BOUNDS) - 1] == 2
    assert sum(totals.mos) == 3


def test_the_command(tmp_path: Path) -> None:
    """``polyphony calls`` shows the newest first."""
    from click.testing import CliRunner

    from engine.cli.main import main

    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    opened.open()
    opened.calls.journal([call_record(number="200"), call_record(number="300", started_at=2000.0)])
    opened.close()
    result = CliRunner().invoke(main, ["calls", "--data", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert result.output.index("300") < result.output.index("200 ")
    assert "4.3" in result.output
