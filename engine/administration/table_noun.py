"""A noun whose things are the rows of a table: lists by keyset, changes with their version, event and audit entry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Select, and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.notes import Change, Notes, differences
from engine.administration.noun import Noun, fields_given
from engine.administration.places import seen_by
from engine.administration.query import (
    Cursor,
    Page,
    Query,
    Versioned,
    ViewT,
    filter_value,
    shape_of,
)
from engine.domain.actor import Actor
from engine.domain.folding import fold, folded_key
from engine.domain.identity import LONGEST, is_uid, new_uid
from engine.store.audit import SECRET
from engine.store.database import Database
from engine.store.errors import InUse, Invalid, NotFound, Stale, StoreError, Taken
from engine.store.rules import printable
from engine.store.tables import NounRow

RowT = TypeVar("RowT", bound=NounRow)
_FOLDED = "_folded"
LONGEST_SEARCH = 200
"""Characters of the words that are searched for."""


class TableNoun(Noun[ViewT], Generic[ViewT, RowT]):
    """Things in a table.

    A column ``x_folded`` is kept at the folded value of ``x`` and is what a list is ordered by; a column
    ``search_text`` at the folded words of ``searched``.
    """

    row: type[RowT]
    prefix: ClassVar[str]
    """Of the identities."""
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Fields of the draft whose values are never told, in audit entries neither."""

    def __init__(self, database: Database, notes: Notes) -> None:
        self._database = database
        self._notes = notes

    # What a noun says of its table

    @abstractmethod
    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """The fields of the view, each with its expression; those ``views`` adds are left out."""

    def joined(self, query: Select[Any]) -> Select[Any]:
        """``query``, joined with the tables that ``columns`` and ``condition`` look into."""
        return query

    def visible(self, actor: Actor) -> ColumnElement[bool]:
        """Which rows exist for her."""
        return seen_by(actor, self.row.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """What the filter ``name`` asks of a row."""
        column: InstrumentedAttribute[Any] = getattr(self.row, self.filters[name].column or name)
        return equal(column, value)

    def matching(self, word: str) -> ColumnElement[bool]:
        """Whether a search for a folded word finds a row."""
        column: InstrumentedAttribute[str] = getattr(self.row, "search_text")  # noqa: B009  # of some tables
        return column.contains(word, autoescape=True)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[ViewT]:
        """The rows of ``columns`` as they are shown."""
        names = self.names
        return [self.view(**{name: row[name] for name in names}) for row in rows]

    def write(self, session: Session, actor: Actor, row: RowT, given: Mapping[str, Any]) -> None:
        """Put the fields of a draft, or those of a patch that are set, into a row.

        A new row has no ``id`` yet. Raises Invalid, Taken, or NotFound for something that is referred to.
        """
        for name, value in given.items():
            setattr(row, name, value)

    def written(self, session: Session, actor: Actor, row: RowT, given: Mapping[str, Any]) -> None:
        """Put what does not stand in the row itself; it has its ``id`` now."""

    def check(self, session: Session, row: RowT) -> None:
        """Raise what forbids to keep ``row`` as it is now."""

    def check_unused(self, session: Session, row: RowT) -> None:
        """Raise InUse when something needs ``row``."""

    def leaving(self, session: Session, actor: Actor, row: RowT) -> None:
        """Take along what goes with ``row``, while it is still there."""

    def removed(self, session: Session, row: RowT) -> None:
        """Take what belonged to ``row`` away with it."""

    def folded(self, row: RowT, name: str) -> str:
        """What the column ``NAME_folded`` holds."""
        return folded_key(getattr(row, name))

    def searched(self, session: Session, row: RowT) -> str:
        """The text in which words of a search are looked for."""
        return " ".join(str(getattr(row, name) or "") for name in self.search)

    def company_of(self, row: RowT) -> int | None:
        """The company a change of ``row`` is noted for; None for none."""
        return row.company_id

    # What can be done

    def page(self, actor: Actor, query: Query) -> Page[ViewT]:
        """See ``Noun``."""
        self.require_read(actor)
        self._check_fields(query)
        order = query.order or self.orders[0]
        column, descends = self._ordered_by(order.removeprefix("-")), order.startswith("-")
        shape = shape_of(self.name, query)
        wanted = self._visible(actor).add_columns(column.label("_order"))
        wanted = wanted.where(*self._conditions(actor, query))
        if query.cursor is not None:
            cursor = Cursor.parse(query.cursor, shape, column.type.python_type)
            wanted = wanted.where(_behind(column, self.row.id, cursor, descends))
        by = (column.desc(), self.row.id.desc()) if descends else (column, self.row.id)
        with self._database.reading() as session:
            # of the connection, not of the session: rows of columns have nothing of objects
            found = session.connection().execute(wanted.order_by(*by).limit(query.limit + 1))
            rows = found.mappings().all()
            shown, more = rows[: query.limit], len(rows) > query.limit
            items = self.views(session, shown)
        following = Cursor(shape, shown[-1]["_order"], shown[-1]["_id"]).text() if more else None
        return Page(items, following)

    def get(self, actor: Actor, uid: str) -> Versioned[ViewT]:
        """See ``Noun``."""
        self.require_read(actor)
        with self._database.reading() as session:
            return self._shown(session, actor, uid)

    def add(self, actor: Actor, draft: msgspec.Struct) -> Versioned[ViewT]:
        """See ``Noun``."""
        with self._writing(Taken(self.singular, "as asked for", "another change")) as session:
            return self.add_within(session, actor, draft)

    def change(
        self, actor: Actor, uid: str, patch: msgspec.Struct, if_version: int | None = None
    ) -> Versioned[ViewT]:
        """See ``Noun``."""
        with self._writing(Taken(self.singular, "as asked for", "another change")) as session:
            return self.change_within(session, actor, uid, patch, if_version)

    def remove(self, actor: Actor, uid: str, if_version: int | None = None) -> None:
        """See ``Noun``."""
        with self._writing(InUse(self.singular, uid, "something else")) as session:
            self.remove_within(session, actor, uid, if_version)

    # The same, within a transaction of several changes

    def add_within(self, session: Session, actor: Actor, draft: msgspec.Struct) -> Versioned[ViewT]:
        """``add`` in a writing transaction that is open."""
        self.require_write(actor)
        given = fields_given(draft, self.multiline)
        row = self.row(uid=new_uid(self.prefix), version=1)
        self._write(session, actor, row, given)
        session.add(row)
        session.flush()
        self.written(session, actor, row, given)
        shown = self._shown(session, actor, row.uid)
        view = _told(shown.view)
        self._note(session, actor, "added", row, view, self._changed({}, view, given))
        return shown

    def change_within(
        self, session: Session, actor: Actor, uid: str, patch: msgspec.Struct, if_version: int | None = None
    ) -> Versioned[ViewT]:
        """``change`` in a writing transaction that is open. What changes nothing leaves the version as it is."""
        self.require_write(actor)
        given = fields_given(patch, self.multiline)
        row = self._locked(session, actor, uid, if_version)
        before = _told(self._shown(session, actor, uid).view)
        self._write(session, actor, row, given)
        session.flush()
        self.written(session, actor, row, given)
        session.flush()
        shown = self._shown(session, actor, uid)
        view = _told(shown.view)
        changed = self._changed(before, view, given)
        if not changed:
            return shown
        row.version += 1
        session.flush()
        self._note(session, actor, "changed", row, view, changed)
        return Versioned(shown.view, row.version)

    def remove_within(self, session: Session, actor: Actor, uid: str, if_version: int | None = None) -> None:
        """``remove`` in a writing transaction that is open."""
        self.require_write(actor)
        self.discard(session, actor, self._locked(session, actor, uid, if_version))

    def discard(self, session: Session, actor: Actor, row: RowT) -> None:
        """Remove a row for a reason of its own, whose rights were checked already."""
        self.check_unused(session, row)
        self.leaving(session, actor, row)
        view = _told(self._shown(session, actor, row.uid).view)
        self._note(session, actor, "removed", row, view, differences(view, {}))
        session.delete(row)
        session.flush()
        self.removed(session, row)

    # How

    def reading(self) -> AbstractContextManager[Session]:
        """For verbs that only look: a session that sees one state of the store."""
        return self._database.reading()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fields that come from ``columns``."""
        return tuple(self.columns())

    @cached_property
    def _all(self) -> Select[Any]:
        """Every row with its columns: putting that together takes longer than to ask it."""
        columns = [expression.label(name) for name, expression in self.columns().items()]
        own = (self.row.id.label("_id"), self.row.version.label("_version"))
        return self.joined(select(*columns, *own).select_from(self.row))

    def _visible(self, actor: Actor) -> Select[Any]:
        return self._all.where(self.visible(actor))

    def _conditions(self, actor: Actor, query: Query) -> list[ColumnElement[bool]]:
        conditions = []
        for name, text in query.filters.items():
            if name not in self.filters:
                raise Invalid(name, f"one of the filters {', '.join(self.filters)}")
            conditions.append(self.condition(actor, name, filter_value(name, self.filters[name], text)))
        if query.q:
            if not self.search:
                raise Invalid("q", f"no search: {self.name} have none")
            if len(query.q) > LONGEST_SEARCH or not query.q.isprintable():
                raise Invalid("q", f"at most {LONGEST_SEARCH} characters on one line")
            conditions += [self.matching(word) for word in fold(query.q).split()]
        return conditions

    def _check_fields(self, query: Query) -> None:
        known = self.view.__struct_fields__
        if query.fields is not None and not query.fields.issubset(known):
            raise Invalid("fields", f"of {', '.join(known)}")

    def _ordered_by(self, name: str) -> InstrumentedAttribute[Any]:
        if name not in self.orders:
            raise Invalid("order", f"one of {', '.join(self.orders)}, with - before it for the other way")
        column: InstrumentedAttribute[Any] = getattr(self.row, name + _FOLDED, None) or getattr(
            self.row, name
        )
        return column

    def _shown(self, session: Session, actor: Actor, uid: str) -> Versioned[ViewT]:
        session.flush()
        found = session.connection().execute(self._visible(actor).where(self._is(uid)))
        row = found.mappings().one_or_none()
        if row is None:
            raise self._missing(uid)
        return Versioned(self.views(session, [row])[0], row["_version"])

    def _locked(self, session: Session, actor: Actor, uid: str, if_version: int | None) -> RowT:
        wanted = select(self.row).where(self._is(uid), self.visible(actor)).with_for_update()
        row = session.scalars(wanted).one_or_none()
        if row is None:
            raise self._missing(uid)
        if if_version is not None and row.version != if_version:
            raise Stale(self.singular, uid, row.version)
        return row

    def _is(self, uid: str) -> ColumnElement[bool]:
        """The row of that identity; what is not written as one is asked for all the same, and is none."""
        return self.row.uid == (uid if is_uid(uid, self.prefix) else "")

    def _missing(self, uid: str) -> NotFound:
        return NotFound(self.singular, printable(uid, LONGEST))

    def _write(self, session: Session, actor: Actor, row: RowT, given: Mapping[str, Any]) -> None:
        """Put fields into the row, bring the columns that follow from others up to date, and check it."""
        with session.no_autoflush:  # what is looked up meanwhile must not store half a change
            self.write(session, actor, row, given)
            self._keep(session, row)

    def _keep(self, session: Session, row: RowT) -> None:
        for name in self.row.__table__.columns.keys():  # noqa: SIM118  # no mapping
            if name.endswith(_FOLDED):
                setattr(row, name, self.folded(row, name.removesuffix(_FOLDED)))
        if "search_text" in self.row.__table__.columns:
            setattr(row, "search_text", fold(self.searched(session, row)))  # noqa: B010  # of some tables
        self.check(session, row)

    def _changed(
        self, before: Mapping[str, Any], view: Mapping[str, Any], given: Mapping[str, Any]
    ) -> dict[str, tuple[Any, Any]]:
        hidden = {
            name: (SECRET, SECRET) for name in given if name in self.secrets and given[name] is not None
        }
        return differences(before, view) | hidden

    def _note(
        self,
        session: Session,
        actor: Actor,
        verb: str,
        row: RowT,
        view: Mapping[str, Any],
        fields: Mapping[str, tuple[Any, Any]],
    ) -> None:
        change = Change(actor, f"{self.name}.{verb}", row.uid, self.company_of(row), view, fields)
        self._notes.note(session, change)

    @contextmanager
    def _writing(self, otherwise: StoreError) -> Iterator[Session]:
        """A writing transaction; ``otherwise`` is what the database's own refusal means.

        It has the last word only when another node of a pool has come between our look and our commit.
        """
        try:
            with self._database.writing() as session:
                yield session
        except IntegrityError as error:
            raise otherwise from error


def equal(column: ColumnElement[Any] | InstrumentedAttribute[Any], value: object) -> ColumnElement[bool]:
    """That a column has this value."""
    condition: ColumnElement[bool] = column == value
    return condition


def _behind(
    column: InstrumentedAttribute[Any], key: InstrumentedAttribute[int], cursor: Cursor, descends: bool
) -> ColumnElement[bool]:
    """The rows after the cursor's."""
    if descends:
        return or_(column < cursor.value, and_(column == cursor.value, key < cursor.id))
    return or_(column > cursor.value, and_(column == cursor.value, key > cursor.id))


def _told(view: msgspec.Struct) -> dict[str, Any]:
    """A view in plain values, as the event and audit logs keep it."""
    told: dict[str, Any] = msgspec.to_builtins(view)
    return told
