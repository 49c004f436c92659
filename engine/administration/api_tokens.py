"""API tokens: for scripts and programs, of an administrator, for some things and for some time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.administrators import administrators_of
from engine.administration.fields import Uid
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.query import Filter, Versioned
from engine.administration.table_noun import TableNoun
from engine.domain.actor import LOCAL, Actor, Role
from engine.domain.authentication.bearer import digest, new_secret
from engine.domain.authentication.scopes import MOST, PATTERN
from engine.store.database import Database
from engine.store.domain.account_changes import AccountChanges
from engine.store.domain.administrator_tables import AdminRow, ApiTokenRow
from engine.store.errors import Forbidden, Invalid, NotFound

USUAL_SECONDS = 90 * 86_400.0
LONGEST_SECONDS = 731 * 86_400.0
"""Two years: what is forgotten ends at last."""

TokenName = Annotated[
    str, Meta(min_length=1, max_length=80, description="What it is for.", examples=["nightly report"])
]
Scopes = Annotated[
    list[Annotated[str, Meta(pattern=PATTERN)]],
    Meta(
        min_length=1,
        max_length=MOST,
        description="What it may do, as far as its administrator may: a noun or *, and read or write.",
        examples=[["users:read", "conferences:write"]],
    ),
]
ExpiresAt = Annotated[datetime, Meta(tz=True, description="When it ends, two years from now at the latest.")]


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token. What is shown for it is told once, when it is made."""

    uid: Uid
    name: TokenName
    administrator: Annotated[str, Meta(max_length=32, description="Whose it is.")]
    scopes: Scopes
    created_at: Annotated[datetime, Meta(tz=True, description="When it was made.")]
    expires_at: ExpiresAt
    used_at: Annotated[
        datetime | None, Meta(description="When it was last used, to the minute; null: never.")
    ]
    token: Annotated[
        str | None, Meta(description="For `Authorization: Bearer`; in the answer that makes it only.")
    ] = None


class ApiTokenDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new token."""

    name: TokenName
    scopes: Scopes
    expires_at: Annotated[
        ExpiresAt | None, Meta(description="When it ends; without it, 90 days from now.")
    ] = None
    administrator: Annotated[
        Annotated[str, Meta(max_length=32)] | None,
        Meta(description="Whose it is: the super user's to say; without it, one's own."),
    ] = None


class ApiTokenChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What can be changed of a token."""

    name: TokenName
    scopes: Scopes
    expires_at: ExpiresAt


class ApiTokens(TableNoun[ApiToken, ApiTokenRow]):
    """Tokens: one's own; who administers administrators sees theirs too, and may end them."""

    name = "api-tokens"
    singular = "API token"
    prefix = "tok"
    row = ApiTokenRow
    view = ApiToken
    draft = ApiTokenDraft
    patch = patch_of(ApiTokenChange)
    filters: ClassVar[Mapping[str, Filter]] = {"administrator": Filter("Those of an administrator.")}
    orders = ("name", "expires_at")
    writes = Role.READ_ONLY

    def __init__(self, database: Database, notes: Notes, changes: AccountChanges) -> None:
        super().__init__(database, notes)
        self._changes = changes

    def require_write(self, actor: Actor) -> None:
        """And no token makes another."""
        super().require_write(actor)
        if actor.scopes is not None:
            raise Forbidden("a password: no token changes tokens")

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = self.row
        return {
            "uid": row.uid,
            "name": row.name,
            "administrator": AdminRow.uid,
            "scopes": row.scopes,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "used_at": row.used_at,
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With whose they are."""
        return query.join(AdminRow, AdminRow.id == ApiTokenRow.admin_id)

    def visible(self, actor: Actor) -> ColumnElement[bool]:
        """See the class."""
        whose = AdminRow.name == actor.name.removeprefix("admin:")
        if actor.role >= Role.ADMINISTRATOR:
            whose = or_(whose, administrators_of(actor))
        return ApiTokenRow.admin_id.in_(select(AdminRow.id).where(whose))

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return and_(AdminRow.uid == value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[ApiToken]:
        """See ``TableNoun``."""
        return [
            ApiToken(
                uid=row["uid"],
                name=row["name"],
                administrator=row["administrator"],
                scopes=list(row["scopes"]),
                created_at=_time(row["created_at"]),
                expires_at=_time(row["expires_at"]),
                used_at=None if row["used_at"] is None else _time(row["used_at"]),
            )
            for row in rows
        ]

    def add(self, actor: Actor, draft: msgspec.Struct) -> Versioned[ApiToken]:
        """As every noun's; the answer, and nothing else, has the token itself."""
        secret = new_secret("token")
        with self._writing(Invalid("name", "that of a token nobody else has made just now")) as session:
            session.info["digest"] = digest(secret)
            made = self.add_within(session, actor, draft)
        return Versioned(msgspec.structs.replace(made.view, token=secret), made.version)

    def write(self, session: Session, actor: Actor, row: ApiTokenRow, given: Mapping[str, Any]) -> None:
        """See ``TableNoun``."""
        now = time.time()
        if not row.id:
            row.digest = session.info["digest"]
            row.admin_id = self._owner(session, actor, given.get("administrator"))
            row.created_at, row.expires_at = now, now + USUAL_SECONDS
        if "name" in given:
            row.name = given["name"]
        if "scopes" in given:
            row.scopes = sorted(set(given["scopes"]))
        if given.get("expires_at") is not None:
            row.expires_at = given["expires_at"].timestamp()
            if not now < row.expires_at <= now + LONGEST_SECONDS:
                raise Invalid("expires_at", "a time within two years from now")
        self._changes.after(session)

    def removed(self, session: Session, row: ApiTokenRow) -> None:
        """It is let in no more."""
        self._changes.after(session)

    def company_of(self, row: ApiTokenRow) -> int | None:
        """It is the engine's own matter who administers it."""
        return None

    def _owner(self, session: Session, actor: Actor, uid: str | None) -> int:
        """The key of whose the token is to be."""
        if uid is None:
            if actor.name == LOCAL.name:
                raise Invalid("administrator", "whose it is")
            wanted = AdminRow.name == actor.name.removeprefix("admin:")
        elif actor.role < Role.SUPER:
            raise Forbidden("the role super")
        else:
            wanted = AdminRow.uid == uid
        key = session.scalar(select(AdminRow.id).where(wanted))
        if key is None:
            raise NotFound("administrator", uid or actor.name)
        return key


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
