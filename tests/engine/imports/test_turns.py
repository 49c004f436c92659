"""Whose turn it is: schedules, runs that are asked for, and what a crash left."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from engine.administration.query import Query
from engine.domain.actor import LOCAL
from engine.imports.run_report import BY_SCHEDULE
from engine.imports.turns import Turns
from engine.store import InUse, Store
from engine.store.domain.import_tables import UserImportRow
from tests.engine.imports.importing import Importing

HOUR = 3600.0
MIDNIGHT = 1_767_225_600.0  # 2026-01-01 00:00 UTC


class Wall:
    """A clock on the wall."""

    def __init__(self) -> None:
        self.time = MIDNIGHT

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def importing(common_store: Store) -> Importing:
    return Importing(common_store)


@pytest.fixture
def turns(common_store: Store, wall: Wall) -> Turns:
    return Turns(common_store.database, common_store.events, common_store.audit, wall)


def schedule(importing: Importing, text: str, **fields: object) -> None:
    """An import by a schedule that begins at midnight."""
    given = {"kind": "ldap", "host": "nowhere.invalid", "base": "dc=x", "schedule": text, **fields}
    importing.file("update", **given)
    with importing.store.database.writing() as session:
        session.execute(update(UserImportRow).values(scheduled_from=MIDNIGHT))


def over(importing: Importing, turns: Turns) -> None:
    """What waits has been carried out, or given up."""
    while (run := turns.next()) is not None:
        turns.ended(run)


@pytest.mark.parametrize(("text", "hours"), [("every 2 hours", 2.0), ("daily 05:00", 4.0)])
def test_by_the_clock(importing: Importing, turns: Turns, wall: Wall, text: str, hours: float) -> None:
    """When it is due, and not again before the next time; five o'clock in Paris is four in UTC."""
    schedule(importing, text, time_zone="Europe/Paris")
    wall.time = MIDNIGHT + hours * HOUR - 1
    assert (turns.ask(), turns.next()) == (0, None)
    wall.time += 1
    assert turns.ask() == 1
    assert [each.started_by for each in importing.runs.page(LOCAL, Query()).items] == [BY_SCHEDULE]
    over(importing, turns)
    assert turns.ask() == 0


def test_an_engine_that_was_down_makes_up_for_it_once(importing: Importing, turns: Turns, wall: Wall) -> None:
    """However many times were missed."""
    schedule(importing, "daily 05:00")
    wall.time += 100 * HOUR
    assert turns.ask() == 1
    over(importing, turns)
    assert turns.ask() == 0


def test_one_whose_run_is_under_way_waits(importing: Importing, turns: Turns, wall: Wall) -> None:
    """It is asked for again when that is over."""
    schedule(importing, "every 5 minutes")
    wall.time += HOUR
    assert turns.ask() == 1
    wall.time += HOUR
    assert turns.ask() == 0
    over(importing, turns)
    assert turns.ask() == 1


def test_a_disabled_import_does_not_run_by_the_clock(importing: Importing, turns: Turns, wall: Wall) -> None:
    """It can be asked for all the same."""
    schedule(importing, "every 5 minutes", enabled=False)
    wall.time += HOUR
    assert turns.ask() == 0


def test_one_waiting_run_is_enough(importing: Importing, turns: Turns) -> None:
    """Whoever asks again is told so; when it is over she may."""
    source = importing.file()
    importing.ask(source, "login\nann\n")
    with pytest.raises(InUse):
        importing.ask(source, "login\nann\n")
    over(importing, turns)
    importing.ask(source, "login\nann\n")


def test_the_process_is_gone(importing: Importing, turns: Turns, wall: Wall) -> None:
    """A run that is not through was interrupted; one that is stays as it is."""
    source = importing.file()
    run = importing.ask(source, "login\nann\n")
    assert turns.ended(importing.key_of(run)) is not None
    assert importing.runs.get(LOCAL, run.uid).view.state == "interrupted"
    done = importing.run(source, "login\nann\n")
    turns.ended(importing.key_of(done))
    assert importing.runs.get(LOCAL, done.uid).view == done
    assert turns.ended(10**6) is None
