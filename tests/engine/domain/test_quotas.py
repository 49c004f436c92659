"""Channels are counted as they are taken and given back; users by what gives them an application."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.quotas import Channels, Quota, Share, Spent, users_of
from engine.domain.rights import Authorisation, ObjectKind
from tests.engine.domain.structures import USERS, memberships, reached, structure

A, B = Share(1, "echo"), Share(2, "echo")


@given(st.integers(0, 4), st.lists(st.tuples(st.sampled_from([A, B]), st.booleans()), max_size=40))
def test_never_more_than_the_quota(limit: int, steps: list[tuple[Share, bool]]) -> None:
    """Whoever asks first never has more channels than granted, and loses none to what the other company does."""
    channels = Channels()
    channels.bound([Quota(1, "echo", channels=limit)])
    up = {A: 0, B: 0}
    for share, comes in steps:
        if comes:
            spent = channels.spent(share)
            assert (spent is not None) is (share is A and up[A] >= limit)
            if spent is None:
                channels.take(share)
                up[share] += 1
        elif up[share]:
            channels.give_back(share)
            up[share] -= 1
        assert {each: channels.used(each) for each in (A, B)} == up
    assert up[A] <= limit


def test_the_refusal_names_the_limit() -> None:
    """Who is refused is told which quota is spent."""
    channels = Channels()
    channels.bound([Quota(1, "echo", channels=2), Quota(2, "echo", users=1)])
    assert channels.spent(A, 3) == Spent("echo", "channels", 2)
    assert channels.spent(A, 2) is None
    assert channels.spent(B, 1000) is None


def test_a_smaller_quota_ends_no_call() -> None:
    """What is up stays up and is counted; only the next is refused, until enough are gone."""
    channels = Channels()
    for _ in range(3):
        channels.take(A)
    channels.bound([Quota(1, "echo", channels=2)])
    assert channels.used(A) == 3
    channels.give_back(A)
    assert channels.spent(A) is not None
    channels.give_back(A)
    assert channels.spent(A) is None
    channels.give_back(A)
    assert channels.used(A) == 0


@given(memberships, st.sets(st.sampled_from(["usr_a1_0", "usr_a2_1", "grp_a1_0", "grp_a2_1"])))
def test_users_of_an_application(pairs: list[tuple[str, str]], grantees: set[str]) -> None:
    """Each user counts once, however she has it; other applications do not count."""
    given_ = [
        Authorisation(f"aut_{each}", "cmp_a", each, ObjectKind.APPLICATION, "echo")
        for each in sorted(grantees)
    ]
    given_.append(Authorisation("aut_x", "cmp_a", "usr_a1_2", ObjectKind.APPLICATION, "room"))
    given_.append(Authorisation("aut_y", "cmp_a", "usr_a1_2", ObjectKind.CALENDAR, "echo"))
    found = users_of("echo", USERS, structure(*pairs), given_)
    assert found == {each for each in USERS if ({each} | reached(each, pairs)) & grantees}
    assert users_of("nothing", USERS, structure(*pairs), given_) == set()
