"""What must hold of the rules a new domain starts with, and of none at all."""

from __future__ import annotations

import pytest

from engine.domain.dial_plan import DialPlan, DialRule, DialSettings, Direction, StepKind, starting_rules

STARTING = DialPlan.of(DialSettings(), starting_rules("33"))
BARE = DialPlan.of(DialSettings())


def outgoing(pattern: str, result: str, priority: int = 5) -> DialRule:
    """A rule for numbers that go out, before those of the start."""
    return DialRule(Direction.OUTGOING, priority, pattern, result)


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("+33(0)123456789", "00123456789"),
        ("+33 (0) 1 23 45 67 89", "00123456789"),
        ("+3912334477", "0003912334477"),
        ("+42(0)141906666", "00042141906666"),
        ("33155171889", "00155171889"),
        ("0033155171889", "00155171889"),
        ("#31#", "#31#"),
        ("+33155171889", "00155171889"),
        ("0033 (0)1.55.17.18.89", "00155171889"),
        ("33(0)155171889", "00155171889"),
        ("01 55 17 18 89", "00155171889"),
        ("0044 20 7946 0000", "000442079460000"),
        ("(+33) 1 55 17 18 89", "00155171889"),
        ("(01) 55 17 18 89", "00155171889"),
        ("2001", "2001"),
        ("20 01", "2001"),
        ("*21*0612345678#", "*21*0612345678#"),
        ("03611", "003611"),
    ],
)
def test_numbers_of_a_new_domain(written: str, dialled: str) -> None:
    """The examples of the specification, and what follows from them."""
    assert STARTING.outgoing(written).number == dialled


def test_a_rule_keeps_a_number() -> None:
    """03611 has five digits and would get the external prefix; its rule says it is dialled as it stands."""
    plan = DialPlan.of(DialSettings(), [*starting_rules("33"), outgoing("03611", "03611")])
    translated = plan.outgoing("03611")
    assert translated.number == "03611"
    assert translated.rule is not None
    assert translated.rule.pattern == "03611"


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("#31#", "#31#"),
        ("12#34", "1234"),
        ("01 55 17 18 89", "00155171889"),
        ("2001", "2001"),
        ("+3912334477", "0003912334477"),
        ("tel 2001", "2001"),
        ("reception", ""),
        ("٢٠٠١", ""),
        ("２００１", "2001"),
        ("01\u202f55\u00a017\u201118 89", "00155171889"),
        ("", ""),
        ("+", "+"),
        ("9" * 41, ""),
        ("9 " * 400, ""),
    ],
)
def test_numbers_without_a_rule(written: str, dialled: str) -> None:
    """Only digits stay, and what is longer than internal gets the external prefix."""
    translated = BARE.outgoing(written)
    assert (translated.number, translated.rule) == (dialled, None)


def test_without_an_external_prefix_a_plus_stays() -> None:
    """A link that is no PBX takes E.164 as it is."""
    plan = DialPlan.of(DialSettings(external_prefix=""))
    assert plan.outgoing("+39 1233 4477").number == "+3912334477"


def test_a_rule_on_a_plus_gets_the_external_prefix_where_needed() -> None:
    """Not twice, not before an internal number, and also where a rule lets the + stay."""
    plan = DialPlan.of(
        DialSettings(),
        [
            outgoing("+3315517", "", 1),
            outgoing("+331", "[-ExternalPrefix-]01", 2),
            outgoing("+33", "0", 3),
            outgoing("+44", "+44", 4),
        ],
    )
    assert plan.outgoing("+33 1 55 17 18 89").number == "1889"
    assert plan.outgoing("+33 1 44 17 18 89").number == "00144171889"
    assert plan.outgoing("+33 6 44 17 18 89").number == "00644171889"
    assert plan.outgoing("+44 20 7946 0000").number == "000442079460000"


def test_on_any_other_number_only_the_rule_applies() -> None:
    """Neither the external prefix nor anything else is added, and letters may come out of it."""
    plan = DialPlan.of(DialSettings(), [outgoing("0033", "0"), outgoing("[12$]", "reception")])
    assert plan.outgoing("0033155171889").number == "0155171889"
    assert plan.outgoing("12").number == "reception"
    assert plan.outgoing("123").number == "123"


def test_the_lowest_priority_number_is_first_and_the_only_one() -> None:
    """What one rule makes is not looked at by the next; of equals the first made is taken."""
    rules = [outgoing("1", "2", 7), outgoing("1", "3", 7), outgoing("2", "4", 8), outgoing("12", "5", 9)]
    assert DialPlan.of(DialSettings(), rules).outgoing("12").number == "22"
    rules.append(outgoing("12", "6", 6))
    assert DialPlan.of(DialSettings(), rules).outgoing("12").number == "6"


