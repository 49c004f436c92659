"""Calls and meetings in the log of their company, written with their own journals."""

from __future__ import annotations

import msgspec

from conference.events import Event, EventKind
from engine.store import Store
from engine.store.conferences.records import JournalEntry
from tests.engine.call_records import call_record


def test_a_call_that_is_over(store: Store) -> None:
    store.calls.journal([call_record(call_id="a", number="200"), call_record(call_id="b\n", number="0123")])
    events = store.events.after(1, 0)
    assert [(each.kind, each.subject) for each in events] == [("calls.ended", "a"), ("calls.ended", "b ")]
    assert msgspec.json.decode(events[0].data)["number"] == "200"


def test_a_meeting(store: Store) -> None:
    """Who talks when is not told to all who follow a company."""
    kinds = (EventKind.OPENED, EventKind.TALKING, EventKind.SILENT, EventKind.LEFT)
    happened = [Event(n, 10.0 + n, kind, 3, "", {"x": n}) for n, kind in enumerate(kinds, 1)]
    store.conference_journal.write([JournalEntry("9001-a", "9001", each) for each in happened])
    store.conference_journal.write([JournalEntry("9001-b", "9001@2", happened[0])])
    events = store.events.after(1, 0)
    assert [(each.kind, each.subject) for each in events] == [
        ("conferences.opened", "9001-a"),
        ("conferences.left", "9001-a"),
    ]
    assert msgspec.json.decode(events[1].data) == {
        "number": "9001",
        "meeting_sequence": 4,
        "happened_at": 14.0,
        "participant": 3,
        "actor": "",
        "details": {"x": 4},
    }
    assert [each.subject for each in store.events.after(2, 0)] == ["9001-b"]
