"""Users: their fields, who finds them, and what is kept secret."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from engine.administration.query import Query
from engine.domain.actor import LOCAL
from engine.store import Invalid, NotFound, Taken
from engine.store.domain.user_tables import UserRow
from engine.store.passwords import password_matches
from tests.engine.administration.town import Town

EVERYTHING = {
    "login": "hélène",
    "first_name": "Hélène",
    "last_name": "Le Goff",
    "email": "helene@example.com",
    "mobile": "+33 6 12 34 56 78",
    "culture": "fr",
    "enabled": False,
    "custom_1": "B2",
    "custom_2": "Lyon",
    "address": "sip:hlg@example.com",
}


def test_every_field_is_kept(town: Town) -> None:
    made = town.add("users", **EVERYTHING, voicemail_pin="4711")
    shown = msgspec.to_builtins(made)
    assert {name: shown[name] for name in EVERYTHING} == EVERYTHING
    assert (made.company, made.domain, made.has_voicemail_pin) == (town.ours.company, town.ours.domain, True)
    assert town.nouns["users"].get(town.ours.administrator, made.uid).view == made
    other = {
        name: value[:-1] for name, value in EVERYTHING.items() if isinstance(value, str) and name != "culture"
    }
    changed = msgspec.to_builtins(town.change("users", made.uid, **other, culture="en", enabled=True))
    assert {name: changed[name] for name in other} == other


def test_what_follows_when_it_is_not_said(town: Town) -> None:
    town.change("domains", town.ours.domain, culture="fr")
    made = town.add("users", login="jane", email="jane@example.com")
    assert (made.culture, made.address, made.enabled) == ("fr", "sip:jane@example.com", True)
    assert town.add("users", login="jim").address == ""


def test_a_pin_is_hashed_and_never_told(town: Town) -> None:
    made = town.add("users", login="jane", voicemail_pin="4711")
    assert "4711" not in repr(made)
    assert "4711" not in repr(town.notebook.changes)
    assert town.notebook.changes[-1].fields["voicemail_pin"] == ("***", "***")
    with town.store.database.reading() as session:
        kept = session.scalars(select(UserRow.voicemail_pin)).one()
    assert kept is not None
    assert password_matches("4711", kept)
    assert not town.change("users", made.uid, voicemail_pin=None).has_voicemail_pin


@pytest.mark.parametrize(
    "words", ["helene", "HÉLÈNE", "goff hele", "le goff", "612 34", "example.com lyon", "b2"]
)
def test_search_without_case_and_accents(town: Town, words: str) -> None:
    found = town.add("users", **EVERYTHING)
    town.add("users", login="other", email="other@example.org")
    town.add("users", town.theirs.administrator, **EVERYTHING)
    assert town.list("users", q=words) == [found]


@pytest.mark.parametrize("words", ["%", "_", "/", "\\", "helene zz"])
def test_signs_of_the_database_find_themselves_only(town: Town, words: str) -> None:
    town.add("users", **EVERYTHING)
    assert town.list("users", q=words) == []


def test_search_follows_a_change(town: Town) -> None:
    user = town.add("users", login="jane", last_name="Doe")
    town.change("users", user.uid, last_name="Müller")
    assert [each.uid for each in town.list("users", q="muller")] == [user.uid]
    assert town.list("users", q="doe") == []


def test_lists_are_in_the_order_of_last_and_first_names(town: Town) -> None:
    for first, last in (("Zoé", "Martin"), ("Élodie", "martin"), ("Ann", "Émile"), ("Bob", "Zorn")):
        town.add("users", login=first, first_name=first, last_name=last)
    names = [each.first_name for each in town.list("users")]
    assert names == ["Ann", "Élodie", "Zoé", "Bob"]
    page = town.nouns["users"].page(town.ours.administrator, Query(order="-last_name", limit=3))
    assert [each.first_name for each in page.items] == ["Bob", "Zoé", "Élodie"]
    rest = town.nouns["users"].page(town.ours.administrator, Query(order="-last_name", cursor=page.next))
    assert [each.first_name for each in rest.items] == ["Ann"]


def test_filters(town: Town) -> None:
    jane = town.add("users", login="Jane", email="Jane@Example.com")
    jim = town.add("users", login="jim", enabled=False)
    group = town.add("groups", name="sales")
    town.add("memberships", group=group.uid, member=jim.uid)
    jim = town.list("users", login="JIM")[0]
    assert jim.groups == [group.uid]
    assert town.list("users", email="jane@example.COM") == [jane]
    assert town.list("users", address="sip:Jane@Example.com") == [jane]
    assert town.list("users", group=group.uid) == [jim]
    assert town.list("users", enabled="false", domain=town.ours.domain, company=town.ours.company) == [jim]
    assert town.list("users", town.theirs.administrator, group=group.uid) == []


def test_a_login_stands_once_in_a_company(town: Town) -> None:
    user = town.add("users", login="jane")
    with pytest.raises(Taken, match="login"):
        town.add("users", login="JANE")
    second = town.add("domains", name="second")
    with pytest.raises(Invalid, match="domain"):
        town.add("users", login="jim")
    with pytest.raises(Taken, match="login"):
        town.add("users", login="Jane", domain=second.uid)
    town.add("users", town.theirs.administrator, login="jane")
    assert town.change("users", user.uid, login="JANE").login == "JANE"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "jane@example.com"),
        ("address", "tel:+33123"),
        ("address", None),
        ("culture", None),
        ("custom_1", "two\nlines"),
        ("login", "\u0301"),
    ],
)
def test_values_that_are_refused(town: Town, field: str, value: str | None) -> None:
    user = town.add("users", login="jane")
    with pytest.raises(Invalid, match=field):
        town.change("users", user.uid, **{field: value})


def test_a_user_moves_within_her_company(town: Town) -> None:
    user = town.add("users", login="jane")
    second = town.add("domains", name="second")
    assert town.change("users", user.uid, domain=second.uid).domain == second.uid
    with pytest.raises(NotFound):
        town.change("users", user.uid, domain=town.theirs.domain)
    with pytest.raises(Invalid, match="domain"):
        town.change("users", user.uid, LOCAL, domain=town.theirs.domain)


def test_other_companies_users_do_not_exist(town: Town) -> None:
    theirs = town.add("users", town.theirs.administrator, login="jane")
    for attempt in (
        lambda: town.nouns["users"].get(town.ours.administrator, theirs.uid),
        lambda: town.change("users", theirs.uid, login="x"),
        lambda: town.remove("users", theirs.uid),
        lambda: town.add("users", login="jim", domain=town.theirs.domain),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert town.list("users") == []
