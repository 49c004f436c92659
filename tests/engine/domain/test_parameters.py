"""Which value of a parameter holds for a user, and which values it takes at all."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.parameters import (
    LONGEST_TEXT,
    Kind,
    Level,
    Parameter,
    Parameters,
    Setting,
    Step,
    Value,
    WrongValue,
)
from tests.engine.domain.structures import COMPANY_OF, memberships, structure, uids, users


def _parameter(
    kind: Kind = Kind.INTEGER,
    default: Value = 0,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[Value, ...] = (),
    unit: str = "",
) -> Parameter:
    return Parameter(
        application="echo",
        name="delay",
        kind=kind,
        default=default,
        description_en="How late.",
        description_fr="Le retard.",
        least=least,
        most=most,
        choices=choices,
        unit=unit,
    )


DELAY = _parameter()
settings = st.lists(
    st.builds(
        Setting, uids, st.sampled_from(["echo.delay", "echo.gone"]), st.one_of(st.integers(), st.text())
    ),
    max_size=12,
)


@given(users, memberships, settings)
def test_the_strongest_level_holds(user: str, pairs: list[tuple[str, str]], given_: list[Setting]) -> None:
    """default < domain < group < user; every step is real, of the company, and no weaker than the one before."""
    within = structure(*pairs)
    resolved = Parameters([DELAY], within, given_).resolve(DELAY, user)
    assert resolved.steps[0] == Step(Level.DEFAULT, 0, ())
    order = list(Level)
    assert [order.index(each.level) for each in resolved.steps] == sorted(
        order.index(each.level) for each in resolved.steps
    )
    own = {
        each.owner: each.value
        for each in given_
        if each.parameter == "echo.delay" and type(each.value) is int
    }
    owners = {user, f"dom_{user.split('_')[1]}", *within.groups_of(user)}
    assert {each.way[-1] for each in resolved.steps[1:]} == owners & set(own)
    assert all(own[each.way[-1]] == each.value for each in resolved.steps[1:])
    assert {COMPANY_OF[each.way[-1]] for each in resolved.steps[1:]} <= {COMPANY_OF[user]}
    if user in own:
        assert (resolved.level, resolved.value) == (Level.USER, own[user])


@given(users, memberships, settings)
def test_the_quick_answer_is_the_same(user: str, pairs: list[tuple[str, str]], given_: list[Setting]) -> None:
    """What calls ask and what people are shown do not differ."""
    parameters = Parameters([DELAY], structure(*pairs), given_)
    shown = parameters.resolve(DELAY, user)
    assert {"delay": 0, **parameters.values("echo", user)} == {"delay": shown.value}
    assert parameters.all_of(user) == parameters.all_of(user, "echo") == [shown]
    assert parameters.all_of(user, "room") == []


@given(users, memberships, settings)
def test_another_company_changes_nothing(
    user: str, pairs: list[tuple[str, str]], given_: list[Setting]
) -> None:
    """The answer is the same without what the other company has set."""
    own = [each for each in given_ if COMPANY_OF[each.owner] == COMPANY_OF[user]]
    within = structure(*pairs)
    assert Parameters([DELAY], within, given_).resolve(DELAY, user) == Parameters(
        [DELAY], within, own
    ).resolve(DELAY, user)


def test_the_nearest_group_holds() -> None:
    """Her own group before the one that group is in; of two own ones the first by identity."""
    within = structure(("usr_a1_0", "grp_a1_1"), ("grp_a1_1", "grp_a1_0"), ("usr_a1_0", "grp_a1_2"))
    given_ = [Setting(f"grp_a1_{index}", "echo.delay", index) for index in range(3)]
    resolved = Parameters([DELAY], within, given_).resolve(DELAY, "usr_a1_0")
    assert [each.value for each in resolved.steps] == [0, 0, 2, 1]
    assert resolved.steps[1].way == ("usr_a1_0", "grp_a1_1", "grp_a1_0")


def test_without_a_user() -> None:
    """A caller from outside has the domain's value; nobody at all the default."""
    parameters = Parameters([DELAY], structure(), [Setting("dom_a1", "echo.delay", 3)])
    assert parameters.values("echo", "dom_a1") == {"delay": 3}
    assert parameters.resolve(DELAY, "dom_a1").steps[-1] == Step(Level.DOMAIN, 3, ("dom_a1",))
    assert parameters.values("echo", None) == parameters.values("echo", "usr_gone") == {}
    assert parameters.values("echo", "usr_a2_0") == parameters.values("room", "usr_a1_0") == {}
    assert Parameters([DELAY], structure()).values("echo", "usr_a1_0") == {}
    assert Parameters([DELAY], structure()).resolve(DELAY, None).value == 0


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (_parameter(Kind.BOOLEAN, False), [True, False], [0, 1, "true", None]),
        (_parameter(least=1, most=9), [1, 9], [0, 10, 1.5, True, "1"]),
        (_parameter(Kind.NUMBER, 0.5, least=0), [0, 0.1, 1e9], [-0.1, float("inf"), float("nan"), False]),
        (_parameter(Kind.TEXT, ""), ["", "é", "x" * LONGEST_TEXT], ["x" * (LONGEST_TEXT + 1), "a\nb", 1]),
        (_parameter(Kind.TEXT, "a", choices=("a", "b")), ["a", "b"], ["", "c", 1]),
        (_parameter(choices=(0, 8000)), [0, 8000], [1, False]),
    ],
    ids=lambda each: each.expected if isinstance(each, Parameter) else "",
)
def test_values(parameter: Parameter, good: list[Value], bad: list[object]) -> None:
    """Each kind takes its own values, within bounds and choices."""
    assert [parameter.check(each) for each in good] == good
    for each in bad:
        with pytest.raises(WrongValue):
            parameter.check(each)


@given(
    st.sampled_from(list(Kind)), st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
)
def test_any_value_is_taken_or_refused(kind: Kind, value: object) -> None:
    """No value of JSON does anything but be taken unchanged, or be refused."""
    parameter = _parameter(kind)
    with contextlib.suppress(WrongValue):  # any other exception fails the test
        assert parameter.check(value) == value


def test_what_is_expected() -> None:
    """The text names unit and bounds."""
    assert _parameter(least=0, most=60, unit="s").expected == "a whole number at least 0 and at most 60 (s)"
    assert _parameter(Kind.NUMBER).expected == "a number"
    assert _parameter(Kind.TEXT, "a", choices=("a", "b")).expected == "a or b"


def test_in_two_languages() -> None:
    """French for those who want it, English for everybody else."""
    assert (DELAY.description("fr"), DELAY.description("en")) == ("Le retard.", "How late.")
