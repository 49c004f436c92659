"""The store of several companies: what one has, another may have as well, and each is found by its company."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.definition import RoomDefinition
from conference.policy import PolicyChoices
from engine.call.numbers import AutomateTarget, LineTarget, LinkTarget
from engine.numbering import read_numbering
from engine.store import AutomateRange, InUse, Line, Link, NotFound, Prompt, Store, Taken
from engine.store.conferences.records import ConferencePolicy, ConferenceRoom, PolicyScope, RoomRange
from engine.store.domain.ownership import first_owned
from engine.store.domain.tables import CompanyRow, DomainRow

OTHER = 2


@pytest.fixture
def two(store: Store) -> Store:
    """A store with a second company, whose domain is b.example."""
    common = {"version": 1, "culture": "en"}
    with store.database.writing() as session:
        session.add(CompanyRow(uid="cmp_b", name="B", name_folded="b", enabled=True, **common))
        session.flush()
        session.add(
            DomainRow(
                uid="dom_b", company_id=OTHER, name="B", name_folded="b", sip_domain="B.Example", **common
            )
        )
    return store


def line(number: str, company: int = 1) -> Line:
    return Line(number=number, realm="polyphony", ha1={"MD5": "0" * 32}, company_id=company)


def test_each_company_has_its_own_numbers(two: Store) -> None:
    """A line, an automate, a room and a range of one company take nothing of another's."""
    first, added = two.lines.add(line("200")), two.lines.add(line("200", OTHER))
    assert (two.lines.get("200"), two.lines.get("200@2")) == (first, added)
    two.automate_ranges.add(AutomateRange(first_number="300", count=10, application="echo"))
    two.lines.add(line("305", OTHER))
    with pytest.raises(Taken, match="automates 300-309"):
        two.lines.add(line("305"))
    with pytest.raises(Taken, match="line 305"):
        two.automate_ranges.add(AutomateRange(first_number="305", application="echo", company_id=OTHER))
    with pytest.raises(Taken, match="another line"):
        two.lines.add(line("200", OTHER))
    two.lines.remove("200@2")
    assert [each.key for each in two.lines.all()] == ["200", "305@2"]
    assert [each.number for each in two.lines.of_company(OTHER)] == ["305"]


def test_links_and_prefixes(two: Store) -> None:
    """Two links of one name; an automate registers on its own company's only."""
    own = two.links.add(Link(name="pbx", host="h", dialled_prefixes="9"))
    other = two.links.add(Link(name="pbx", host="h", dialled_prefixes="9", company_id=OTHER))
    assert (two.links.get("pbx"), two.links.get("pbx@2")) == (own, other)
    with pytest.raises(Taken):
        two.links.add(Link(name="pbx", host="h", company_id=OTHER))
    with pytest.raises(NotFound):
        two.automate_ranges.add(
            AutomateRange(first_number="1", application="echo", link_id=own.id, company_id=OTHER)
        )
    with pytest.raises(NotFound, match="there is no link pbx@3"):
        two.links.remove("pbx@3")


def test_prompts_rooms_and_policies(two: Store) -> None:
    """By name, by number and by owner."""
    for company in (1, OTHER):
        two.prompts.add(
            Prompt(name="closed", path=f"{company}.wav", seconds=1, sha256="", company_id=company)
        )
        two.room_ranges.add(RoomRange(first_number="9001", count=9, company_id=company))
        two.rooms.add(
            ConferenceRoom(definition=RoomDefinition(number="9001", owner="200"), company_id=company)
        )
        two.meeting_policies.add(
            ConferencePolicy(
                scope=PolicyScope.USER,
                name="200",
                choices=PolicyChoices(max_participants=10 * company),
                company_id=company,
            )
        )
    assert [found.path for key in ("closed", "closed@2") if (found := two.prompts.get(key))] == [
        "1.wav",
        "2.wav",
    ]
    room = two.rooms.get("9001@2")
    assert room is not None
    assert (room.definition.key, two.rooms.free_number("", OTHER)) == ("9001@2", "9002")
    assert [each.company_id for each in two.rooms.owned("200@2")] == [OTHER]
    assert two.meeting_policies.of("200@2").max_participants == 20
    definitions = {each.key: each for each in read_numbering(two).room_definitions}
    assert {key: each.policy.max_participants for key, each in definitions.items()} == {
        "9001": 10,
        "9001@2": 20,
    }
    assert {key: each.owner for key, each in definitions.items()} == {"9001": "200", "9001@2": "200@2"}


def test_what_calls_read(two: Store) -> None:
    """A plan for each company, its SIP domain, and no number of a company that is switched off."""
    two.links.add(Link(name="pbx", host="h", dialled_prefixes="9", company_id=OTHER))
    two.lines.add(line("200"))
    two.lines.add(line("200", OTHER))
    two.automate_ranges.add(AutomateRange(first_number="5000", application="echo", company_id=OTHER))
    plans = read_numbering(two).plans
    assert plans.company_at("b.example") == OTHER
    assert plans.of(OTHER).resolve("200") == LineTarget("200", OTHER)
    assert plans.of(OTHER).resolve("9123") == LinkTarget("9123", "pbx@2")
    assert isinstance(plans.of(OTHER).resolve("5000"), AutomateTarget)
    assert plans.of(1).resolve("5000") is None
    assert set(read_numbering(two).secrets) == {"200", "200@2"}
    with two.database.writing() as session:
        company = session.get(CompanyRow, OTHER)
        assert company is not None
        company.enabled = False
    numbering = read_numbering(two)
    assert numbering.plans.company_at("b.example") is None
    assert (numbering.plans.lines, numbering.links, set(numbering.secrets)) == ({"200"}, (), {"200"})


def test_a_company_with_something_left(two: Store) -> None:
    """Its line is named; without any it may go."""
    two.lines.add(line("200", OTHER))
    with two.database.reading() as session:
        assert first_owned(session, OTHER) == "line 200"
        assert first_owned(session, 1) is None
    two.lines.remove("200@2")
    with two.database.reading() as session:
        assert first_owned(session, OTHER) is None


def test_a_link_that_is_needed(two: Store) -> None:
    """As in one company."""
    link = two.links.add(Link(name="pbx", host="h", company_id=OTHER))
    added = two.automate_ranges.add(
        AutomateRange(first_number="1", application="echo", link_id=link.id, company_id=OTHER)
    )
    with pytest.raises(InUse):
        two.links.remove("pbx@2")
    assert two.automate_ranges.update(replace(added, count=2)).count == 2
