"""What the call journal is told of calls: who called whom, who answered, what was missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.call.entitlements import EntitlementReading
from engine.domain.scope import company_of, plain
from engine.store import AutomateRange, Line, Link
from engine.store.records import JournalCall
from sip.uri import Uri
from tests.engine.call.town import ECHO, ENGINE, PASSWORD, Phone, Town

ALICE, BOB, CAROL = "1001", "1002", "1003"
PBX = "192.0.2.90"
LINK = Link(id=1, name="pbx", host=PBX, port=5060, register=False, dialled_prefixes="9")


class Book:
    """A town whose journal is a list."""

    def __init__(self) -> None:
        lines = (ALICE, BOB, CAROL, "200@2", "201@2")
        echo = AutomateRange(id=9, first_number="5100", application="echo", company_id=2)
        self.town = Town(lines, (LINK,), (echo,), sip_domains={"a.example": 2})
        self.entries: list[JournalCall] = []
        self.town.parts.services.journal.remember = self.entries.append  # type: ignore[method-assign]  # a list
        self.town.parts.routing.entitlements.use(EntitlementReading(users={ALICE: "usr_alice"}))

    def phone(self, number: str, host: str) -> Phone:
        return self.town.phone(number, host, registered=True)

    def told(self) -> list[tuple[str, str, str, str]]:
        """Whose, which way, the other side, who answered."""
        return [(each.line, each.direction, each.number, each.answered_by) for each in self.entries]


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_call_between_two_lines(book: Book) -> None:
    """Stands in both journals, with its length; the user of a line that has one is named."""
    alice, bob = book.phone(ALICE, "198.51.100.11"), book.phone(BOB, "198.51.100.12")
    alice.dial(BOB, password=PASSWORD)
    book.town.pass_time(5)
    bob.call.hangup()
    book.town.pass_time(0.5)
    assert book.told() == [(ALICE, "out", BOB, BOB), (BOB, "in", ALICE, BOB)]
    assert [each.user for each in book.entries] == ["usr_alice", None]
    assert all(4.5 < each.seconds < 6 for each in book.entries)
    assert len({each.call_id for each in book.entries}) == 2  # each side's own: its quality is found by it
    book.town.at_rest()


@pytest.mark.parametrize("status", [486, 603, 180])
def test_a_missed_call(book: Book, status: int) -> None:
    """Refused, or given up by the caller while it rings."""
    alice, bob = book.phone(ALICE, "198.51.100.11"), book.phone(BOB, "198.51.100.12")
    bob.status = status
    alice.dial(BOB, password=PASSWORD)
    if status == 180:
        alice.call.hangup()
    book.town.pass_time(1)
    assert book.told() == [(ALICE, "out", BOB, ""), (BOB, "missed", ALICE, "")]
    assert [each.seconds for each in book.entries] == [0, 0]


def test_calls_of_a_link(book: Book) -> None:
    """Who is outside has no journal of ours."""
    book.town.pass_time(0.1)
    pbx, alice = book.town.phone("pbx", PBX), book.phone(ALICE, "198.51.100.11")
    pbx.dial(ALICE, caller="0612345678")
    pbx.call.hangup()
    book.town.pass_time(0.5)
    alice.dial("90123", password=PASSWORD)
    alice.call.hangup()
    book.town.pass_time(0.5)
    assert book.told() == [(ALICE, "in", "0612345678", ALICE), (ALICE, "out", "90123", "90123")]


def test_an_automate_and_a_transfer(book: Book) -> None:
    """An automate's calls stand under its number; who was carried over stands as it began."""
    alice, bob = book.phone(ALICE, "198.51.100.11"), book.phone(BOB, "198.51.100.12")
    alice.dial(BOB, password=PASSWORD)
    alice.call.refer(Uri("sip", ECHO, None, ENGINE.host))
    book.town.pass_time(1)
    bob.call.hangup()
    book.town.pass_time(1)
    assert sorted(book.told()) == [
        (ALICE, "out", BOB, BOB),
        (BOB, "in", ALICE, BOB),
        (ECHO, "in", BOB, ECHO),
    ]


def test_each_company_has_its_own(book: Book) -> None:
    """Under plain numbers."""
    caller = book.phone("200@2", "198.51.100.21")
    caller.dial("5100", password=PASSWORD, display_host="a.example", domain="a.example")
    caller.call.hangup()
    book.town.pass_time(0.5)
    assert book.told() == [("200", "out", "5100", "5100"), ("5100", "in", "200", "5100")]
    assert {each.company_id for each in book.entries} == {2}


def test_names(book: Book) -> None:
    """A line's display name; else what a caller says of itself."""
    town = book.town
    named = [replace(each, display_name=f"Line {each.number}") for each in _lines(town)]
    town.parts._history.names = {each.key: each.display_name for each in named}
    alice, _ = book.phone(ALICE, "198.51.100.11"), book.phone(BOB, "198.51.100.12")
    alice.dial(BOB, password=PASSWORD)
    alice.call.hangup()
    town.pass_time(0.5)
    assert [each.name for each in book.entries] == [f"Line {BOB}", f"Line {ALICE}"]


def _lines(town: Town) -> list[Line]:
    secrets = town.parts.secrets
    return [
        Line(number=plain(each), realm="", ha1=ha1, company_id=company_of(each))
        for each, ha1 in secrets.items()
    ]
