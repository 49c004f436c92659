"""The audit log in the store."""

from __future__ import annotations

from sqlalchemy import select

from engine.store import Store
from engine.store.audit import SECRET, Audit
from engine.store.database import Database
from engine.store.events.tables import AuditRow


def rows(database: Database) -> list[tuple[object, ...]]:
    query = select(AuditRow.company_id, AuditRow.at, AuditRow.actor, AuditRow.subject, AuditRow.changes)
    with database.reading() as session:
        return [tuple(row) for row in session.execute(query.order_by(AuditRow.id))]


def test_an_entry_is_kept_until_it_is_old(store: Store, store_url: str) -> None:
    """It has who, when and what; a company's removal leaves it to those who see all companies."""
    database, times = Database(store_url), iter([1.0, 2.0])
    audit = Audit(database, lambda: next(times))
    with database.writing() as session:
        audit.append(session, 1, "admin:jane", "users.changed", "usr_a", {"pin": [SECRET, SECRET]})
        audit.append(session, None, "local\n", "companies.added", "cmp_b", {"name": ["", "Bé"]})
    assert rows(database) == [
        (1, 1.0, "admin:jane", "usr_a", '{"pin":["***","***"]}'),
        (None, 2.0, "local ", "cmp_b", '{"name":["","Bé"]}'),
    ]
    with database.writing() as session:
        audit.detach(session, 1)
    assert [row[0] for row in rows(database)] == [None, None]
    assert audit.forget_before(2.0) == 1
    assert [row[3] for row in rows(database)] == ["cmp_b"]
    database.close()
