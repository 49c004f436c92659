"""The call journal: written by the engine, read by whom it concerns, cleaned by age and number."""

from __future__ import annotations

import msgspec
import pytest

from engine.administration.calls import Call, CallDraft
from engine.administration.query import Query
from engine.domain.actor import LOCAL, Actor, Role
from engine.store import Forbidden, NotFound
from engine.store.records import JournalCall
from tests.engine.administration.town import Town

JANE, JOHN = "usr_jane", "usr_john"


def entry(company: int, **changes: object) -> JournalCall:
    """A call of a minute from outside to 200, Jane's."""
    values: dict[str, object] = {
        "company_id": company,
        "line": "200",
        "user": JANE,
        "direction": "in",
        "number": "0612345678",
        "name": "Élise\r\n",
        "started_at": 1000.0,
        "seconds": 60.0,
        "answered_by": "200",
        "recording": "",
        "call_id": "a@b",
    }
    return msgspec.convert(values | changes, JournalCall)


@pytest.fixture
def companies(town: Town) -> tuple[int, int]:
    """The keys of ours and theirs, each with a call."""
    keys = town.key_of(town.ours.company), town.key_of(town.theirs.company)
    town.store.call_journal.write([entry(key, call_id=f"{key}@b") for key in keys], {f"{keys[0]}@b": 4.2})
    return keys


def calls(town: Town, actor: Actor, **asked: object) -> list[Call]:
    """What she sees."""
    return town.nouns["calls"].page(actor, Query(**asked)).items  # type: ignore[arg-type]  # as a caller gives it


def test_a_call_as_it_is_shown(town: Town, companies: tuple[int, int]) -> None:
    """With its company and its time; what came from the network cannot break a line."""
    (call,) = calls(town, town.ours.administrator)
    assert (call.company, call.line, call.user, call.direction) == (town.ours.company, "200", JANE, "in")
    assert (call.number, call.name, call.seconds, call.mos) == ("0612345678", "Élise  ", 60.0, 4.2)
    assert call.started_at.isoformat() == "1970-01-01T00:16:40+00:00"
    assert calls(town, town.ours.administrator, q="elise 0612") == [call]
    assert calls(town, town.ours.administrator, filters={"direction": "missed"}) == []
    assert calls(town, LOCAL, filters={"company": town.ours.company}) == [call]


def test_whose_calls_one_sees(town: Town, companies: tuple[int, int]) -> None:
    """A user her own, in her company; an administrator her company's; the super user all."""
    ours, _ = companies
    town.store.call_journal.write(
        [entry(ours, user=JOHN, line="201"), entry(ours, user=None, line="5000")], {}
    )
    companies_of = frozenset({ours})
    for user, lines in ((JANE, ["200"]), (JOHN, ["201"]), (None, [])):
        actor = Actor(f"user:{user}", Role.USER, companies_of, user)
        assert [each.line for each in calls(town, actor)] == lines
    assert len(calls(town, town.ours.administrator)) == 3
    assert len(calls(town, LOCAL)) == 4
    (theirs,) = calls(town, town.theirs.administrator)
    with pytest.raises(NotFound):
        town.nouns["calls"].get(town.ours.administrator, theirs.uid)


def test_nobody_writes_it(town: Town, companies: tuple[int, int]) -> None:
    """The super user neither; a call may be removed, which is noted."""
    noun = town.nouns["calls"]
    (call,) = calls(town, town.ours.administrator)
    with pytest.raises(Forbidden):
        noun.add(LOCAL, CallDraft())
    with pytest.raises(Forbidden):
        noun.remove(Actor("user:jane", Role.USER, frozenset({companies[0]}), JANE), call.uid)
    noun.remove(town.ours.administrator, call.uid)
    assert calls(town, town.ours.administrator) == []
    assert [each.kind for each in town.notebook.changes] == ["calls.removed"]


def test_a_quality_that_comes_later(town: Town, companies: tuple[int, int]) -> None:
    """The leg's last word may follow the call's: it is found by the Call-ID."""
    town.store.call_journal.write([], {f"{companies[1]}@b": 3.1, "unknown": 1.0})
    assert [each.mos for each in calls(town, LOCAL)] == [4.2, 3.1]


def test_cleaning(town: Town) -> None:
    """By age and number; each user keeps her newest ones, and so does a number without a user."""
    company = town.key_of(town.ours.company)
    town.store.call_journal.write(
        [entry(company, started_at=float(at), user=user) for user in (JANE, JOHN) for at in range(10)]
        + [entry(company, started_at=float(at), user=None, line="5000") for at in range(5)],
        {},
    )
    clean = town.store.call_journal.clean
    assert clean(before=0.0, most=0, least=0) == 0
    assert clean(before=5.0, most=0, least=7) == 6
    assert clean(before=5.0, most=0, least=2) == 4 + 3
    assert [each.started_at.timestamp() for each in calls(town, LOCAL, filters={"line": "5000"})] == [
        3.0,
        4.0,
    ]
    assert clean(before=0.0, most=6, least=1) == 5
    left = calls(town, LOCAL, order="-started_at")
    assert len(left) == 7
    assert {each.line for each in left} == {"200", "5000"}