def test_a_rule_matches_at_the_start_only() -> None:
    """Further on a number may hold what it likes, and the rest of it stays."""
    plan = DialPlan.of(DialSettings(), [outgoing("33", "9"), outgoing("[7+]", "8")])
    assert plan.outgoing("133").number == "133"
    assert plan.outgoing("177").number == "177"
    assert plan.outgoing("7712").number == "812"


def test_a_disabled_rule_does_not_apply() -> None:
    """Nor is it counted."""
    rule = DialRule(Direction.OUTGOING, 1, "12", "5", enabled=False)
    assert DialPlan.of(DialSettings(), [rule]).outgoing("12").number == "12"


def test_what_was_matched_stands_in_the_result() -> None:
    """$0 is all of it, $1 to $9 the groups; a digit behind is a digit, a group that took no part is nothing."""
    plan = DialPlan.of(DialSettings(), [outgoing(r"[(a)?(\d)(\d)]", "$3$20*$1$0")])
    assert plan.outgoing("129").number == "210*129"


@pytest.mark.parametrize(
    ("country", "written", "dialled"),
    [
        ("34", "+34 912 345 678", "0912345678"),
        ("39", "+39 06 1234567", "0061234567"),
        ("1", "+1 212 555 1234", "012125551234"),
        ("7", "+7 495 123 45 67", "084951234567"),
        ("49", "0049 30 123456", "0030123456"),
    ],
)
def test_other_countries_have_their_own_national_prefix(country: str, written: str, dialled: str) -> None:
    """A new domain's rules are those of its country."""
    plan = DialPlan.of(DialSettings(country_prefix=country), starting_rules(country))
    assert plan.outgoing(written).number == dialled


def test_incoming_numbers() -> None:
    """Something is removed from and added to numbers of outside; internal ones, codes and rules are left alone."""
    settings = DialSettings(incoming_remove="00", incoming_add="0")
    rules = [DialRule(Direction.INCOMING, 1, "+331551718", "")]
    plan = DialPlan.of(settings, rules)
    assert plan.incoming("00155171889").number == "0155171889"
    assert plan.incoming("2001").number == "2001"
    assert plan.incoming("0000").number == "0000"
    assert plan.incoming("+33155171889").number == "89"
    assert plan.incoming("+33 6 12 34 56 78").number == "00033612345678"
    assert plan.incoming("*21#").number == "*21#"
    assert [each.kind for each in plan.incoming("00155171889").steps] == [
        StepKind.READ,
        StepKind.NO_RULE,
        StepKind.REMOVED,
        StepKind.ADDED,
    ]


def test_incoming_rules_do_not_touch_what_goes_out() -> None:
    """Each direction has its own."""
    plan = DialPlan.of(DialSettings(), [DialRule(Direction.INCOMING, 1, "12", "5")])
    assert (plan.outgoing("12").number, plan.incoming("12").number) == ("12", "5")


def test_each_step_is_told() -> None:
    """Whoever tries a number sees why it came out as it did, in both languages."""
    translated = STARTING.outgoing("+39 12334477")
    assert [(each.kind, each.number, each.detail) for each in translated.steps] == [
        (StepKind.READ, "+3912334477", ""),
        (StepKind.RULE, "003912334477", "+"),
        (StepKind.EXTERNAL_PREFIX, "0003912334477", "0"),
    ]
    assert translated.steps[-1].text("en") == "the external prefix 0 is put before it: 0003912334477"
    assert translated.steps[-1].text("fr") == "le préfixe externe 0 est ajouté : 0003912334477"
    kinds = [each.kind for each in STARTING.outgoing("+33(0)123456789").steps]
    assert kinds == [StepKind.READ, StepKind.RULE, StepKind.HAS_EXTERNAL_PREFIX]
    kinds = [each.kind for each in BARE.outgoing("+39 12334477").steps]
    assert kinds[1:] == [StepKind.NO_RULE, StepKind.INTERNATIONAL_PREFIX, StepKind.EXTERNAL_PREFIX]


def test_a_caller_is_looked_up_by_its_last_digits() -> None:
    """However the number is written."""
    settings = DialSettings()
    assert settings.reverse_key("+33 (0)1 55 17 18 89") == settings.reverse_key("0155171889") == "155171889"
    assert settings.reverse_key("2001") == "2001"


def test_what_changes_nothing_is_known() -> None:
    """A plan without prefixes and rules need not be asked."""
    assert DialPlan.of(DialSettings(external_prefix="")).is_neutral
    assert not BARE.is_neutral
    assert not DialPlan.of(DialSettings(external_prefix="", incoming_add="0")).is_neutral
