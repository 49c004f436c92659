"""What the store says about numbers, links and prompts, read in one go and kept in memory for the calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from conference.definition import RoomDefinition
from conference.schedule import Agenda
from engine.automates.catalogue import APPLICATIONS
from engine.call.dialling import Dialling
from engine.call.number_plans import NumberPlans
from engine.call.numbers import NumberPlan, NumberRange
from engine.domain.scope import DEFAULT_COMPANY
from engine.store import AutomateRange, Line, Link, Prompt, Store
from engine.store.conferences.policies import policy_of
from engine.store.conferences.records import ConferencePolicy, ConferenceRoom

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

    @property
    def room_definitions(self) -> list[RoomDefinition]:
        """The rooms, each with the policy of its owner."""
        policies = list(self.policies)
        return [
            replace(each.definition, policy=policy_of(policies, each.definition.owner)) for each in self.rooms
        ]


def read_numbering(store: Store) -> Numbering:
    """Read what is enabled; blocks, so call it in the store's thread."""
    ranges = tuple(each for each in store.automate_ranges.all() if each.enabled)
    lines = tuple(each for each in store.lines.all() if each.enabled)
    links = tuple(each for each in store.links.all() if each.enabled)
    secrets = {each.number: each.ha1 for each in lines}
    rooms = tuple(each for each in store.rooms.all() if each.enabled)
    agenda = Agenda(store.planned_meetings.all())
    plans = NumberPlans({DEFAULT_COMPANY: plan_of(ranges, lines, links, rooms)})
    policies = tuple(store.meeting_policies.all())
    dialling = Dialling.of(store.dial_plans.all())
    return Numbering(
        ranges, lines, links, tuple(store.prompts.all()), rooms, plans, secrets, policies, agenda, dialling
    )


def plan_of(
    ranges: tuple[AutomateRange, ...],
    lines: tuple[Line, ...],
    links: tuple[Link, ...],
    rooms: tuple[ConferenceRoom, ...] = (),
) -> NumberPlan:
    """Which number leads where; ranges whose application this version does not have answer nothing."""
    numbers = [
        NumberRange(each.id, each.first_number, each.count, each.application, dict(each.parameters))
        for each in ranges
    ]
    numbers += [NumberRange(0, each.number, 1, CONFERENCE, {"room": each.number}) for each in rooms]
    return NumberPlan(
        (each for each in numbers if each.application in APPLICATIONS),
        (each.number for each in lines),
        {prefix: link.name for link in links for prefix in link.prefixes},
    )
