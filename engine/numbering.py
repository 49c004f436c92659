"""What the store says about numbers, links and prompts, read in one go and kept in memory for the calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.automates.catalogue import APPLICATIONS
from engine.call.numbers import NumberPlan, NumberRange
from engine.store import AutomateRange, Line, Link, Prompt, Store


@dataclass(frozen=True, slots=True)
class Numbering:
    """One reading of the store. Replaced as a whole when the store has changed."""

    ranges: tuple[AutomateRange, ...] = ()
    lines: tuple[Line, ...] = ()
    links: tuple[Link, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    plan: NumberPlan = field(default_factory=NumberPlan)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


def read_numbering(store: Store) -> Numbering:
    """Read what is enabled; blocks, so call it in the store's thread."""
    ranges = tuple(each for each in store.automate_ranges.all() if each.enabled)
    lines = tuple(each for each in store.lines.all() if each.enabled)
    links = tuple(each for each in store.links.all() if each.enabled)
    secrets = {each.number: each.ha1 for each in lines}
    return Numbering(ranges, lines, links, tuple(store.prompts.all()), plan_of(ranges, lines, links), secrets)


def plan_of(
    ranges: tuple[AutomateRange, ...], lines: tuple[Line, ...], links: tuple[Link, ...]
) -> NumberPlan:
    """Which number leads where; ranges whose application this version does not have answer nothing."""
    known = (each for each in ranges if each.application in APPLICATIONS)
    return NumberPlan(
        (
            NumberRange(each.id, each.first_number, each.count, each.application, dict(each.parameters))
            for each in known
        ),
        (each.number for each in lines),
        {prefix: link.name for link in links for prefix in link.prefixes},
    )
