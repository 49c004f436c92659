"""What an import changes: each mode, whom it may touch, who is left alone, and that a second run changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.folding import folded_key
from engine.domain.imports.candidate import Candidate, Ignored
from engine.domain.imports.difference import FEW, Action, Comparison, Difference, Known, TooManyGone
from engine.domain.imports.mode import Mode
from tests.engine.domain.imports.town import OTHERS, OURS, candidate, told, user

DELETE, DISABLE, ADD, UPDATE = (
    Mode.INSERT_UPDATE_DELETE,
    Mode.INSERT_UPDATE_DISABLE,
    Mode.INSERT_UPDATE,
    Mode.UPDATE,
)


def compare(
    found: Sequence[Candidate | Ignored], users: Sequence[Known], mode: Mode = DELETE, share: int = 100
) -> Difference:
    """The difference by our import."""
    return Comparison(OURS, mode, share).compare(found, users)


@pytest.mark.parametrize(
    ("mode", "new", "left"),
    [
        (DELETE, "created", "deleted gone"),
        (DISABLE, "created", "disabled gone"),
        (ADD, "created", None),
        (UPDATE, "ignored not_here", None),
    ],
)
def test_modes(mode: Mode, new: str, left: str | None) -> None:
    """Each updates; each does its own with who is new and with who is gone."""
    found = [candidate("new"), candidate("kept", first_name="Ann"), candidate("same")]
    users = [user(1, "kept", first_name="Anne"), user(2, "same"), user(3, "left")]
    expected = {"new": new, "kept": "updated", "same": "unchanged"}
    assert told(compare(found, users, mode)) == (expected if left is None else expected | {"left": left})


def test_an_update_says_what_was_and_what_will_be() -> None:
    """Only the fields the source is asked for, and only those that differ."""
    [outcome] = compare(
        [candidate("ann", first_name="Ann", email="")],
        [user(1, "ann", first_name="Anne", email="a@b", address="sip:ann@b", mobile="06")],
    ).outcomes
    assert outcome.changes == {"first_name": ("Anne", "Ann"), "email": ("a@b", "")}


@pytest.mark.parametrize("mode", list(Mode))
def test_users_of_nobody_and_of_others_stay(mode: Mode) -> None:
    """Who was made by hand or by another import is neither removed nor disabled for not being in this source."""
    users = [user(1, "hand", owner=None), user(2, "theirs", owner=OTHERS)]
    assert told(compare([], users, mode)) == {}


def test_a_user_made_by_hand_is_taken_over_by_her_login_and_one_of_another_import_is_not() -> None:
    """Logins are compared without case and accents."""
    users = [user(1, "Händ", owner=None), user(2, "theirs", owner=OTHERS)]
    found = [candidate("hand", "k1"), candidate("theirs", "k2")]
    assert told(compare(found, users)) == {"hand": "updated adopted", "theirs": "ignored other_import"}


def test_the_key_finds_who_changed_her_name() -> None:
    """A new login for the same person is an update, so her PIN and her calls stay hers."""
    assert told(compare([candidate("ann.new", "k")], [user(1, "ann", key="k")])) == {"ann.new": "updated"}


def test_a_login_alone_does_not_make_a_newcomer_somebody_else() -> None:
    """Who has the login of one with another key waits, unless that one is removed in the same run."""
    found, users = [candidate("ann", "new")], [user(1, "ann", key="old")]
    assert told(compare(found, users, ADD)) == {"ann": "ignored taken login"}
    assert [outcome.action for outcome in compare(found, users).outcomes] == [Action.CREATED, Action.DELETED]


def test_an_entry_that_cannot_be_used_keeps_its_user() -> None:
    """A bad number is no reason to lose a user; a disabled account that is to be left out is."""
    users = [user(1, "ann"), user(2, "bob")]
    found = [
        Ignored("cn=ann", "ann", "ann", "invalid", "number"),
        Ignored("cn=bob", "bob", "bob", "account_disabled"),
    ]
    outcomes = compare(found, users).outcomes
    assert [(each.login, each.action) for each in outcomes] == [
        ("ann", Action.IGNORED),
        ("bob", Action.IGNORED),
        ("bob", Action.DELETED),
    ]


def test_an_entry_without_a_name_spares_all() -> None:
    """It may be anybody of those who seem to be gone."""
    difference = compare([Ignored("17", "", "", "row")], [user(1, "ann")])
    assert (told(difference), difference.spared) == ({"": "ignored row"}, 1)


def test_too_many_gone() -> None:
    """Half a firm that is gone over night is a wrong filter, and nothing is changed; a few always may go."""
    users = [user(number, f"u{number}") for number in range(100)]
    stay = [candidate(each.login) for each in users]
    with pytest.raises(TooManyGone) as refused:
        compare(stay[21:], users, share=20)
    assert (refused.value.gone, refused.value.users) == (21, 100)
    assert compare(stay[20:], users, share=20).counts[Action.DELETED] == 20
    assert compare([], users[:FEW], share=0).counts[Action.DELETED] == FEW
    assert compare([], users, ADD, share=0).counts[Action.DELETED] == 0


def test_disabled_by_the_import_and_by_a_person() -> None:
    """Who comes back is enabled again, whom a person disabled is not; the source's word disables."""
    users = [
        user(1, "back", enabled=False, disabled_here=True),
        user(2, "locked", enabled=False),
        user(3, "off"),
        user(4, "gone", enabled=False, disabled_here=True),
    ]
    found = [candidate("back"), candidate("locked", enabled=True), candidate("off", enabled=False)]
    difference = compare(found, users, DISABLE)
    assert told(difference) == {
        "back": "updated",
        "locked": "unchanged",
        "off": "updated",
        "gone": "unchanged gone",
    }
    assert [each.enables for each in difference.outcomes] == [True, None, False, None]


