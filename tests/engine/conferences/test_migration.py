"""A store of an earlier version gets the tables of conferences, and their demonstration if its numbers are free."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine.store import Store
from engine.store.database import Database
from engine.store.migrate import upgrade

BEFORE = "0005"


def migrated(url: str, *statements: str) -> Store:
    """A store of the version before, with ``statements`` run on it, brought to this one."""
    upgrade(url, BEFORE)
    database = Database(url)
    with database.connection() as connection:
        for statement in statements:
            connection.execute(text(statement))
    database.close()
    store = Store(url)
    store.open()
    return store


ADMIN = "INSERT INTO admins (name, password_hash) VALUES ('admin', 'x')"


def test_a_store_in_use_gets_the_demonstration(store_url: str) -> None:
    """With PINs of its own, as a first start gives."""
    store = migrated(store_url, ADMIN)
    access = store.automate_ranges.get("9000")
    assert access is not None
    assert (access.application, access.count, dict(access.parameters)) == ("conference", 1, {})
    opened, closed = store.rooms.all()
    assert (opened.number, opened.definition.host_pin, opened.definition.guest_pin) == ("9001", None, None)
    pins = closed.definition.host_pin, closed.definition.guest_pin
    assert all(pin is not None and len(pin) == 6 for pin in pins)
    assert pins[0] != pins[1]
    assert [each.count for each in store.room_ranges.all()] == [99]
    store.close()


@pytest.mark.parametrize(
    "taken",
    [
        (
            "INSERT INTO automate_ranges (first_number, count, application, parameters, enabled)"
            " VALUES ('8500', 501, 'room', '{}', true)"
        ),
        "INSERT INTO lines (number, display_name, realm, ha1, enabled) VALUES ('9099', '', 'r', '{}', true)",
        (
            'INSERT INTO links (name, host, transport, pbx_type, register, nat, dtmf, "symmetric",'
            " dialled_prefixes, enabled)"
            " VALUES ('out', 'h', 'udp', 'generic', false, false, 'auto', false, '00 9', true)"
        ),
    ],
    ids=["automates", "line", "prefix"],
)
def test_numbers_in_use_are_left_alone(store_url: str, taken: str) -> None:
    """Whoever has one of the numbers, or dials others by their first digit, sees no difference."""
    store = migrated(store_url, ADMIN, taken)
    assert store.rooms.all() == []
    assert store.room_ranges.all() == []
    assert store.automate_ranges.get("9000") is None
    store.close()


def test_neighbours_are_not_in_the_way(store_url: str) -> None:
    """The numbers before and after, and shorter or longer ones, are others."""
    store = migrated(
        store_url,
        ADMIN,
        "INSERT INTO automate_ranges (first_number, count, application, parameters, enabled)"
        " VALUES ('8000', 1000, 'room', '{}', true)",
        "INSERT INTO lines (number, display_name, realm, ha1, enabled) VALUES ('90010', '', 'r', '{}', true)",
    )
    assert len(store.rooms.all()) == 2
    store.close()
