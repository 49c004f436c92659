"""Who may do what."""

from __future__ import annotations

import pytest

from engine.domain.actor import LOCAL, Actor, Role


@pytest.mark.parametrize("role", Role)
def test_a_role_may_what_those_before_it_may(role: Role) -> None:
    actor = Actor("admin:jane", role, None)
    for least in Role:
        assert actor.may("users", writes=True, least=least) is (role >= least)


def test_scopes_narrow_a_role_and_never_widen_it() -> None:
    token = Actor("token:tok_x", Role.OPERATOR, None, scopes=frozenset({"users:read", "calls:write"}))
    assert token.may("users", writes=False, least=Role.READ_ONLY)
    assert not token.may("users", writes=True, least=Role.OPERATOR)
    assert token.may("calls", writes=True, least=Role.OPERATOR)
    assert token.may("calls", writes=False, least=Role.READ_ONLY), "who writes may look at what she writes"
    assert not token.may("calls", writes=True, least=Role.ADMINISTRATOR)
    assert not token.may("groups", writes=False, least=Role.READ_ONLY)


def test_a_star_stands_for_every_noun() -> None:
    reads = Actor("token:tok_x", Role.SUPER, None, scopes=frozenset({"*:read"}))
    assert reads.may("users", writes=False, least=Role.READ_ONLY)
    assert not reads.may("users", writes=True, least=Role.READ_ONLY)
    writes = Actor("token:tok_x", Role.SUPER, None, scopes=frozenset({"*:write"}))
    assert writes.may("users", writes=True, least=Role.SUPER)
    nothing = Actor("token:tok_x", Role.SUPER, None, scopes=frozenset())
    assert not nothing.may("users", writes=False, least=Role.USER)


def test_companies_exist_only_for_who_is_in_them() -> None:
    assert LOCAL.sees(7)
    jane = Actor("admin:jane", Role.ADMINISTRATOR, frozenset({7}))
    assert jane.sees(7)
    assert not jane.sees(8)
    assert not Actor("admin:jim", Role.ADMINISTRATOR, frozenset()).sees(7)
