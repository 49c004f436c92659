"""Companies, and through them what every noun over a table does."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from engine.administration.companies import Companies, Company, CompanyDraft
from engine.administration.notes import StoreNotes
from engine.administration.query import Query
from engine.domain.actor import LOCAL, Actor, Role
from engine.domain.identity import is_uid, new_uid
from engine.domain.scope import DEFAULT_COMPANY
from engine.store import Forbidden, InUse, Invalid, NotFound, Stale, Store, Taken
from engine.store.events.tables import AuditRow
from tests.engine.administration.notebook import Notebook, administrator


@pytest.fixture
def companies(store: Store, notebook: Notebook) -> Companies:
    return Companies(store.database, notebook)


def patch(**fields: object) -> msgspec.Struct:
    return Companies.patch(**fields)


def add(companies: Companies, name: str) -> Company:
    return companies.add(LOCAL, CompanyDraft(name=name)).view


def names(companies: Companies, query: Query, actor: Actor = LOCAL) -> list[str]:
    return [each.name for each in companies.page(actor, query).items]


def key_of(companies: Companies, uid: str, tries: int = 10) -> int:
    """The key nobody is shown: that of the only company by which the actor sees it."""
    for key in range(tries):
        try:
            companies.get(administrator(key), uid)
        except NotFound:
            continue
        return key
    raise AssertionError(uid)


def test_a_new_store_has_the_default_company(companies: Companies) -> None:
    page = companies.page(LOCAL, Query())
    assert [each.name for each in page.items] == ["default"]
    assert page.next is None
    assert is_uid(page.items[0].uid, "cmp")
    assert key_of(companies, page.items[0].uid) == DEFAULT_COMPANY


def test_from_its_making_to_its_end(companies: Companies, notebook: Notebook) -> None:
    made = companies.add(LOCAL, CompanyDraft(name="Société Générale", culture="fr"))
    assert made.version == 1
    assert companies.get(LOCAL, made.view.uid) == made
    changed = companies.change(LOCAL, made.view.uid, patch(enabled=False), made.version)
    assert changed.version == 2
    assert changed.view == msgspec.structs.replace(made.view, enabled=False)
    assert companies.get(LOCAL, made.view.uid) == changed
    companies.remove(LOCAL, made.view.uid, changed.version)
    with pytest.raises(NotFound):
        companies.get(LOCAL, made.view.uid)
    assert notebook.changes[1].fields == {"enabled": (True, False)}
    assert {each.subject for each in notebook.changes} == {made.view.uid}
    assert notebook.kinds() == ["companies.added", "companies.changed", "companies.removed"]


def test_what_changes_nothing_is_not_a_change(companies: Companies, notebook: Notebook) -> None:
    made = companies.add(LOCAL, CompanyDraft(name="A"))
    notebook.changes.clear()
    assert companies.change(LOCAL, made.view.uid, patch(name="A")) == made
    assert companies.change(LOCAL, made.view.uid, patch()) == made
    assert notebook.changes == []


def test_a_change_of_what_another_has_changed_is_refused(companies: Companies) -> None:
    made = companies.add(LOCAL, CompanyDraft(name="A"))
    companies.change(LOCAL, made.view.uid, patch(name="B"), 1)
    with pytest.raises(Stale) as refusal:
        companies.change(LOCAL, made.view.uid, patch(name="C"), 1)
    assert refusal.value.version == 2
    with pytest.raises(Stale):
        companies.remove(LOCAL, made.view.uid, 1)
    assert companies.get(LOCAL, made.view.uid).view.name == "B"


@pytest.mark.parametrize("name", ["Société", "SOCIETE", " societe"])
def test_a_name_stands_once_however_it_is_written(companies: Companies, name: str) -> None:
    add(companies, "Société")
    with pytest.raises(Taken, match="Société"):
        add(companies, name)


@pytest.mark.parametrize("name", [" ", "\u0301", "a\nb", "a\0b", "a\u2028b"])
def test_names_that_are_refused(companies: Companies, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        add(companies, name)


def test_every_row_comes_once_over_all_pages(companies: Companies) -> None:
    made = {add(companies, f"C{index:02} {'é' * (index % 3)}").name for index in range(23)}
    for order, limit in (("name", 5), ("-name", 7), ("name", 24), ("-name", 1)):
        found: list[str] = []
        cursor = None
        while True:
            page = companies.page(LOCAL, Query(limit=limit, cursor=cursor, order=order))
            assert len(page.items) <= limit
            found += [each.name for each in page.items]
            if (cursor := page.next) is None:
                break
        assert len(found) == 24
        assert set(found) == made | {"default"}
        assert found == sorted(found, reverse=order == "-name")


def test_filters_and_orders(companies: Companies) -> None:
    kept, closed = add(companies, "Kept"), add(companies, "Closed")
    companies.change(LOCAL, closed.uid, patch(enabled=False))
    assert names(companies, Query(filters={"enabled": "false"})) == ["Closed"]
    assert names(companies, Query(filters={"enabled": "true"})) == ["default", kept.name]
    for query, field in (
        (Query(filters={"colour": "red"}), "colour"),
        (Query(filters={"enabled": "perhaps"}), "enabled"),
        (Query(order="enabled"), "order"),
        (Query(q="x"), "q"),
        (Query(fields=frozenset({"colour"})), "fields"),
        (Query(cursor="xx"), "cursor"),
    ):
        with pytest.raises(Invalid) as refusal:
            companies.page(LOCAL, query)
        assert refusal.value.field == field


def test_a_cursor_does_not_lead_into_another_list(companies: Companies) -> None:
    add(companies, "A")
    cursor = companies.page(LOCAL, Query(limit=1)).next
    assert cursor is not None
    with pytest.raises(Invalid, match="cursor"):
        companies.page(LOCAL, Query(limit=1, cursor=cursor, order="-name"))


def test_outside_her_companies_nothing_exists(companies: Companies) -> None:
    ours, theirs = add(companies, "Ours"), add(companies, "Theirs")
    jane = administrator(key_of(companies, ours.uid))
    assert names(companies, Query(), jane) == ["Ours"]
    with pytest.raises(NotFound) as there:
        companies.get(jane, theirs.uid)
    never = new_uid("cmp")
    with pytest.raises(NotFound) as nowhere:
        companies.get(jane, never)
    assert str(there.value).replace(theirs.uid, "") == str(nowhere.value).replace(never, "")
    assert companies.page(administrator(), Query()).items == []


@pytest.mark.parametrize("uid", ["", "x", "cmp_1", "dom_" + "a" * 20, "a\0b", "é" * 500])
def test_what_is_no_identity_is_not_found(companies: Companies, uid: str) -> None:
    with pytest.raises(NotFound):
        companies.get(LOCAL, uid)
    with pytest.raises(NotFound):
        companies.remove(LOCAL, uid)


def test_only_the_super_user_makes_companies(companies: Companies) -> None:
    jane = administrator(DEFAULT_COMPANY)
    uid = companies.page(jane, Query()).items[0].uid
    for attempt in (
        lambda: companies.add(jane, CompanyDraft(name="A")),
        lambda: companies.change(jane, uid, patch(name="B")),
        lambda: companies.remove(jane, uid),
        lambda: companies.remove(jane, "cmp_none"),
    ):
        with pytest.raises(Forbidden, match="super"):
            attempt()
    with pytest.raises(Forbidden, match="read-only"):
        companies.page(Actor("user:usr_x", Role.USER, frozenset({1})), Query())
    token = Actor("token:tok_x", Role.SUPER, None, scopes=frozenset({"*:read"}))
    with pytest.raises(Forbidden, match="companies:write"):
        companies.add(token, CompanyDraft(name="A"))


def test_the_first_company_stays(companies: Companies) -> None:
    uid = companies.page(LOCAL, Query()).items[0].uid
    with pytest.raises(InUse):
        companies.remove(LOCAL, uid)
    with pytest.raises(Invalid, match="enabled"):
        companies.change(LOCAL, uid, patch(enabled=False))
    assert companies.change(LOCAL, uid, patch(name="Example")).view.name == "Example"


def test_a_race_between_nodes_is_told_as_taken(companies: Companies, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should another node commit the name after our check, the constraint's refusal is typed the same."""
    add(companies, "A")
    monkeypatch.setattr(Companies, "check", lambda self, session, row: None)
    with pytest.raises(Taken):
        add(companies, "A")