def test_an_address_follows_the_mail() -> None:
    """That of a newcomer is made of it; one that was is changed with it; one somebody chose stays."""
    found = [candidate(login, email=f"{login}@new") for login in ("ann", "bob", "cy")]
    users = [
        user(1, "ann", email="ann@old", address="sip:ann@old"),
        user(2, "bob", email="bob@old", address="sip:200@pbx"),
    ]
    changes = [outcome.changes.get("address") for outcome in compare(found, users).outcomes]
    assert changes == [("sip:ann@old", "sip:ann@new"), None, ("", "sip:cy@new")]


def test_the_group_to_join() -> None:
    """Who is not in it is updated, though no field changes."""
    difference = compare([candidate("ann")], [user(1, "ann", in_group=False)])
    assert told(difference) == {"ann": "updated"}
    assert difference.outcomes[0].joins


def test_names_of_others() -> None:
    """A number of another user, of an earlier entry or of a room is taken."""
    found = [
        candidate("ann", number="200"),
        candidate("bob", number="200"),
        candidate("cy", number="201"),
        candidate("di", number="900"),
    ]
    users = [user(1, "zoe", owner=None, number="201")]
    difference = Comparison(OURS, ADD).compare(found, users, [("number", "900")])
    assert told(difference) == {
        "ann": "created",
        "bob": "ignored taken number",
        "cy": "ignored taken number",
        "di": "ignored taken number",
    }


logins = st.sampled_from(["ann", "Änn", "bob", "cy", "di", "eve"])
keys = st.sampled_from(["k1", "k2", "k3", "k4", "k5"])
numbers = st.sampled_from(["", "200", "201", "202"])
states = st.sampled_from([None, True, False])


