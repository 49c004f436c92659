"""What the store says about numbers, links and prompts, read in one go and kept in memory for the calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from conference.definition import RoomDefinition
from conference.schedule import Agenda
from engine.automates.catalogue import APPLICATIONS
from engine.call.dialling import Dialling
from engine.call.number_plans import NumberPlans
from engine.call.numbers import NumberPlan, NumberRange
from engine.domain.scope import scoped
from engine.store import AutomateRange, Line, Link, Prompt, Store
from engine.store.conferences.policies import policy_of
from engine.store.conferences.records import ConferencePolicy, ConferenceRoom
from engine.store.domain.companies import CompaniesNow

READ_FROM = frozenset({"companies", "domains", "dial-rules"})
"""The nouns of which calls know something by a reading of the store."""
CONFERENCE = "conference"
"""The application that answers a room's own number, its parameter ``room`` being the number."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """One reading of the store. Replaced as a whole when the store has changed."""

    ranges: tuple[AutomateRange, ...] = ()
    lines: tuple[Line, ...] = ()
    links: tuple[Link, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    rooms: tuple[ConferenceRoom, ...] = ()
    plans: NumberPlans = field(default_factory=NumberPlans)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    policies: tuple[ConferencePolicy, ...] = ()
    agenda: Agenda = field(default_factory=Agenda)
    dialling: Dialling = field(default_factory=Dialling)
    company_uids: Mapping[int, str] = field(default_factory=dict)

    @property
    def room_definitions(self) -> list[RoomDefinition]:
        """The rooms, each with the policy of its owner, who is named by the scoped number."""
        policies: dict[int, list[ConferencePolicy]] = {}
        for each in self.policies:
            policies.setdefault(each.company_id, []).append(each)
        found = []
        for room in self.rooms:
            owner, company = room.definition.owner, room.company_id
            policy = policy_of(policies.get(company, []), owner)
            known = None if owner is None else scoped(owner, company)
            found.append(replace(room.definition, owner=known, policy=policy))
        return found


def read_numbering(store: Store) -> Numbering:
    """Read what is enabled, in companies that are; blocks, so call it in the store's thread."""
    companies = store.companies.now()
    ranges = tuple(each for each in store.automate_ranges.all() if _is_on(each, companies))
    lines = tuple(each for each in store.lines.in_service() if _is_on(each, companies))
    links = tuple(each for each in store.links.all() if _is_on(each, companies))
    rooms = tuple(each for each in store.rooms.all() if _is_on(each, companies))
    return Numbering(
        ranges,
        lines,
        links,
        tuple(store.prompts.all()),
        rooms,
        plans_of(ranges, lines, links, rooms, dict(companies.sip_domains)),
        {each.key: each.ha1 for each in lines if each.ha1},
        tuple(store.meeting_policies.all()),
        Agenda(store.planned_meetings.all()),
        Dialling.of(store.dial_plans.all()),
        companies.uids,
    )


class _Enabled(Protocol):
    """What can be switched off, alone or with its company."""

    @property
    def enabled(self) -> bool: ...

    @property
    def company_id(self) -> int: ...


def _is_on(record: _Enabled, companies: CompaniesNow) -> bool:
    return record.enabled and record.company_id in companies.enabled


def plans_of(
    ranges: Iterable[AutomateRange],
    lines: Iterable[Line],
    links: Iterable[Link],
    rooms: Iterable[ConferenceRoom] = (),
    sip_domains: Mapping[str, int] | None = None,
) -> NumberPlans:
    """Which number leads where in each company; ranges whose application this version lacks answer nothing."""
    numbers: dict[int, list[NumberRange]] = {}
    for each in ranges:
        if each.application in APPLICATIONS:
            numbers.setdefault(each.company_id, []).append(
                NumberRange(each.id, each.first_number, each.count, each.application, dict(each.parameters))
            )
    for room in rooms:
        numbers.setdefault(room.company_id, []).append(
            NumberRange(0, room.number, 1, CONFERENCE, {"room": room.number})
        )
    phones: dict[int, list[str]] = {}
    for line in lines:
        phones.setdefault(line.company_id, []).append(line.number)
    prefixes: dict[int, dict[str, str]] = {}
    for link in links:
        prefixes.setdefault(link.company_id, {}).update(dict.fromkeys(link.prefixes, link.key))
    plans = {
        company: NumberPlan(numbers.get(company, ()), phones.get(company, ()), prefixes.get(company), company)
        for company in {*numbers, *phones, *prefixes}
    }
    return NumberPlans(plans, sip_domains)
