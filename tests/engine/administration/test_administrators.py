"""Administrators and their tokens: nobody gives more than she has, on both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.administration.administrators import Administrator, AdministratorDraft, Administrators
from engine.administration.api_tokens import ApiToken, ApiTokenDraft, ApiTokens
from engine.administration.companies import Companies, CompanyDraft
from engine.administration.query import Query
from engine.domain.actor import LOCAL, Actor, Role
from engine.store import Forbidden, InUse, Invalid, NotFound, Store, Taken
from engine.store.audit import SECRET
from engine.store.domain.tables import CompanyRow
from engine.store.passwords import password_matches
from tests.engine.administration.notebook import Notebook

PASSWORD = "correct horse"


class Office:
    """The nouns over a store with a super user ``root`` and companies ``one`` and ``two``."""

    def __init__(self, store: Store, notebook: Notebook) -> None:
        self.store = store
        self.notebook = notebook
        self.administrators = Administrators(store.database, notebook, store.account_changes)
        self.tokens = ApiTokens(store.database, notebook, store.account_changes)
        companies = Companies(store.database, notebook)
        self.root = store.admins.create("root", PASSWORD)
        self.one, self.two = (
            companies.add(LOCAL, CompanyDraft(name=name)).view.uid for name in ("one", "two")
        )
        notebook.kinds()

    def draft(self, name: str, role: Any = "administrator", **fields: Any) -> AdministratorDraft:
        fields = {"companies": [self.one], "password": PASSWORD} | fields
        return AdministratorDraft(name=name, role=role, **fields)

    def add(self, name: str, role: str = "administrator", by: Actor = LOCAL, **fields: Any) -> Administrator:
        return self.administrators.add(by, self.draft(name, role, **fields)).view

    def actor(self, name: str) -> Actor:
        found = self.store.admins.get(name)
        assert found is not None
        return found.actor()

    def change(self, uid: str, by: Actor = LOCAL, **fields: Any) -> Administrator:
        return self.administrators.change(by, uid, self.administrators.patch(**fields)).view

    def names(self, by: Actor, **query: Any) -> list[str]:
        return [each.name for each in self.administrators.page(by, Query(**query)).items]

    def token(self, by: Actor, **fields: Any) -> ApiToken:
        return self.tokens.add(by, ApiTokenDraft(**({"name": "t", "scopes": ["*:read"]} | fields))).view

    def key(self, uid: str) -> int:
        with self.store.database.reading() as session:
            found = session.scalar(select(CompanyRow.id).where(CompanyRow.uid == uid))
        assert found is not None
        return found


@pytest.fixture
def office(store: Store, notebook: Notebook) -> Office:
    return Office(store, notebook)


def test_what_an_administrator_is(office: Office) -> None:
    """Limited to her companies; her password kept as a hash and told nobody."""
    made = office.add("jane", companies=[office.two, office.one, office.one], culture="fr")
    assert made.companies == sorted([office.one, office.two])
    assert office.administrators.get(LOCAL, made.uid).view == made
    actor = office.actor("jane")
    assert actor == Actor(
        "admin:jane",
        Role.ADMINISTRATOR,
        frozenset({office.key(office.one), office.key(office.two)}),
        language="fr",
    )
    found = office.store.admins.get("jane")
    assert found is not None
    assert password_matches(PASSWORD, found.password_hash)
    (change,) = office.notebook.changes
    assert change.fields["password"] == (SECRET, SECRET)
    assert PASSWORD not in repr(change)
    assert (change.kind, change.company_id) == ("administrators.added", None)


def test_whom_somebody_sees(office: Office) -> None:
    """Those of her companies and no others; a super user those of her kind, and nobody else does."""
    office.add("jane")
    office.add("john", companies=[office.two])
    office.add("both", companies=[office.one, office.two])
    office.add("every", companies=None)
    assert office.names(LOCAL) == ["both", "every", "jane", "john", "root"]
    assert office.names(office.actor("every")) == ["both", "every", "jane", "john"]
    assert office.names(office.actor("both")) == ["both", "jane", "john"]
    assert office.names(office.actor("jane")) == ["jane"]
    assert office.names(LOCAL, filters={"role": "super"}) == ["root"]
    with pytest.raises(NotFound):
        office.administrators.get(office.actor("jane"), office.root.uid)


def test_nobody_gives_more_than_she_has(office: Office) -> None:
    jane = office.actor(office.add("jane").name)
    other = office.add("other", by=jane)
    assert other.companies == [office.one]
    for field, value, refusal in (
        ("companies", [office.two], NotFound),
        ("companies", [office.one, office.two], NotFound),
        ("companies", None, Invalid),
        ("role", "super", Forbidden),
    ):
        with pytest.raises(refusal):
            office.change(other.uid, by=jane, **{field: value})
        with pytest.raises(refusal):
            office.add("more", by=jane, **{field: value})
    assert office.administrators.get(LOCAL, other.uid).view == other
    with pytest.raises(NotFound):
        office.change(office.root.uid, by=jane, password="mine from now on")
    for role in ("read-only", "operator"):
        actor = office.actor(office.add(role, role).name)
        with pytest.raises(Forbidden):
            office.names(actor)
        with pytest.raises(Forbidden):
            office.add("more", "read-only", by=actor)


def test_no_token_makes_what_has_more_than_itself(office: Office) -> None:
    actor = Actor("token:tok_x", Role.SUPER, None, scopes=frozenset({"*:write"}))
    assert office.names(actor) == ["root"]
    with pytest.raises(Forbidden, match="token"):
        office.add("jane", by=actor)
    with pytest.raises(Forbidden, match="token"):
        office.token(actor)


def test_nobody_locks_everybody_out(office: Office) -> None:
    """The last super user who is enabled stays."""
    second = office.add("second", "super", companies=None)
    office.change(second.uid, enabled=False)
    for fields in ({"enabled": False}, {"role": "administrator"}):
        with pytest.raises(InUse):
            office.change(office.root.uid, **fields)
    with pytest.raises(InUse):
        office.administrators.remove(LOCAL, office.root.uid)
    office.change(second.uid, enabled=True)
    office.administrators.remove(LOCAL, office.root.uid)
    assert office.names(LOCAL) == ["second"]


def test_what_is_refused(office: Office) -> None:
    office.add("jane")
    for fields, refusal in (
        ({"name": "jane"}, Taken),
        ({"name": "ja ne"}, Invalid),
        ({"name": "x", "password": "short"}, Invalid),
        ({"name": "x", "role": "super"}, Invalid),
        ({"name": "x", "companies": ["cmp_nothing"]}, NotFound),
    ):
        with pytest.raises(refusal):
            office.add(**({"name": "y"} | fields))  # type: ignore[arg-type]
    assert office.names(LOCAL) == ["jane", "root"]


def test_a_new_password_or_none_ends_her_sessions(office: Office) -> None:
    jane = office.add("jane")
    account = office.store.admins.get("jane")
    assert account is not None
    for fields in ({"password": "battery staple"}, {"enabled": False}):
        office.store.sessions.open("digest", account, "", 1.0, 2.0)
        count = office.store.account_changes.count
        office.change(jane.uid, **fields)
        assert office.store.sessions.find("digest") is None
        assert office.store.account_changes.count > count


def test_tokens_are_ones_own(office: Office) -> None:
    """Who administers administrators sees and ends theirs too; the secret itself is told once."""
    reader = office.actor(office.add("reader", "read-only").name)
    jane, john = (
        office.actor(office.add("jane").name),
        office.actor(office.add("john", companies=[office.two]).name),
    )
    made = office.token(reader, scopes=["users:read", "lines:write", "users:read"])
    assert made.token is not None
    assert made.token.startswith("poly_")
    assert made.scopes == ["lines:write", "users:read"]
    assert made.expires_at - made.created_at == timedelta(days=90)
    assert office.tokens.get(reader, made.uid).view.token is None
    assert office.notebook.changes[-1].kind == "api-tokens.added"
    assert made.token not in repr(office.notebook.changes)
    mine = office.token(jane)
    assert {each.uid for each in office.tokens.page(reader, Query()).items} == {made.uid}
    assert {each.uid for each in office.tokens.page(jane, Query()).items} == {made.uid, mine.uid}
    assert office.tokens.page(john, Query()).items == []
    of_reader = Query(filters={"administrator": made.administrator})
    assert [each.uid for each in office.tokens.page(LOCAL, of_reader).items] == [made.uid]
    with pytest.raises(NotFound):
        office.tokens.remove(reader, mine.uid)
    office.tokens.remove(jane, made.uid)
    with pytest.raises(NotFound):
        office.tokens.get(reader, made.uid)


def test_whose_a_token_is(office: Office) -> None:
    """The super user says it; from the engine's own socket it has to be said."""
    jane = office.add("jane")
    assert office.token(LOCAL, administrator=jane.uid).administrator == jane.uid
    assert office.token(office.actor("root")).administrator == office.root.uid
    with pytest.raises(Invalid, match="administrator"):
        office.token(LOCAL)
    with pytest.raises(NotFound):
        office.token(LOCAL, administrator="adm_nobody")
    with pytest.raises(Forbidden):
        office.token(office.actor("jane"), administrator=office.root.uid)


def test_a_token_ends_within_two_years(office: Office) -> None:
    now, root = datetime.now(UTC), office.actor("root")
    for wrong in (now - timedelta(seconds=1), now + timedelta(days=732)):
        with pytest.raises(Invalid, match="expires_at"):
            office.token(root, expires_at=wrong)
    made = office.token(root, expires_at=now + timedelta(days=730))
    sooner = now + timedelta(days=1)
    changed = office.tokens.change(root, made.uid, office.tokens.patch(name="new", expires_at=sooner)).view
    assert (changed.name, changed.expires_at, changed.scopes) == ("new", sooner, ["*:read"])


def test_tokens_go_with_their_administrator(office: Office) -> None:
    jane = office.add("jane")
    made = office.token(LOCAL, administrator=jane.uid)
    office.administrators.remove(LOCAL, jane.uid)
    with pytest.raises(NotFound):
        office.tokens.get(LOCAL, made.uid)
