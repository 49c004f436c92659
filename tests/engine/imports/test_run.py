"""Runs of imports against a real store, of both kinds: what they write, tell and leave alone."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from engine.administration.groups import GroupDraft, Groups
from engine.administration.memberships import Memberships
from engine.administration.notes import StoreNotes
from engine.administration.query import Query
from engine.administration.users import Users
from engine.domain.actor import LOCAL
from engine.domain.scope import DEFAULT_COMPANY
from engine.imports.run import KEPT_RUNS, runner
from engine.store import Invalid, Store
from engine.store.domain.administrator_tables import SessionRow
from engine.store.domain.import_tables import ImportedUserRow, UserImportRunRow
from engine.store.domain.user_tables import UserRow
from engine.store.events.tables import AuditRow
from tests.engine.imports.importing import Importing, counts

HEAD = "login,first,last,mail\n"
ANN, BOB = "ann,Ann,Doe,ann@x\n", "bob,Bob,Roe,bob@x\n"


@pytest.fixture
def importing(common_store: Store) -> Importing:
    return Importing(common_store)


def test_users_are_made_as_by_hand(importing: Importing) -> None:
    """The same fields, found by the same searches and in the same order as those made one by one."""
    run = importing.run(importing.file(culture="fr"), HEAD + "hélène,Hélène,Éluard,h@x\n")
    assert (run.state, run.stage, run.entries) == ("done", "", 1)
    by_hand = importing.add("twin", first_name="Hélène", last_name="Éluard", email="h@x", culture="fr")
    user = importing.everybody()["hélène"]
    assert msgspec.structs.replace(user, uid="", login="") == msgspec.structs.replace(
        by_hand, uid="", login=""
    )
    assert user.address == "sip:h@x"
    found = importing.users.page(LOCAL, Query(q="eluard helene"))
    assert [each.login for each in found.items] == ["hélène", "twin"]


def test_all_that_can_become_of_users(importing: Importing) -> None:
    """Created, updated, unchanged, removed, ignored; the report has each but the unchanged, with what changed."""
    source = importing.file(largest_share=100)
    assert counts(importing.run(source, HEAD + ANN + BOB + "cy,Cy,Coe,cy@x\n")) == (3, 0, 0, 0, 0, 0)
    importing.add("hand")
    run = importing.run(source, HEAD + ANN + "bob,Robert,Roe,bob@x\n" + "di,Di,Doe,not-a-mail\n")
    assert counts(run) == (0, 1, 1, 0, 1, 1)
    assert set(importing.everybody()) == {"ann", "bob", "hand"}
    report = importing.report(run)
    assert {login: each.action for login, each in report.items()} == {
        "bob": "updated",
        "cy": "deleted",
        "di": "ignored",
    }
    assert report["bob"].changes == {"first_name": ["Bob", "Robert"]}
    assert (report["di"].reason, report["di"].field, report["di"].reference) == ("invalid", "email", "4")


def test_a_second_run_changes_nothing(importing: Importing) -> None:
    """Neither users nor their versions, and nobody is told of any."""
    source = importing.file()
    importing.run(source, HEAD + ANN + BOB)
    before = importing.users.get(LOCAL, importing.everybody()["ann"].uid)
    newest = importing.store.events.bounds(DEFAULT_COMPANY).newest
    assert counts(importing.run(source, HEAD + ANN + BOB)) == (0, 0, 2, 0, 0, 0)
    assert importing.users.get(LOCAL, before.view.uid) == before
    kinds = [each.kind for each in importing.store.events.after(DEFAULT_COMPANY, newest)]
    assert kinds == ["user-import-runs.added", "user-import-runs.ended"]


def test_a_dry_run_says_what_the_run_will_do(importing: Importing) -> None:
    """The report of both is the same, and only the second changes anything."""
    source = importing.file(largest_share=100)
    importing.run(source, HEAD + ANN + BOB)
    before = importing.everybody()
    changed = HEAD + "ann,Anna,Doe,anna@x\n" + "cy,Cy,Coe,cy@x\n"
    dry = importing.run(source, changed, dry_run=True)
    assert importing.everybody() == before
    wet = importing.run(source, changed)
    assert counts(dry) == counts(wet) == (1, 1, 0, 0, 1, 0)
    told = [
        {login: (each.action, each.changes) for login, each in importing.report(run).items()}
        for run in (dry, wet)
    ]
    assert told[0] == told[1]
    assert told[0]["ann"] == (
        "updated",
        {"first_name": ["Ann", "Anna"], "email": ["ann@x", "anna@x"], "address": ["sip:ann@x", "sip:anna@x"]},
    )


def test_events_and_audit_entries_are_those_of_the_noun(importing: Importing) -> None:
    """Whoever follows events cannot tell an import from a person but by the actor."""
    source = importing.file()
    importing.run(source, HEAD + ANN)
    importing.run(source, HEAD + "ann,Anna,Doe,ann@x\n")
    user = importing.everybody()["ann"]
    log = importing.store.events.after(DEFAULT_COMPANY, 0)
    mine = [each for each in log if each.subject == user.uid]
    assert [each.kind for each in mine] == ["users.added", "users.changed"]
    assert msgspec.json.decode(mine[1].data) == {"actor": "local", **msgspec.to_builtins(user)}
    with importing.store.database.reading() as session:
        changes = session.scalars(
            select(AuditRow.changes).where(AuditRow.subject == user.uid).order_by(AuditRow.id)
        ).all()
    assert msgspec.json.decode(changes[1]) == {"first_name": ["Ann", "Anna"]}


def test_who_is_gone_is_disabled_and_comes_back(importing: Importing) -> None:
    """Only by the mode that says so; whom a person disabled stays so."""
    source = importing.file("insert-update-disable", largest_share=100)
    importing.run(source, HEAD + ANN + BOB)
    assert counts(importing.run(source, HEAD + BOB)) == (0, 0, 1, 1, 0, 0)
    assert [each.enabled for each in importing.everybody().values()] == [False, True]
    assert counts(importing.run(source, HEAD + BOB)) == (0, 0, 2, 0, 0, 0)
    bob = importing.everybody()["bob"]
    importing.users.change(LOCAL, bob.uid, Users.patch(enabled=False))
    assert counts(importing.run(source, HEAD + ANN + BOB)) == (0, 1, 1, 0, 0, 0)
    assert [each.enabled for each in importing.everybody().values()] == [True, False]


def test_who_is_disabled_is_signed_out(importing: Importing) -> None:
    """At once, as when a person disables her."""
    source = importing.file("insert-update-disable", largest_share=100)
    importing.run(source, HEAD + ANN + BOB)
    with importing.store.database.writing() as session:
        for user in session.scalars(select(UserRow)):
            times = {"created_at": 0.0, "seen_at": 0.0, "ends_at": 1e12}
            session.add(SessionRow(uid=user.login, digest=user.login, user_id=user.id, source="x", **times))
    importing.run(source, HEAD + BOB)
    with importing.store.database.reading() as session:
        assert session.scalars(select(SessionRow.uid)).all() == ["bob"]


def test_the_group_to_join(importing: Importing) -> None:
    """New and old users are put into it; who was taken out of it is put in again."""
    store = importing.store
    groups = Groups(store.database, StoreNotes(store))
    memberships = Memberships(store.database, StoreNotes(store))
    group = groups.add(LOCAL, GroupDraft(name="Staff")).view
    importing.add("ann", first_name="Ann", last_name="Doe", email="ann@x")
    source = importing.file(group=group.uid)
    assert counts(importing.run(source, HEAD + ANN + BOB)) == (1, 1, 0, 0, 0, 0)
    assert groups.get(LOCAL, group.uid).view.members == 2
    assert importing.everybody()["bob"].groups == [group.uid]
    membership = memberships.page(LOCAL, Query()).items[0]
    memberships.remove(LOCAL, membership.uid)
    assert counts(importing.run(source, HEAD + ANN + BOB)) == (0, 1, 1, 0, 0, 0)
    assert groups.get(LOCAL, group.uid).view.members == 2


def test_too_many_gone(importing: Importing) -> None:
    """Nothing changes, and the run says how many; whoever means it forces it."""
    source = importing.file()
    everybody = "".join(f"u{number},U,{number},u{number}@x\n" for number in range(30))
    importing.run(source, HEAD + everybody)
    run = importing.run(source, HEAD + ANN)
    assert (run.state, run.reason, run.detail, counts(run)) == ("failed", "too_many_gone", "30/30", (0,) * 6)
    assert len(importing.everybody()) == 30
    assert counts(importing.run(source, HEAD + ANN, force=True)) == (1, 0, 0, 0, 30, 0)


def test_a_file_that_is_none(importing: Importing) -> None:
    """The run fails with a reason and changes nothing; the file is not kept."""
    source = importing.file()
    importing.run(source, HEAD + ANN)
    run = importing.run(source, 'login,"open\n')
    assert (run.state, run.reason) == ("failed", "text")
    assert list(importing.everybody()) == ["ann"]
    with importing.store.database.reading() as session:
        assert session.scalars(select(UserImportRunRow.csv)).all() == [None, None]


def test_a_statement_that_fails_in_the_middle(importing: Importing) -> None:
    """All of the transaction is undone: users, whose they are, events."""
    source = importing.file(largest_share=100)
    importing.run(source, HEAD + ANN + BOB)
    newest = importing.store.events.bounds(DEFAULT_COMPANY).newest
    before = importing.everybody()

    def fails(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO imported_users"):
            raise OperationalError(statement, None, Exception("the disk is full"))

    engine = importing.store.database.engine
    event.listen(engine, "before_cursor_execute", fails)
    try:
        run = importing.run(source, HEAD + "bob,Robert,Roe,bob@x\n" + "cy,Cy,Coe,cy@x\n")
    finally:
        event.remove(engine, "before_cursor_execute", fails)
    assert (run.state, run.reason, counts(run)) == ("failed", "store", (0,) * 6)
    assert importing.everybody() == before
    kinds = [each.kind for each in importing.store.events.after(DEFAULT_COMPANY, newest)]
    assert kinds == ["user-import-runs.added", "user-import-runs.ended"]


def test_a_removed_import_leaves_its_users(importing: Importing) -> None:
    """They are then a person's, with nothing left of whose they were."""
    source = importing.file()
    importing.run(source, HEAD + ANN)
    importing.imports.remove(LOCAL, source.uid)
    assert list(importing.everybody()) == ["ann"]
    with importing.store.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportedUserRow)) == 0
    again = importing.run(importing.file(), HEAD + ANN)
    assert (counts(again), importing.report(again)["ann"].reason) == ((0, 1, 0, 0, 0, 0), "adopted")


