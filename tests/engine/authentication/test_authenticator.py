"""Passwords, tokens and sessions, each to its actor; who guesses, who is gone, what has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred

from engine.administration.administrators import AdministratorDraft, Administrators
from engine.administration.api_tokens import ApiTokenDraft, ApiTokens
from engine.administration.companies import Companies, CompanyDraft
from engine.administration.domains import Domains
from engine.administration.notes import StoreNotes
from engine.administration.query import Query
from engine.authentication.authenticator import MOST_WAITING, REMEMBERED_SECONDS
from engine.authentication.refusal import Why
from engine.domain.actor import LOCAL, Role
from engine.domain.authentication.bearer import digest, new_secret
from engine.store import Store
from engine.store.domain.bearers import MOST_SESSIONS
from tests.engine.authentication.door import ELSEWHERE, HERE, Door
from tests.engine.test_store_database import OLD_HASH

PASSWORD = "correct horse"


@pytest.fixture
def door(store: Store) -> Door:
    store.admins.create("root", PASSWORD)
    return Door(store)


def account(door: Door) -> Any:
    found = door.store.admins.get("root")
    assert found is not None
    return found


def administrators(store: Store) -> Administrators:
    return Administrators(store.database, StoreNotes(store), store.account_changes)


class TestPasswords:
    def test_right_and_wrong(self, door: Door) -> None:
        by = door.authenticator.by_password
        actor = door.opens(by("root", PASSWORD, HERE))
        assert (actor.name, actor.role, actor.companies) == ("admin:root", Role.SUPER, None)
        assert door.refuses(by("root", "correct hors", HERE)) is Why.WRONG
        assert door.refuses(by("nobody", PASSWORD, HERE)) is Why.WRONG
        assert door.refuses(by("root\0", PASSWORD, HERE)) is Why.WRONG

    def test_looked_up_once_a_minute(self, door: Door) -> None:
        for _ in range(3):
            door.opens(door.authenticator.by_password("root", PASSWORD, HERE))
        assert door.desk.asked.count("get") == 1
        door.now += REMEMBERED_SECONDS
        door.opens(door.authenticator.by_password("root", PASSWORD, HERE))
        assert door.desk.asked.count("get") == 2

    def test_a_change_is_seen_at_once(self, door: Door) -> None:
        """A new password, a role taken away, an administrator switched off: nothing is remembered of before."""
        nouns, uid = administrators(door.store), account(door).uid
        door.store.admins.create("other", PASSWORD)
        by = door.authenticator.by_password
        door.opens(by("root", PASSWORD, HERE))
        nouns.change(LOCAL, uid, nouns.patch(role="operator"))
        assert door.opens(by("root", PASSWORD, HERE)).role is Role.OPERATOR
        nouns.change(LOCAL, uid, nouns.patch(password="battery staple"))
        assert door.refuses(by("root", PASSWORD, HERE)) is Why.WRONG
        door.opens(by("root", "battery staple", HERE))
        nouns.change(LOCAL, uid, nouns.patch(enabled=False))
        assert door.refuses(by("root", "battery staple", HERE)) is Why.WRONG

    def test_a_company_that_is_gone_is_not_remembered(self, door: Door) -> None:
        """The next one may be given its key: who had the one does not see the other."""
        changes, notes = door.store.account_changes, StoreNotes(door.store)
        companies = Companies(door.store.database, notes, changes)
        first = companies.add(LOCAL, CompanyDraft(name="first")).view.uid
        administrators(door.store).add(
            LOCAL,
            AdministratorDraft(name="jane", password=PASSWORD, role="administrator", companies=[first]),
        )
        assert door.opens(door.authenticator.by_password("jane", PASSWORD, HERE)).companies
        for each in Domains(door.store.database, notes).page(LOCAL, Query(filters={"company": first})).items:
            Domains(door.store.database, notes).remove(LOCAL, each.uid)
        companies.remove(LOCAL, first)
        companies.add(LOCAL, CompanyDraft(name="second"))
        assert door.opens(door.authenticator.by_password("jane", PASSWORD, HERE)).companies == frozenset()

    def test_a_hash_of_an_earlier_version_is_replaced(self, door: Door) -> None:
        old = account(door)
        door.store.admins.rehash(old.id, old.password_hash, OLD_HASH)
        assert door.refuses(door.authenticator.by_password("root", "pass word", HERE)) is Why.WRONG
        assert account(door).password_hash == OLD_HASH
        door.opens(door.authenticator.by_password("root", "pass wörd", HERE))
        assert account(door).password_hash.startswith("$argon2id$")

    def test_guessing_is_followed_by_silence(self, door: Door) -> None:
        """Of the source that guesses: the owner, elsewhere, is not concerned; nor is anything looked at."""
        by = door.authenticator.by_password
        assert [door.refuses(by("root", "guess", HERE)) for _ in range(10)] == [Why.WRONG] * 10
        door.desk.asked.clear()
        assert door.refuses(by("root", PASSWORD, HERE)) is Why.SILENCED
        assert door.refuses(door.authenticator.sign_in("root", PASSWORD, HERE)) is Why.SILENCED
        assert door.desk.asked == []
        door.opens(by("root", PASSWORD, ELSEWHERE))
        door.now += 61
        door.opens(by("root", PASSWORD, HERE))

    def test_not_everybody_at_once(self, door: Door) -> None:
        """Passwords cost memory and a processor's time, so few are looked at together."""
        waiting: list[Deferred[bool]] = []

        def slow(_: object) -> Deferred[bool]:
            waiting.append(Deferred())
            return waiting[-1]

        usual, door.hashing = door.hashing, slow
        for _ in range(MOST_WAITING):
            ensureDeferred(door.authenticator.by_password("root", "x", HERE)).addErrback(lambda _: None)
        assert door.refuses(door.authenticator.by_password("root", PASSWORD, HERE)) is Why.SILENCED
        for each in waiting:
            each.callback(False)
        door.hashing = usual
        door.opens(door.authenticator.by_password("root", PASSWORD, HERE))


