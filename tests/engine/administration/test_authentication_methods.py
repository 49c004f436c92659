"""The methods by which users' passwords are checked, as a noun, on both kinds of database."""

from __future__ import annotations

from typing import Any

import pytest

from engine.administration.authentication_methods import (
    AuthenticationMethod,
    AuthenticationMethodDraft,
    AuthenticationMethods,
)
from engine.administration.companies import Companies, CompanyDraft
from engine.administration.groups import GroupDraft, Groups
from engine.administration.query import Query
from engine.administration.users import UserDraft, Users
from engine.domain.actor import LOCAL
from engine.domain.authentication.methods import Ldap, Local
from engine.domain.directory_security import Security
from engine.domain.scope import DEFAULT_COMPANY
from engine.store import Invalid, NotFound, Store
from tests.engine.administration.notebook import Notebook, administrator

DIRECTORY = {"host": "ldap.example.com", "pattern": "uid=?,dc=example"}


class Methods:
    """The noun, over the engine's first domain."""

    def __init__(self, store: Store, notebook: Notebook) -> None:
        self.store = store
        self.noun = AuthenticationMethods(store.database, notebook)
        self.user = Users(store.database, notebook).add(LOCAL, UserDraft(login="jane")).view.uid
        self.group = Groups(store.database, notebook).add(LOCAL, GroupDraft(name="G")).view.uid

    def add(self, kind: Any, **fields: Any) -> AuthenticationMethod:
        return self.noun.add(LOCAL, AuthenticationMethodDraft(kind=kind, **fields)).view


@pytest.fixture
def methods(store: Store, notebook: Notebook) -> Methods:
    return Methods(store, notebook)


def test_a_list_in_order(methods: Methods) -> None:
    """As they are asked; each belongs to the domain, to a group or to a user."""
    directory = methods.add("ldap", position=2, port=389, security="starttls", **DIRECTORY)
    methods.add("local", position=1, group=methods.group)
    methods.add("local", position=0, user=methods.user)
    found = methods.noun.page(LOCAL, Query()).items
    assert [(each.kind, each.group is not None, each.user is not None) for each in found] == [
        ("local", False, True),
        ("local", True, False),
        ("ldap", False, False),
    ]
    mine = methods.noun.page(LOCAL, Query(filters={"user": methods.user})).items
    assert [each.uid for each in mine] == [found[0].uid]
    account = methods.store.user_accounts.find("jane", "default")
    assert account is not None
    assert account.methods == [Local()]
    methods.noun.remove(LOCAL, found[0].uid)
    account = methods.store.user_accounts.find("jane", "default")
    assert account is not None
    assert account.methods == [
        Ldap(host="ldap.example.com", port=389, security=Security.STARTTLS, pattern="uid=?,dc=example")
    ]
    assert methods.noun.get(LOCAL, directory.uid).view == directory


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "none"}, "forced"),
        ({"kind": "ldap"}, "host"),
        ({"kind": "ldap", "host": "x", "pattern": "uid=jane"}, "pattern"),
        ({"kind": "ldap", "host": "x", "pattern": "uid=?,ou=?"}, "pattern"),
        ({"kind": "ldap", **DIRECTORY, "authority": "no certificate"}, "authority"),
    ],
)
def test_what_is_refused(methods: Methods, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        methods.add(**fields)
    assert refusal.value.field == field


def test_it_stays_whose_it_is(methods: Methods) -> None:
    """And is one's alone; none is forced by a change too."""
    with pytest.raises(Invalid, match="user"):
        methods.add("local", group=methods.group, user=methods.user)
    made = methods.add("local", group=methods.group)
    for fields in ({"user": methods.user}, {"kind": "none"}):
        with pytest.raises(Invalid):
            methods.noun.change(LOCAL, made.uid, methods.noun.patch(**fields))
    changed = methods.noun.change(LOCAL, made.uid, methods.noun.patch(kind="none", forced=True)).view
    assert changed.kind == "none"


def test_another_companys_do_not_exist(methods: Methods, store: Store, notebook: Notebook) -> None:
    Companies(store.database, notebook).add(LOCAL, CompanyDraft(name="other"))
    made, stranger = methods.add("local"), administrator(DEFAULT_COMPANY + 1)
    assert methods.noun.page(stranger, Query()).items == []
    with pytest.raises(NotFound):
        methods.noun.get(stranger, made.uid)
    for fields in ({"user": methods.user}, {"group": methods.group}, {"domain": made.domain}):
        with pytest.raises(NotFound):
            methods.noun.add(stranger, AuthenticationMethodDraft(kind="local", **fields))
    assert methods.noun.get(administrator(DEFAULT_COMPANY), made.uid).view == made