def test_old_reports_go(importing: Importing) -> None:
    """The last are kept, of each import."""
    source = importing.file()
    for _ in range(KEPT_RUNS + 3):
        last = importing.run(source, HEAD + ANN)
    kept = importing.runs.page(LOCAL, Query()).items
    assert len(kept) == KEPT_RUNS
    assert kept[-1].uid == last.uid


def test_a_run_is_carried_out_once(importing: Importing) -> None:
    """A second process that takes the same one does nothing."""
    source = importing.file()
    run = importing.run(source, HEAD + ANN)
    runner(importing.store.database).run(importing.key_of(run))
    assert importing.runs.get(LOCAL, run.uid).view == run


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"fields": {"first_name": "x"}}, "fields"),
        ({"fields": {"login": "x", "pin": "y"}}, "fields"),
        ({"fields": {"login": "{"}}, "fields"),
        ({"schedule": "daily 01:00"}, "schedule"),
        ({"kind": "ldap", "base": "dc=x"}, "host"),
        ({"kind": "ldap", "host": "x"}, "base"),
        ({"kind": "ldap", "host": "x", "base": "dc=x", "schedule": "often"}, "schedule"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_imports_that_could_not_run(importing: Importing, fields: dict[str, object], wrong: str) -> None:
    """They are refused when they are made, by the field."""
    with pytest.raises(Invalid) as refused:
        importing.file(**fields)
    assert refused.value.field == wrong


def test_passwords_are_not_told(importing: Importing) -> None:
    """Neither by the noun nor by the logs."""
    source = importing.file(password="a-secret")
    assert source.has_password
    assert "a-secret" not in msgspec.json.encode(source).decode()
    with importing.store.database.reading() as session:
        logged = session.scalars(select(AuditRow.changes)).all()
    assert logged
    assert all("a-secret" not in each for each in logged)