class TestTokens:
    @pytest.fixture
    def made(self, door: Door) -> tuple[str, str]:
        nouns = ApiTokens(door.store.database, StoreNotes(door.store), door.store.account_changes)
        view = nouns.add(account(door).actor(), ApiTokenDraft(name="report", scopes=["users:read"])).view
        assert view.token is not None
        return view.uid, view.token

    def end(self, door: Door, uid: str) -> None:
        ApiTokens(door.store.database, StoreNotes(door.store), door.store.account_changes).remove(LOCAL, uid)

    def test_its_administrator_limited_to_its_scopes(self, door: Door, made: tuple[str, str]) -> None:
        uid, secret = made
        actor = door.opens(door.authenticator.by_token(secret))
        assert (actor.name, actor.role, actor.scopes) == (f"token:{uid}", Role.SUPER, {"users:read"})
        assert actor.may("users", writes=False, least=Role.READ_ONLY)
        assert not actor.may("users", writes=True, least=Role.ADMINISTRATOR)
        assert not actor.may("companies", writes=False, least=Role.READ_ONLY)

    def test_kept_as_a_hash_only(self, door: Door, made: tuple[str, str]) -> None:
        _, secret = made
        found = door.store.api_tokens.find(digest(secret))
        assert found is not None
        assert secret not in repr(found)
        assert door.store.api_tokens.find(secret) is None

    def test_removed_and_with_its_administrator(self, door: Door, made: tuple[str, str]) -> None:
        uid, secret = made
        by = door.authenticator.by_token
        door.opens(by(secret))
        door.store.admins.create("other", PASSWORD)
        nouns, owner = administrators(door.store), account(door).uid
        nouns.change(LOCAL, owner, nouns.patch(enabled=False))
        assert door.refuses(by(secret)) is Why.WRONG
        nouns.change(LOCAL, owner, nouns.patch(enabled=True))
        door.opens(by(secret))
        self.end(door, uid)
        assert door.refuses(by(secret)) is Why.WRONG

    def test_it_ends(self, store: Store, door: Door) -> None:
        """When it should, although it is remembered."""
        nouns = ApiTokens(store.database, StoreNotes(store), store.account_changes)
        view = nouns.add(account(door).actor(), ApiTokenDraft(name="x", scopes=["*:read"])).view
        assert view.token is not None
        door.now = view.expires_at.timestamp() - 1e9 - 1
        door.opens(door.authenticator.by_token(view.token))
        door.now += 0.5
        door.opens(door.authenticator.by_token(view.token))
        door.now += 0.6
        assert door.refuses(door.authenticator.by_token(view.token)) is Why.WRONG

    def test_when_it_was_used(self, door: Door, made: tuple[str, str]) -> None:
        """To the minute: a read that writes each time would be dear."""
        _, secret = made
        door.opens(door.authenticator.by_token(secret))
        found = door.store.api_tokens.find(digest(secret))
        assert found is not None
        assert found.used_at == door.now + 1e9

    @pytest.mark.parametrize(
        "text", ["", "poly_", "poly_" + "a" * 43, "x", "poly_" + "a" * 1000, "polysession_x", "é"]
    )
    def test_what_is_none(self, door: Door, text: str) -> None:
        assert door.refuses(door.authenticator.by_token(text)) is Why.WRONG
        assert door.refuses(door.authenticator.by_session(text)) is Why.WRONG


