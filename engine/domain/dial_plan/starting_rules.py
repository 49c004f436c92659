"""The rules a new domain starts with."""

from __future__ import annotations

from collections.abc import Mapping

from engine.domain.dial_plan.placeholders import COUNTRY, EXTERNAL, INTERNATIONAL
from engine.domain.dial_plan.rule import DialRule, Direction

_NATIONAL_PREFIXES: Mapping[str, str] = {
    # Countries whose national (trunk) prefix is not 0: ITU-T, Operational Bulletin 994, dialling procedures.
    "1": "1",
    "7": "8",
    **dict.fromkeys(
        ("30", "34", "39", "45", "47", "48", "351", "352", "356", "357", "371", "372", "376", "377", "378"),
        "",
    ),
    **dict.fromkeys(("379", "420"), ""),
    "36": "06",
    "370": "0",
}

_SHORTEST_NATIONAL = 8
"""Digits after a country prefix without + before they are taken for a number of that country."""


def national_prefix(country: str) -> str:
    """What people of ``country`` dial before a number of their own country; 0 almost everywhere."""
    return _NATIONAL_PREFIXES.get(country, "0")


def starting_rules(country: str) -> tuple[DialRule, ...]:
    """What a domain in ``country`` begins with; administrators change them as they like."""
    national = national_prefix(country)
    abroad = rf"(\+|{INTERNATIONAL})"
    rules = [
        (rf"[{abroad}?{COUNTRY}\(([^)]+)\)]", f"{EXTERNAL}$2", "own country, national prefix in parentheses"),
        (f"[{abroad}{COUNTRY}]", f"{EXTERNAL}{national}", "own country, written as from abroad"),
        (
            rf"[{abroad}?([^(]+)\([^)]+\)]",
            f"{EXTERNAL}{INTERNATIONAL}$2",
            "other country, national prefix dropped",
        ),
        ("+", INTERNATIONAL, "other country"),
    ]
    if national:
        bare = rf"[{COUNTRY}(\d{{{_SHORTEST_NATIONAL}}})]"
        rules.insert(2, (bare, f"{EXTERNAL}{national}$1", "own country, without + or international prefix"))
    return tuple(
        DialRule(Direction.OUTGOING, 10 * at, pattern, result, note=note)
        for at, (pattern, result, note) in enumerate(rules, 1)
    )