def test_the_event_and_the_audit_entry_are_of_the_same_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    companies = Companies(store.database, StoreNotes(store))
    made = add(companies, "A")
    key = key_of(companies, made.uid)
    (event,) = store.events.after(key, 0)
    assert (event.kind, event.subject) == ("companies.added", made.uid)
    assert msgspec.json.decode(event.data)["name"] == "A"
    monkeypatch.setattr(store.events, "append", fail)
    with pytest.raises(RuntimeError):
        companies.change(LOCAL, made.uid, patch(name="B"))
    assert names(companies, Query()) == ["A", "default"]
    assert len(store.events.after(key, 0)) == 1


def test_a_company_takes_its_events_with_it(store: Store) -> None:
    companies = Companies(store.database, StoreNotes(store))
    made = add(companies, "A")
    key = key_of(companies, made.uid)
    companies.remove(LOCAL, made.uid)
    assert store.events.companies() == []
    with store.database.reading() as session:
        entries = session.execute(select(AuditRow.company_id, AuditRow.actor, AuditRow.action)).all()
    assert [tuple(each) for each in entries] == [
        (None, "local", "companies.added"),
        (None, "local", "companies.removed"),
    ]
    assert store.events.bounds(key).newest == 0


def fail(*anything: object) -> None:
    raise RuntimeError


def test_a_patch_has_the_fields_of_the_draft_none_of_them_needed() -> None:
    decoded = msgspec.json.decode(b'{"culture": "fr"}', type=Companies.patch)
    assert msgspec.structs.asdict(decoded) == {
        "name": msgspec.UNSET,
        "culture": "fr",
        "enabled": msgspec.UNSET,
    }
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"uid": "x"}', type=Companies.patch)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"name": ""}', type=Companies.patch)
