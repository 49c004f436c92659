"""Who may use what, and why; never across companies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.rights import ACROSS_DOMAINS, Authorisation, ObjectKind, Rights, Why
from tests.engine.domain.structures import (
    COMPANIES,
    COMPANY_OF,
    DOMAIN_OF,
    GROUPS,
    USERS,
    memberships,
    reached,
    structure,
    uids,
    users,
)

kinds = st.sampled_from(list(ObjectKind))
objects = st.one_of(uids, st.sampled_from(["echo", "conference"]))
grantees = st.sampled_from([*USERS, *GROUPS])


@st.composite
def authorisations(draw: st.DrawFn) -> list[Authorisation]:
    """Authorisations of every kind, wrong ones across companies among them."""
    count = draw(st.integers(0, 12))
    return [
        Authorisation(
            f"aut_{index}", draw(st.sampled_from(COMPANIES)), draw(grantees), draw(kinds), draw(objects)
        )
        for index in range(count)
    ]


def expected(
    user: str, kind: ObjectKind, object_: str, pairs: list[tuple[str, str]], given_: list[Authorisation]
) -> set[str]:
    """The authorisations that are enough, by the rules as the issue words them."""
    who = {user} | reached(user, pairs)
    if kind is ObjectKind.APPLICATION:
        what = {object_}
    else:
        crosses = kind in ACROSS_DOMAINS or DOMAIN_OF.get(object_) == DOMAIN_OF[user]
        if COMPANY_OF.get(object_) != COMPANY_OF[user] or not crosses:
            return set()
        what = {object_, COMPANY_OF[object_]} | reached(object_, pairs)
        what |= {domain for domain in (DOMAIN_OF[object_],) if domain is not None}
    return {
        each.uid
        for each in given_
        if each.company == COMPANY_OF[user]
        and each.grantee in who
        and each.kind is kind
        and each.object in what
    }


@given(users, kinds, objects, memberships, authorisations())
def test_the_answer_is_the_definition(
    user: str, kind: ObjectKind, object_: str, pairs: list[tuple[str, str]], given_: list[Authorisation]
) -> None:
    """Every authorisation that is enough is named, and no other; she may if there is one."""
    rights = Rights(structure(*pairs), given_)
    found = rights.why(user, kind, object_)
    assert {each.authorisation for each in found} == expected(user, kind, object_, pairs, given_)
    assert rights.may(user, kind, object_) is bool(found)


@given(users, kinds, objects, memberships, authorisations())
def test_nothing_of_another_company_is_told(
    user: str, kind: ObjectKind, object_: str, pairs: list[tuple[str, str]], given_: list[Authorisation]
) -> None:
    """No answer names anything of another company, nor changes with what another company does."""
    own = COMPANY_OF[user]
    rights = Rights(structure(*pairs), given_)
    found = rights.why(user, kind, object_)
    for why in found:
        named = {*why.grantee, *why.object} & set(COMPANY_OF)
        assert {COMPANY_OF[each] for each in named} <= {own}
    alone = Rights(
        structure(*(pair for pair in pairs if COMPANY_OF[pair[0]] == COMPANY_OF[pair[1]] == own)),
        [each for each in given_ if each.company == own and COMPANY_OF[each.grantee] == own],
    )
    assert alone.why(user, kind, object_) == found
    assert {each.company for each, _ in rights.given(user)} <= {own}


@given(users, memberships, authorisations())
def test_more_never_takes_away(user: str, pairs: list[tuple[str, str]], given_: list[Authorisation]) -> None:
    """One authorisation fewer lets her do no more: nothing forbids."""
    rights = {each.uid for each, _ in Rights(structure(*pairs), given_).given(user)}
    fewer = {each.uid for each, _ in Rights(structure(*pairs), given_[1:]).given(user)}
    assert fewer <= rights


def _journal_of(object_: str, grantee: str = "usr_a1_0") -> Authorisation:
    return Authorisation("aut_1", "cmp_a", grantee, ObjectKind.CALL_JOURNAL, object_)


def test_the_ways_are_told() -> None:
    """The answer to "why may she?": the way from her to who was given it, and from the object to what was given."""
    within = structure(("usr_a1_0", "grp_a1_0"), ("grp_a1_0", "grp_a1_1"), ("usr_a1_1", "grp_a1_2"))
    rights = Rights(within, [_journal_of("grp_a1_2", "grp_a1_1")])
    assert rights.why("usr_a1_0", ObjectKind.CALL_JOURNAL, "usr_a1_1") == (
        Why("aut_1", ("usr_a1_0", "grp_a1_0", "grp_a1_1"), ("usr_a1_1", "grp_a1_2")),
    )
    assert not rights.may("usr_a1_0", ObjectKind.CALL_JOURNAL, "usr_a1_2")
    assert not rights.may("usr_a1_0", ObjectKind.RECORDINGS, "usr_a1_1")


def test_the_most_direct_comes_first() -> None:
    """Of several reasons, the shortest way from her counts, then that from the object."""
    given_ = [
        Authorisation("aut_1", "cmp_a", "grp_a1_0", ObjectKind.CALENDAR, "usr_a1_1"),
        Authorisation("aut_2", "cmp_a", "usr_a1_0", ObjectKind.CALENDAR, "dom_a1"),
        Authorisation("aut_3", "cmp_a", "usr_a1_0", ObjectKind.CALENDAR, "usr_a1_1"),
    ]
    rights = Rights(structure(("usr_a1_0", "grp_a1_0")), given_)
    found = rights.why("usr_a1_0", ObjectKind.CALENDAR, "usr_a1_1")
    assert [each.authorisation for each in found] == ["aut_3", "aut_2", "aut_1"]


def test_across_domains() -> None:
    """A calendar of another domain of the company can be given; its journal cannot, even with the whole company."""
    for object_ in ("usr_a2_0", "dom_a2", "cmp_a"):
        assert not Rights(structure(), [_journal_of(object_)]).may(
            "usr_a1_0", ObjectKind.CALL_JOURNAL, "usr_a2_0"
        )
        calendar = Authorisation("aut_1", "cmp_a", "usr_a1_0", ObjectKind.CALENDAR, object_)
        assert Rights(structure(), [calendar]).may("usr_a1_0", ObjectKind.CALENDAR, "usr_a2_0")
    assert Rights(structure(), [_journal_of("cmp_a")]).may("usr_a1_0", ObjectKind.CALL_JOURNAL, "usr_a1_1")


def test_an_application_by_its_name() -> None:
    """An application is given by name, to a group and so to all in it."""
    echo = Authorisation("aut_1", "cmp_a", "grp_a1_0", ObjectKind.APPLICATION, "echo")
    rights = Rights(structure(("usr_a1_0", "grp_a1_0")), [echo])
    assert rights.may("usr_a1_0", ObjectKind.APPLICATION, "echo")
    assert not rights.may("usr_a1_0", ObjectKind.APPLICATION, "conference")
    assert not rights.may("usr_a1_1", ObjectKind.APPLICATION, "echo")
    assert rights.given("usr_a1_0") == [(echo, ("usr_a1_0", "grp_a1_0"))]


def test_who_there_is_not() -> None:
    """Nobody has no rights."""
    rights = Rights(structure(), [_journal_of("usr_a1_1", "usr_gone")])
    assert rights.why("usr_gone", ObjectKind.CALL_JOURNAL, "usr_a1_1") == ()
    assert rights.given("usr_gone") == []