@st.composite
def sources(draw: st.DrawFn) -> list[Candidate | Ignored]:
    """Entries as the reading gives them: keys and logins each once."""
    found: list[Candidate | Ignored] = []
    for login in draw(st.lists(logins, max_size=5, unique_by=folded_key)):
        key = f"k{len(found) + draw(st.integers(0, 1)) * 5}"
        if draw(st.integers(0, 5)) == 0:
            found.append(Ignored(f"cn={login}", key, login, "invalid", "number"))
        else:
            values = {"login": login, "number": draw(numbers), "first_name": draw(st.sampled_from("xy"))}
            if draw(st.booleans()):
                values["email"] = draw(st.sampled_from(["", "a@b", "c@d"]))
            found.append(Candidate(f"cn={login}", key, values, draw(states)))
    return found


@st.composite
def domains(draw: st.DrawFn) -> list[Known]:
    """Users as a domain may hold them: logins, numbers and an import's keys each once."""
    users = []
    free = ["", "200", "201", "202"]
    for number, login in enumerate(draw(st.lists(logins, max_size=5, unique_by=folded_key))):
        owner = draw(st.sampled_from([None, OURS, OTHERS]))
        line = draw(st.sampled_from(free))
        if line:
            free.remove(line)
        enabled = draw(st.booleans())
        users.append(
            user(
                number + 1,
                login,
                owner=owner,
                key=None if owner is None else f"k{number}",
                enabled=enabled,
                disabled_here=not enabled and owner == OURS and draw(st.booleans()),
                in_group=draw(st.booleans()),
                number=line,
                first_name="x",
                email=draw(st.sampled_from(["", "a@b"])),
                address=draw(st.sampled_from(["", "sip:a@b", "sip:200@x"])),
            )
        )
    return users


def carried_out(difference: Difference, users: Sequence[Known]) -> list[Known]:
    """The domain after the import."""
    after = {each.id: each for each in users}
    for outcome in difference.outcomes:
        values = {name: str(change[1]) for name, change in outcome.changes.items() if name != "enabled"}
        state = outcome.enables
        if outcome.action is Action.CREATED and outcome.candidate is not None:
            identity = max(after, default=0) + 100
            blank = {"login": "", "number": "", "first_name": "", "email": "", "address": ""}
            new = Known(
                identity, blank | values, state is not False, OURS, outcome.candidate.key, state is False
            )
            after[identity] = new
        elif outcome.known is None:
            continue
        elif outcome.action is Action.DELETED:
            del after[outcome.known.id]
        elif outcome.action in {Action.UPDATED, Action.DISABLED}:
            was = outcome.known
            after[was.id] = replace(
                was,
                values={**was.values, **values},
                enabled=was.enabled if state is None else state,
                disabled_here=was.disabled_here if state is None else not state,
                owner=OURS,
                key=was.key if outcome.candidate is None else outcome.candidate.key,
                in_group=was.in_group or outcome.joins,
            )
    return list(after.values())


@given(found=sources(), users=domains(), mode=st.sampled_from(list(Mode)))
def test_what_holds_for_every_import(
    found: list[Candidate | Ignored], users: list[Known], mode: Mode
) -> None:
    """One outcome for each entry; names stay each one's own; others' users stay as they are; again: nothing."""
    difference = compare(found, users, mode)
    assert len(difference.outcomes) >= len(found)
    after = carried_out(difference, users)
    for name in ("login", "number"):
        names = [folded_key(each.values[name]) for each in after if each.values[name]]
        assert len(names) == len(set(names))
    theirs = [each for each in users if each.owner == OTHERS]
    assert [each for each in after if each.owner == OTHERS] == theirs
    wanted = {folded_key(each.login) for each in found if isinstance(each, Candidate)}
    by_hand = [each for each in users if each.owner is None and folded_key(each.login) not in wanted]
    assert [each for each in by_hand if each not in after] == []

    again = compare(found, after, mode)
    if not any(outcome.reason == "taken" for outcome in difference.outcomes):
        assert again.counts[Action.IGNORED] == difference.counts[Action.IGNORED]
        assert not again.of(Action.CREATED, Action.UPDATED, Action.DISABLED, Action.DELETED)
