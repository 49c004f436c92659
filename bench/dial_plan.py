"""How long a dial plan takes for a number: the starting rules, and the worst that a domain may have.

    python bench/dial_plan.py [NUMBERS]

Prints a JSON object a line: the plan, its rules, steps a character, and microseconds of processor a number: median,
99.9 %, most. The worst plans have as many rules as a domain may, or expressions that together take as many steps as are
allowed; their numbers are as long as any that is looked at, and end without any rule having fitted.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterable

from engine.domain.dial_plan import DialPlan, DialPlanError, DialRule, DialSettings, Direction, starting_rules
from engine.domain.dial_plan.plan import LONGEST_READ, MOST_EXPRESSIONS, MOST_RULES, MOST_STEPS, compile_rule

SETTINGS = DialSettings()


def outgoing(patterns: Iterable[str]) -> list[DialRule]:
    """Rules that would replace what they find by nothing."""
    return [DialRule(Direction.OUTGOING, 1, each, "") for each in patterns]


def worst(pattern: str) -> list[DialRule]:
    """As often ``pattern`` as a domain may have it."""
    steps = compile_rule(outgoing([pattern])[0], SETTINGS).pattern.steps
    return outgoing([pattern] * min(MOST_EXPRESSIONS, MOST_STEPS // steps))


PLANS: dict[str, list[DialRule]] = {
    "starting rules": list(starting_rules("33")),
    "prefixes": outgoing(f"x{each}" for each in range(MOST_RULES)),
    "short expressions": worst("[0x]"),
    "ambiguous groups": worst("[(0|00|000)*(0*)*(0?)*x]"),
    "stars in stars": worst("[((((0*)*)*0*)*0*)*x]"),
    "repetitions": worst(r"[(?:(?:\d{0,6}){0,6}){0,4}x]"),
    "many choices": worst(f"[(?:{'|'.join(['0?0*'] * 40)})*x]"),
}


def measure(name: str, rules: list[DialRule], numbers: list[str]) -> dict[str, object]:
    """One plan, all numbers."""
    plan = DialPlan.of(SETTINGS, rules)
    plan.outgoing("0")
    taken = []
    for number in numbers:
        began = time.thread_time()
        plan.outgoing(number)
        taken.append((time.thread_time() - began) * 1e6)
    taken.sort()
    return {
        "plan": name,
        "rules": len(plan.outgoing_rules),
        "steps": sum(each.pattern.steps for each in plan.outgoing_rules),
        "median_us": round(taken[len(taken) // 2], 1),
        "p999_us": round(taken[int(len(taken) * 0.999)], 1),
        "most_us": round(taken[-1], 1),
    }


def main() -> None:
    """All plans; every expression that could be refused is tried for it, too."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    chance = random.Random(5)
    usual = ["+33 (0) 1 23 45 67 89", "+3912334477", "+42(0)141906666", "0033155171889", "2001", "0155171889"]
    longest = ["".join(chance.choices("0000012", k=LONGEST_READ)) for _ in range(count)]
    for name, rules in PLANS.items():
        numbers = usual * (count // len(usual)) if name == "starting rules" else longest
        print(json.dumps(measure(name, rules, numbers)))
    for pattern in (r"[(a+)+\1]", "[(?=(a+)+)b]", r"[(?:\d{0,1000}){0,1000}]"):
        try:
            compile_rule(outgoing([pattern])[0], SETTINGS)
        except DialPlanError as refused:
            print(json.dumps({"refused": pattern, "why": str(refused)}))


if __name__ == "__main__":
    main()
