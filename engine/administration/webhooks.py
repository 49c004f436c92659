"""Webhooks: where events of a company are sent to, and the dead letters of those that were refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, Select, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Name, Uid
from engine.administration.noun import patch_of
from engine.administration.places import company_for
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor, Role
from engine.events.kinds import MOST_KINDS, Kinds
from engine.events.signature import key_of
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Forbidden, Invalid, Taken
from engine.store.events.tables import DeadLetterRow, EventSequenceRow, WebhookRow

MOST_WEBHOOKS = 50
"""Of a company: each is read for and sent to on its own."""

Url = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=1024,
        description="Where events are sent to by POST: https://, without a name, a password or a fragment in it.",
        examples=["https://crm.example.com/polyphony"],
    ),
]
KindList = Annotated[
    list[str],
    Meta(
        max_length=MOST_KINDS,
        description="The kinds of events that are sent, users.added or users.* for all of a noun; none: all.",
        examples=[["users.*", "calls.ended"]],
    ),
]
Enabled = Annotated[bool, Meta(description="Whether it is sent to; what happens meanwhile it gets later.")]
Secret = Annotated[
    str,
    Meta(
        max_length=100,
        description="What requests are signed with (Standard Webhooks): whsec_ and 24 to 64 random octets in base64.",
    ),
]


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, and how it is doing."""

    uid: Uid
    company: CompanyUid
    name: Name
    url: Url
    kinds: KindList
    enabled: Enabled
    cursor: Annotated[int, Meta(description="The number of the last event that is done with.")]
    missed: Annotated[int, Meta(description="Events that were no longer kept when it could have had them.")]
    failing_since: Annotated[
        datetime | None, Meta(description="Since when its receiver has not taken anything; null: it has.")
    ]
    error: Annotated[str, Meta(description="What was wrong at the last attempt; empty: nothing.")]


class WebhookDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new webhook; it gets what happens from then on."""

    name: Name
    url: Url
    secret: Secret
    kinds: KindList = []
    enabled: Enabled = True
    company: Annotated[
        str | None, Meta(description="The uid of its company; may be left out by whoever has only one.")
    ] = None


class Webhooks(TableNoun[Webhook, WebhookRow]):
    """Webhooks."""

    name = "webhooks"
    singular = "webhook"
    prefix = "whk"
    row = WebhookRow
    view = Webhook
    draft = WebhookDraft
    patch = patch_of(WebhookDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "enabled": Filter("Those that are enabled, or are not.", bool),
    }
    orders = ("name",)
    secrets = frozenset({"secret"})
    reads = Role.ADMINISTRATOR

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        plain = (name for name in Webhook.__struct_fields__ if name != "company")
        return {"company": CompanyRow.uid, **{name: getattr(WebhookRow, name) for name in plain}}

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company."""
        return query.join(CompanyRow, CompanyRow.id == WebhookRow.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid, value) if name == "company" else super().condition(actor, name, value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[Webhook]:
        """See ``TableNoun``."""
        return [
            Webhook(
                **{name: row[name] for name in Webhook.__struct_fields__ if name != "failing_since"},
                failing_since=_time(row["failing_since"]),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: WebhookRow, given: Mapping[str, Any]) -> None:
        """A new one begins where its company's log is now."""
        columns = dict(given)
        company = columns.pop("company", None)
        if row.is_new:
            row.company_id = company_for(session, actor, company).id
            newest = select(EventSequenceRow.newest).where(EventSequenceRow.company_id == row.company_id)
            row.cursor = session.scalar(newest) or 0
            row.missed, row.failing_since, row.error = 0, None, ""
        elif company is not None and company_for(session, actor, company).id != row.company_id:
            raise Invalid("company", "the same company: a webhook does not move")
        super().write(session, actor, row, columns)

    def check(self, session: Session, row: WebhookRow) -> None:
        """Refuse an address that is none, kinds that are none, a secret that is none, and too many of them."""
        _check_url(row.url)
        row.kinds = list(Kinds(row.kinds).patterns)
        key_of(row.secret)
        others = session.execute(
            select(WebhookRow.name, WebhookRow.name_folded).where(
                WebhookRow.company_id == row.company_id, WebhookRow.id != (row.id or 0)
            )
        ).all()
        for name, folded in others:
            if folded == row.name_folded:
                raise Taken("webhook", row.name, f"webhook {name}")
        if len(others) >= MOST_WEBHOOKS:
            raise Invalid("name", f"at most {MOST_WEBHOOKS} webhooks in a company")

    def removed(self, session: Session, row: WebhookRow) -> None:
        """Its dead letters go with it."""
        session.execute(delete(DeadLetterRow).where(DeadLetterRow.webhook_id == row.id))


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a receiver said it cannot understand, several times."""

    uid: Uid
    company: CompanyUid
    webhook: Annotated[str, Meta(description="The webhook (its uid).")]
    sequence: Annotated[int, Meta(description="The event's number.")]
    at: Annotated[datetime, Meta(description="When it was noted.")]
    kind: Annotated[str, Meta(description="The noun and what happened to it.")]
    subject: Annotated[str, Meta(description="The identity of what it happened to.")]
    data: Annotated[dict[str, Any], Meta(description="What there is to say of it.")]
    given_up_at: Annotated[datetime, Meta(description="When it was put aside.")]
    error: Annotated[str, Meta(description="What the receiver said.")]


class NoDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Nothing: dead letters come of deliveries."""


class DeadLetters(TableNoun[DeadLetter, DeadLetterRow]):
    """Dead letters; they can be read, and removed."""

    name = "webhook-dead-letters"
    singular = "dead letter"
    prefix = "dlt"
    row = DeadLetterRow
    view = DeadLetter
    draft = NoDraft
    patch = patch_of(NoDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "webhook": Filter("Those of this webhook (its uid)."),
        "kind": Filter("Those of this kind."),
    }
    orders = ("given_up_at",)
    reads = Role.ADMINISTRATOR

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        told = {"company", "webhook"}
        plain = (name for name in DeadLetter.__struct_fields__ if name not in told)
        return {
            "company": CompanyRow.uid,
            "webhook": WebhookRow.uid,
            **{name: getattr(DeadLetterRow, name) for name in plain},
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With their company and their webhook."""
        return query.join(CompanyRow, CompanyRow.id == DeadLetterRow.company_id).join(
            WebhookRow, WebhookRow.id == DeadLetterRow.webhook_id
        )

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        match name:
            case "company":
                return equal(CompanyRow.uid, value)
            case "webhook":
                return equal(WebhookRow.uid, value)
        return super().condition(actor, name, value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[DeadLetter]:
        """See ``TableNoun``."""
        changed = {"at", "given_up_at", "data"}
        return [
            DeadLetter(
                **{name: row[name] for name in DeadLetter.__struct_fields__ if name not in changed},
                at=datetime.fromtimestamp(row["at"], UTC),
                given_up_at=datetime.fromtimestamp(row["given_up_at"], UTC),
                data=msgspec.json.decode(row["data"]),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: DeadLetterRow, given: Mapping[str, Any]) -> None:
        """Refuse: they say what was."""
        raise Forbidden("nobody: dead letters come of deliveries")


def _check_url(url: str) -> None:
    expected = "https:// (or http://, where events.webhook_plain allows it), a host, and no name, password or fragment"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid("url", expected) from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if (
        not plain
        or parts.scheme not in ("https", "http")
        or not parts.hostname
        or "@" in parts.netloc
        or "#" in url
        or port == 0
    ):
        raise Invalid("url", expected)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