class TestSessions:
    def test_from_its_beginning_to_its_end(self, door: Door) -> None:
        authenticator = door.authenticator
        opened = door.opens(authenticator.sign_in("root", PASSWORD, HERE))
        found = door.opens(authenticator.by_session(opened.secret))
        assert found == replace(opened, secret="")
        assert opened.secret not in repr(opened)
        assert opened.csrf not in repr(opened)
        door.opens(authenticator.sign_out(opened.secret))
        assert door.refuses(authenticator.by_session(opened.secret)) is Why.WRONG

    def test_each_has_its_own_proof(self, door: Door) -> None:
        authenticator = door.authenticator
        one, two = (door.opens(authenticator.sign_in("root", PASSWORD, HERE)) for _ in range(2))
        assert authenticator.proves_page(one, one.csrf)
        assert not authenticator.proves_page(one, two.csrf)
        assert not authenticator.proves_page(one, "")
        assert not authenticator.proves_page(one, "é")

    def test_one_that_nobody_uses_ends(self, door: Door) -> None:
        opened = door.opens(door.authenticator.sign_in("root", PASSWORD, HERE))
        for _ in range(4):
            door.now += 500
            door.opens(door.authenticator.by_session(opened.secret))
        door.now += 600
        assert door.refuses(door.authenticator.by_session(opened.secret)) is Why.WRONG

    def test_every_one_ends(self, door: Door) -> None:
        """Whatever is done with it, to the second."""
        opened = door.opens(door.authenticator.sign_in("root", PASSWORD, HERE))
        for _ in range(11):
            door.now += 327
            door.opens(door.authenticator.by_session(opened.secret))
        door.now = opened.ends_at - 1e9
        assert door.refuses(door.authenticator.by_session(opened.secret)) is Why.WRONG

    def test_a_new_password_ends_them(self, door: Door) -> None:
        opened = door.opens(door.authenticator.sign_in("root", PASSWORD, HERE))
        nouns = administrators(door.store)
        nouns.change(LOCAL, account(door).uid, nouns.patch(password="battery staple"))
        assert door.refuses(door.authenticator.by_session(opened.secret)) is Why.WRONG

    def test_not_any_number_of_them(self, door: Door) -> None:
        """The one unused for longest makes room."""
        opened = []
        for _ in range(MOST_SESSIONS + 1):
            door.now += 1
            opened.append(door.opens(door.authenticator.sign_in("root", PASSWORD, HERE)).secret)
        assert door.refuses(door.authenticator.by_session(opened[0])) is Why.WRONG
        for each in opened[1:]:
            door.opens(door.authenticator.by_session(each))

    def test_one_is_not_a_token(self, door: Door) -> None:
        opened = door.opens(door.authenticator.sign_in("root", PASSWORD, HERE))
        assert door.refuses(door.authenticator.by_token(opened.secret)) is Why.WRONG
        assert door.refuses(door.authenticator.by_session(new_secret("token"))) is Why.WRONG
