"""Administrators of an earlier version stay what they were: super users, by the same password."""

from __future__ import annotations

from sqlalchemy import text

from engine.domain.actor import Role
from engine.domain.identity import is_uid
from engine.store import Store
from engine.store.database import Database
from engine.store.migrate import upgrade
from engine.store.passwords import password_matches
from tests.engine.test_store_database import OLD_HASH

BEFORE = "0009"


def test_they_stay_super_users(store_url: str) -> None:
    upgrade(store_url, BEFORE)
    database = Database(store_url)
    with database.connection() as connection:
        for name in ("one", "two"):
            values = {"name": name, "hash": OLD_HASH}
            connection.execute(text("INSERT INTO admins (name, password_hash) VALUES (:name, :hash)"), values)
    database.close()
    store = Store(store_url)
    store.open()
    one, two = store.admins.all()
    assert (one.name, one.role, one.companies, one.enabled) == ("one", Role.SUPER, None, True)
    assert is_uid(one.uid, "adm")
    assert one.uid != two.uid
    assert password_matches("pass wörd", two.password_hash)
    store.close()
