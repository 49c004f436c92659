"""What rules and settings are refused, each with a reason; and no rule or number that raises, or takes long."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.dial_plan import DialPlan, DialPlanError, DialRule, DialSettings, Direction, starting_rules
from engine.domain.dial_plan.plan import LONGEST_READ, MOST_EXPRESSIONS, MOST_RULES, MOST_STEPS, compile_rule
from engine.domain.dial_plan.starting_rules import national_prefix

RULE = DialRule(Direction.OUTGOING, 5, "12", "3")


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"pattern": ""}, "pattern", "1 to 255"),
        ({"pattern": "[" + "1" * 255}, "pattern", "1 to 255"),
        ({"pattern": "é"}, "pattern", "ASCII"),
        ({"pattern": "[]"}, "pattern", "between the brackets"),
        ({"pattern": "[(1]"}, "pattern", "missing )"),
        ({"pattern": r"[(1)\1]"}, "pattern", "invalid escape sequence"),
        ({"pattern": "[(?=1)2]"}, "pattern", "invalid perl operator"),
        ({"pattern": "[-Prefix-]1"}, "pattern", "[-Prefix-] is none of them"),
        ({"pattern": "[(1)(2)(3)(4)(5)(6)(7)(8)(9)(0)]"}, "pattern", "at most 9 groups"),
        ({"pattern": r"[(?:(?:\d{0,10}){0,10}){0,9}x]"}, "pattern", "too many steps"),
        ({"pattern": r"[(?:\d{0,1000}){0,1000}x]"}, "pattern", "an expression RE2 knows"),
        ({"pattern": "01-55"}, "pattern", "digits, letters"),
        ({"pattern": "[12"}, "pattern", "digits, letters"),
        ({"result": "$1"}, "result", "the pattern has 0 group(s)"),
        ({"result": "$"}, "result", "digits, letters"),
        ({"result": "1 2"}, "result", "digits, letters"),
        ({"result": "[-Foo-]"}, "result", "[-Foo-] is none of them"),
        ({"result": "1" * 129}, "result", "at most 128"),
        ({"priority": -1}, "priority", "0 to 9999"),
        ({"priority": 10_000}, "priority", "0 to 9999"),
        ({"note": "a\nb"}, "note", "one line"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(changes: dict[str, object], field: str, told: str) -> None:
    """The field is named, and what it should have held."""
    with pytest.raises(DialPlanError, match=re.escape(told)) as refused:
        compile_rule(replace(RULE, **changes), DialSettings())  # type: ignore[arg-type]  # fields by name
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("international_prefix", "+"),
        ("country_prefix", "033"),
        ("external_prefix", "a"),
        ("incoming_remove", "0 "),
        ("incoming_add", "++"),
        ("internal_length", 0),
        ("reverse_length", 16),
    ],
)
def test_settings_that_cannot_be_are_refused(field: str, value: str | int) -> None:
    """Before they get into any rule."""
    with pytest.raises(DialPlanError) as refused:
        DialPlan.of(replace(DialSettings(), **{field: value}))  # type: ignore[arg-type]  # fields by name
    assert refused.value.field == field


def test_a_domain_s_values_are_no_expressions() -> None:
    """An external prefix of * is a star, also within an expression."""
    plan = DialPlan.of(DialSettings(external_prefix="*"), [replace(RULE, pattern="[[-ExternalPrefix-](1)]")])
    assert plan.outgoing("*12").number == "32"
    assert plan.outgoing("112").number == "112"


def test_a_prefix_of_placeholders_is_no_expression() -> None:
    """Though it begins and ends with brackets; and an empty one finds nothing."""
    rule = replace(RULE, pattern="[-InternationalPrefix-][-CountryPrefix-]")
    assert DialPlan.of(DialSettings(), [rule]).outgoing("00331").number == "31"
    rule = replace(RULE, pattern="[-CountryPrefix-]")
    assert DialPlan.of(DialSettings(country_prefix=""), [rule]).outgoing("331").number == "331"


def test_a_domain_has_so_many_rules_and_steps() -> None:
    """Each is harmless; all of them together would not be."""
    DialPlan.of(DialSettings(), [RULE] * MOST_RULES)
    with pytest.raises(DialPlanError, match="at most 200 outgoing rules"):
        DialPlan.of(DialSettings(), [RULE] * (MOST_RULES + 1))
    short = replace(RULE, pattern="[1]")
    DialPlan.of(DialSettings(), [short] * MOST_EXPRESSIONS)
    with pytest.raises(DialPlanError, match="at most 100 outgoing expressions"):
        DialPlan.of(DialSettings(), [short] * (MOST_EXPRESSIONS + 1))
    heavy = replace(RULE, pattern=r"[\d{400}x]")
    with pytest.raises(DialPlanError, match="together they take too many steps"):
        DialPlan.of(DialSettings(), [heavy] * 4)


def test_every_country_s_starting_rules_can_be() -> None:
    """Whatever the settings: without a country, or with an internal number as long as any."""
    for country in ["", *map(str, range(1, 1000))]:
        rules = starting_rules(country)
        assert [each.priority for each in rules] == sorted({each.priority for each in rules})
        if len(country) < 3 or national_prefix(country) != "0":
            DialPlan.of(DialSettings(country_prefix=country), rules)


digits = st.text("0123456789", max_size=4)
settings = st.builds(
    DialSettings,
    international_prefix=digits,
    country_prefix=st.sampled_from(["", "1", "33", "420"]),
    external_prefix=st.text("0123456789*#", max_size=3),
    incoming_remove=digits,
    incoming_add=digits,
    internal_length=st.integers(1, 15),
    reverse_length=st.integers(1, 15),
)
pieces = st.sampled_from(
    [
        *"0123456789+*#()?|.[]^$\\-",
        "\\d",
        "\\+",
        "[^(]",
        "{2,5}",
        "(?:",
        "[-ExternalPrefix-]",
        "[-InternationalPrefix-]",
        "[-CountryPrefix-]",
        "[-Other-]",
    ]
)
expressions = st.lists(pieces, max_size=8).map(lambda each: f"[{''.join(each)}]")
patterns = st.one_of(st.text("0123+*#(", max_size=3), expressions, st.lists(pieces, max_size=4).map("".join))
results = st.lists(st.sampled_from([*"019+*#a", "$0", "$1", "$2", "[-ExternalPrefix-]"]), max_size=5).map(
    "".join
)
rules = st.builds(
    DialRule,
    direction=st.sampled_from(Direction),
    priority=st.integers(-1, 30),
    pattern=patterns,
    result=results,
    enabled=st.booleans(),
)
numbers = st.one_of(
    st.text(max_size=60),
    st.text("0123456789+*#() .-/", max_size=45),
    st.builds(
        "{}{}".format,
        st.sampled_from(["+33(0)", "0033", "+", "33", "#31#"]),
        st.text("0123456789 ", max_size=12),
    ),
)


def usable(rule: DialRule, own: DialSettings) -> bool:
    """Whether the rule is accepted; nothing but a DialPlanError may say no."""
    try:
        return compile_rule(rule, own).rule is rule
    except DialPlanError:
        return False


@given(settings, st.lists(rules, max_size=8), numbers)
def test_no_number_raises_or_is_changed_by_two_rules(
    own: DialSettings, wanted: list[DialRule], number: str
) -> None:
    """The rule that fires is the first that fits, of those enabled for this direction; its step comes once."""
    plan = DialPlan.of(own, [each for each in wanted if usable(each, own)])
    for tried, translated in (
        (plan.outgoing_rules, plan.outgoing(number)),
        (plan.incoming_rules, plan.incoming(number)),
    ):
        read = translated.steps[0].number
        fitting = [each for each in tried if read and each.pattern.match(read) is not None]
        assert translated.rule is (fitting[0].rule if fitting else None)
        assert sum(each.kind.value == "rule" for each in translated.steps) == bool(fitting)
        assert translated.steps[-1].number == translated.number
        assert [each.rule.priority for each in tried] == sorted(each.rule.priority for each in tried)
        assert translated.number.isascii()
        assert not set(translated.number) & set(" ()-./")


@given(settings, st.lists(rules, max_size=8), numbers)
def test_steps_are_bounded(own: DialSettings, wanted: list[DialRule], number: str) -> None:
    """RE2 does at most its program's size a character, and what it is given is short: so the time is bounded, too."""
    plan = DialPlan.of(own, [each for each in wanted if usable(each, own)])
    assert sum(each.pattern.steps for each in plan.outgoing_rules) <= MOST_STEPS
    assert len(plan.outgoing(number).steps[0].number) <= LONGEST_READ


