"""Parameters that are set, and the values that hold for a user."""

from __future__ import annotations

import dataclasses

import pytest

from engine.administration.parameters import DeclaredQuestion
from engine.administration.user_entitlements import QUESTIONS, HeldParameter, ParametersQuestion
from engine.automates.parameters import DECLARED
from engine.store import Invalid, NotFound, Taken
from tests.engine.administration.town import Town

BEEP = "recorder.beep"


def held(town: Town, user: str) -> HeldParameter:
    """What holds for a user."""
    question = ParametersQuestion(expert=True)
    found: list[HeldParameter] = QUESTIONS[1].perform(
        town.nouns["users"], town.ours.administrator, user, question
    )
    return {each.parameter.name: each for each in found}[BEEP]


def test_default_domain_group_user(town: Town) -> None:
    """Each stronger level holds, and the answer names all of them."""
    sales, jane = town.add("groups", name="sales").uid, town.add("users", login="jane").uid
    town.add("memberships", group=sales, member=jane)
    assert [each.level for each in held(town, jane).steps] == ["default"]
    for owner, value in ((town.ours.domain, 10), (sales, 20), (jane, 30)):
        town.add("parameters", owner=owner, name=BEEP, value=value)
        assert held(town, jane).value == value
    answer = held(town, jane)
    assert [(each.level, each.value) for each in answer.steps] == [
        ("default", 0),
        ("domain", 10),
        ("group", 20),
        ("user", 30),
    ]
    assert answer.steps[2].from_user == [jane, sales]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        (BEEP, -1, "value"),
        (BEEP, "often", "value"),
        (BEEP, True, "value"),
        ("recorder.format", "mp3", "value"),
        ("recorder.announce", 1, "value"),
        ("recorder.nothing", 1, "name"),
    ],
)
def test_what_is_refused(town: Town, name: str, value: object, field: str) -> None:
    """A value it cannot have, and a parameter there is not."""
    with pytest.raises(Invalid, match=field):
        town.add("parameters", owner=town.ours.domain, name=name, value=value)


def test_a_value_is_changed_and_taken_back(town: Town) -> None:
    """One of an owner; another value, another owner, and none."""
    jane, jim = town.add("users", login="jane").uid, town.add("users", login="jim").uid
    uid = town.add("parameters", owner=jane, name=BEEP, value=10).uid
    with pytest.raises(Taken):
        town.add("parameters", owner=jane, name=BEEP, value=20)
    assert town.change("parameters", uid, value=2.5).value == 2.5
    with pytest.raises(Invalid, match="value"):
        town.change("parameters", uid, name="recorder.both")
    town.change("parameters", uid, owner=jim)
    assert (held(town, jane).value, held(town, jim).value) == (0, 2.5)
    town.remove("users", jim)
    assert town.list("parameters") == []


def test_of_another_company(town: Town) -> None:
    """Its owners do not exist, and its values are not told."""
    with pytest.raises(NotFound):
        town.add("parameters", owner=town.theirs.domain, name=BEEP, value=1)
    town.add("parameters", town.theirs.administrator, owner=town.theirs.domain, name=BEEP, value=9)
    jane = town.add("users", login="jane").uid
    assert held(town, jane).value == 0
    assert town.list("parameters") == []


def test_what_is_declared(town: Town) -> None:
    """All of it, in the asker's language; those for experts when they are asked for."""
    (declared,) = town.nouns["parameters"].actions
    french = dataclasses.replace(town.ours.administrator, language="fr")
    everything = declared.perform(town.nouns["parameters"], french, "", DeclaredQuestion(expert=True))
    assert [each.name for each in everything] == [each.full_name for each in DECLARED]
    assert [each.description for each in everything] == [each.description_fr for each in DECLARED]
    readback = declared.perform(
        town.nouns["parameters"], town.ours.administrator, "", DeclaredQuestion(application="readback")
    )
    assert [each.name for each in readback] == ["readback.access", "readback.language"]
