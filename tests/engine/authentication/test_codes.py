"""Administrators who have to show one-time codes: before they are let in, once each, and not guessed."""

from __future__ import annotations

import pyotp
import pytest

from engine.authentication.refusal import Why
from engine.domain.actor import LOCAL, Actor
from engine.domain.authentication.second_factor import STEP_SECONDS
from engine.store import Forbidden, InUse, NotFound, Store
from engine.store.events.tables import AuditRow
from tests.engine.authentication.door import ELSEWHERE, HERE, Door

PASSWORD = "correct horse"


class Desk:
    """An administrator with codes, before a door."""

    def __init__(self, store: Store) -> None:
        store.admins.create("root", PASSWORD)
        self.door = Door(store)
        account = store.admins.get("root")
        assert account is not None
        self.actor: Actor = account.actor()
        self.codes = self.door.authenticator.codes
        self.made = self.door.opens(self.codes.begin(self.actor))

    def code(self) -> str:
        """The next one that has not been used."""
        self.door.now += STEP_SECONDS
        return pyotp.TOTP(self.made.secret).at(int(self.door.now + 1e9))

    def confirm(self) -> list[str]:
        return self.door.opens(self.codes.confirm(self.actor, self.code()))

    def sign_in(self, code: str, source: str = HERE) -> None:
        self.door.opens(self.door.authenticator.sign_in("root", PASSWORD, source, code))

    def is_refused(self, code: str, source: str = HERE, password: str = PASSWORD) -> Why:
        return self.door.refuses(self.door.authenticator.sign_in("root", password, source, code))


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_from_the_beginning_to_the_end(desk: Desk) -> None:
    """Nothing is asked for before the first code has been shown; then always, until it is ended with one."""
    door = desk.door
    assert desk.made.picture.startswith("<svg")
    assert desk.made.secret in desk.made.uri
    assert desk.made.secret not in repr(desk.made)
    desk.sign_in("")
    door.opens(door.authenticator.by_password("root", PASSWORD, HERE))
    assert door.refuses(desk.codes.confirm(desk.actor, "000000")) is Why.CODE
    recovery = desk.confirm()
    assert desk.is_refused("") is Why.CODE
    assert door.refuses(door.authenticator.by_password("root", PASSWORD, HERE)) is Why.CODE
    desk.sign_in(desk.code())
    desk.sign_in(recovery[0])
    assert desk.is_refused(recovery[0]) is Why.CODE
    with pytest.raises(InUse):
        door.opens(desk.codes.begin(desk.actor))
    assert door.refuses(desk.codes.end(desk.actor, "000000", HERE)) is Why.CODE
    door.opens(desk.codes.end(desk.actor, desk.code(), HERE))
    desk.sign_in("")


def test_who_changed_it_is_noted(desk: Desk) -> None:
    """By herself, and by whoever has the engine's own files."""
    desk.confirm()
    desk.door.store.second_factors.remove("root", LOCAL.name)
    with desk.door.store.database.reading() as session:
        found = [(each.actor, each.action) for each in session.query(AuditRow).order_by(AuditRow.id)]
    assert found == [
        ("admin:root", "administrators.second-factor-added"),
        ("local", "administrators.second-factor-removed"),
    ]
    desk.sign_in("")
    with pytest.raises(NotFound):
        desk.door.store.second_factors.remove("root", LOCAL.name)


def test_a_wrong_password_tells_nothing_of_codes(desk: Desk) -> None:
    desk.confirm()
    assert desk.is_refused("", password="guess") is Why.WRONG
    assert desk.is_refused(desk.code(), password="guess") is Why.WRONG


def test_a_code_is_taken_once(desk: Desk) -> None:
    desk.confirm()
    code = desk.code()
    desk.sign_in(code)
    assert desk.is_refused(code) is Why.CODE


def test_who_has_the_password_guesses_few(desk: Desk) -> None:
    """From however many places; the owner, where she has signed in before, is not concerned."""
    desk.confirm()
    desk.sign_in(desk.code(), ELSEWHERE)
    assert [desk.is_refused("000000", f"198.51.100.{index}") for index in range(5)] == [Why.CODE] * 5
    code = desk.code()
    assert desk.is_refused(code, "198.51.100.99") is Why.SILENCED
    desk.sign_in(code, ELSEWHERE)
    desk.door.now += 300
    desk.sign_in(desk.code(), "198.51.100.99")


def test_only_ones_own(desk: Desk) -> None:
    """Neither a token nor the engine's socket has codes."""
    for actor in (LOCAL, Actor("token:tok_x", desk.actor.role, None, scopes=frozenset({"*:write"}))):
        with pytest.raises(Forbidden):
            desk.door.opens(desk.codes.begin(actor))
    desk.confirm()
    with pytest.raises(NotFound):
        desk.door.opens(desk.codes.confirm(desk.actor, desk.code()))