@given(settings, st.text("0123456789+*#()", max_size=20), st.data())
def test_separators_never_matter(own: DialSettings, number: str, data: st.DataObject) -> None:
    """However a number is spaced, the same rule fires with the same result."""
    plan = DialPlan.of(own, starting_rules(own.country_prefix))
    spaced = "".join(data.draw(st.sampled_from(["", " ", "-", ".", "\u00a0"])) + each for each in number)
    assert plan.outgoing(spaced) == plan.outgoing(number)
    assert plan.incoming(spaced) == plan.incoming(number)


@given(settings, st.lists(rules, max_size=6))
def test_a_rule_by_python_s_own_expressions(own: DialSettings, wanted: list[DialRule]) -> None:
    """RE2 and the standard library find the same at the start, where both know the expression."""
    for rule in wanted:
        if not usable(rule, own) or not rule.pattern.startswith("[") or "{" in rule.pattern:
            continue
        compiled = compile_rule(rule, own)
        if compiled.pattern.groups == 0 or not hasattr(compiled.pattern, "compiled"):
            continue
        try:
            other = re.compile(compiled.pattern.text)
        except re.error:
            continue
        for number in ("0033155171889", "+33(0)155171889", "#31#", "12"):
            found, expected = compiled.pattern.match(number), other.match(number)
            assert (found is None) == (expected is None)
            if found is not None and expected is not None:
                assert found.groups[0] == expected[0]
