"""Webhooks, their dead letters and the audit log, as they are administered."""

from __future__ import annotations

import base64

import pytest

from engine.administration.audit_entries import AuditEntries, NoDraft
from engine.administration.notes import StoreNotes
from engine.administration.query import Query
from engine.administration.webhooks import DeadLetters, WebhookDraft, Webhooks
from engine.domain.actor import LOCAL, Actor, Role
from engine.domain.identity import new_uid
from engine.store import Forbidden, Invalid, NotFound, Store, Taken
from engine.store.domain.tables import CompanyRow
from engine.store.event_log import LoggedEvent
from tests.engine.administration.notebook import administrator

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
OTHER = 2


@pytest.fixture
def webhooks(store: Store) -> Webhooks:
    with store.database.writing() as session:
        session.add(
            CompanyRow(
                id=OTHER, uid=new_uid("cmp"), version=1, name="B", name_folded="b", culture="en", enabled=True
            )
        )
    return Webhooks(store.database, StoreNotes(store))


def a_draft(name: str = "CRM", url: str = "https://crm.example.com/x", **fields: object) -> WebhookDraft:
    return WebhookDraft(name=name, url=url, secret=SECRET, **fields)  # type: ignore[arg-type]  # as JSON brings them


def test_it_begins_where_the_log_is(store: Store, webhooks: Webhooks) -> None:
    """What happened before is not sent; its own making is."""
    with store.database.writing() as session:
        store.events.append(session, 1, "users.added", "usr_a", {})
    made = webhooks.add(administrator(1), a_draft(kinds=["users.*"])).view
    assert (made.cursor, made.missed, made.error, made.failing_since) == (1, 0, "", None)
    hook = store.webhooks.enabled()[0]
    assert (hook.uid, hook.url, hook.kinds, hook.secret, hook.cursor) == (
        made.uid,
        made.url,
        ("users.*",),
        SECRET,
        1,
    )
    assert SECRET not in repr(hook)
    assert SECRET.encode() not in b"".join(each.data for each in store.events.after(1, 0))


def test_how_it_is_doing(store: Store, webhooks: Webhooks) -> None:
    uid = webhooks.add(administrator(1), a_draft()).view.uid
    hook = store.webhooks.enabled()[0]
    store.webhooks.failed(hook.id, "down\n")
    first = webhooks.get(LOCAL, uid)
    store.webhooks.failed(hook.id, "still down")
    second = webhooks.get(LOCAL, uid)
    assert (first.view.error, second.view.error) == ("down ", "still down")
    assert first.view.failing_since == second.view.failing_since is not None
    store.webhooks.missed(hook.id, 7, 20)
    store.webhooks.delivered(hook.id, 25)
    view = webhooks.get(LOCAL, uid)
    assert (view.view.cursor, view.view.missed, view.view.failing_since, view.view.error) == (25, 7, None, "")
    assert view.version == first.version, "deliveries are no change that anybody made"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "https:///nowhere",
        "https://user:pw@example.com/",
        "https://example.com/#a",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://[::1/",
    ],
)
def test_an_address_that_is_none(webhooks: Webhooks, url: str) -> None:
    with pytest.raises(Invalid) as error:
        webhooks.add(administrator(1), a_draft(url=url))
    assert error.value.field == "url"


def test_what_else_is_refused(webhooks: Webhooks) -> None:
    webhooks.add(administrator(1), a_draft())
    with pytest.raises(Taken):
        webhooks.add(administrator(1), a_draft(name="crm"))
    with pytest.raises(Invalid, match="kinds"):
        webhooks.add(administrator(1), a_draft("other", kinds=["*"]))
    with pytest.raises(Forbidden):
        webhooks.page(Actor("admin:ro", Role.READ_ONLY, frozenset({1})), Query())


def test_another_company(store: Store, webhooks: Webhooks) -> None:
    uid = webhooks.add(administrator(OTHER), a_draft()).view.uid
    assert webhooks.page(administrator(1), Query()).items == []
    with pytest.raises(NotFound):
        webhooks.get(administrator(1), uid)
    webhooks.add(administrator(1), a_draft())


def test_dead_letters(store: Store, webhooks: Webhooks) -> None:
    """They can be read and removed, and go with their webhook."""
    letters = DeadLetters(store.database, StoreNotes(store))
    uid = webhooks.add(administrator(1), a_draft()).view.uid
    hook = store.webhooks.enabled()[0]
    for number in (3, 4):
        store.webhooks.put_aside(hook, LoggedEvent(number, 1.0, "users.added", "usr_a", b'{"n":1}'), "400")
    found = letters.page(administrator(1), Query(filters={"webhook": uid})).items
    assert [(each.sequence, each.data, each.error, each.webhook) for each in found] == [
        (3, {"n": 1}, "400", uid),
        (4, {"n": 1}, "400", uid),
    ]
    assert webhooks.get(LOCAL, uid).view.cursor == 4
    assert letters.page(administrator(OTHER), Query()).items == []
    letters.remove(administrator(1), found[0].uid)
    webhooks.remove(administrator(1), uid)
    assert letters.page(administrator(1), Query()).items == []
    store.webhooks.put_aside(hook, LoggedEvent(5, 1.0, "users.added", "usr_a", b"{}"), "too late")


def test_the_audit_log(store: Store, webhooks: Webhooks) -> None:
    """It says who did what, shows no secret, is nobody else's, and nobody writes it."""
    audit = AuditEntries(store.database, StoreNotes(store))
    uid = webhooks.add(administrator(1), a_draft()).view.uid
    entry = audit.page(administrator(1), Query(filters={"subject": uid})).items[0]
    assert (entry.actor, entry.action) == (administrator(1).name, "webhooks.added")
    assert entry.changes["secret"] == ["***", "***"]
    assert audit.get(LOCAL, entry.uid).view == entry
    assert audit.page(administrator(OTHER), Query()).items == []
    with pytest.raises(NotFound):
        audit.get(administrator(OTHER), entry.uid)
    with pytest.raises(Forbidden):
        audit.page(Actor("admin:ro", Role.READ_ONLY, frozenset({1})), Query())
    with pytest.raises(Forbidden):
        audit.add(LOCAL, NoDraft())
    with pytest.raises(Forbidden):
        audit.remove(LOCAL, entry.uid)
