"""What every table of records can do: list, get, add, update, remove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.domain.scope import company_of, plain, scoped
from engine.store.database import Database
from engine.store.errors import NotFound, Taken
from engine.store.tables import OwnedRow, Row


class Stored(Protocol):
    """A record dataclass with an ``id``."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> int:
        """0 until it is stored."""
        ...


RowT = TypeVar("RowT", bound=Row)
RecordT = TypeVar("RecordT", bound=Stored)


class Owned(Stored, Protocol):
    """A record that belongs to a company."""

    @property
    def company_id(self) -> int:
        """Whose it is."""
        ...


OwnedRowT = TypeVar("OwnedRowT", bound=OwnedRow)
OwnedT = TypeVar("OwnedT", bound=Owned)


class Collection(Generic[RowT, RecordT]):
    """The records of one table, found by ``key``, the column people know them by.

    ``what`` is the noun of error messages. A subclass says in ``check`` what it refuses.
    """

    row_type: type[RowT]
    record_type: type[RecordT]
    key: str
    what: str

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[RecordT]:
        """Every record, in the order of its key."""
        with self._database.reading() as session:
            rows = session.scalars(select(self.row_type).order_by(self._column(), self.row_type.id))
            return [self._record(row) for row in rows]

    def get(self, key: str | int) -> RecordT | None:
        """The record with this key, or None."""
        with self._database.reading() as session:
            row = self._find(session, key)
            return None if row is None else self._record(row)

    def add(self, record: RecordT) -> RecordT:
        """Store a new record; answers it with its id.

        Raises Invalid for a field, Taken for a name or number in use.
        """
        return self._write(record, None)

    def update(self, record: RecordT) -> RecordT:
        """Replace the record with the same id.

        Raises NotFound when it is gone, and what ``add`` raises.
        """
        return self._write(record, record.id)

    def remove(self, key: str | int) -> None:
        """Remove the record with this key. Raises NotFound, or InUse where something needs it."""
        with self._database.writing() as session:
            row = self._find(session, key)
            if row is None:
                raise NotFound(self.what, str(key))
            self._check_unused(session, row)
            session.delete(row)

    def check(self, session: Session, record: RecordT) -> None:
        """Raise what forbids to store ``record``; called inside the writing transaction."""

    def _check_unused(self, session: Session, row: RowT) -> None:
        """Raise what forbids to remove ``row``."""

    def _write(self, record: RecordT, identity: int | None) -> RecordT:
        try:
            with self._database.writing() as session:
                return self._record(self._put(session, record, identity))
        except IntegrityError as error:
            # Only another node on the same PostgreSQL can come between the check and the commit.
            raise Taken(self.what, str(getattr(record, self.key)), "another node's change") from error

    def _put(self, session: Session, record: RecordT, identity: int | None) -> RowT:
        row = self.row_type() if identity is None else session.get(self.row_type, identity)
        if row is None:
            raise NotFound(self.what, str(getattr(record, self.key)))
        self.check(session, record)
        for name, value in self._columns(record).items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        return row

    def _column(self) -> Any:
        return getattr(self.row_type, self.key)

    def _find(self, session: Session, key: str | int) -> RowT | None:
        return session.scalars(select(self.row_type).where(self._column() == key)).one_or_none()

    def _refuse_taken(self, session: Session, record: RecordT) -> None:
        """Raise Taken when another record has the same key."""
        row = self._find(session, self._name(record))
        if row is not None and row.id != record.id:
            raise Taken(self.what, str(getattr(record, self.key)), f"another {self.what}")

    def _name(self, record: RecordT) -> str:
        """What ``get`` finds the record by."""
        return str(getattr(record, self.key))

    def _record(self, row: RowT) -> RecordT:
        return self.record_type(
            **{field.name: getattr(row, field.name) for field in fields(self.record_type)}
        )

    def _columns(self, record: RecordT) -> dict[str, object]:
        values = asdict(record)
        del values["id"]
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


class OwnedCollection(Collection[OwnedRowT, OwnedT]):
    """Records of several companies, found by the scoped key: what one company has, another may have as well."""

    def of_company(self, company: int) -> list[OwnedT]:
        """Those of one company, in the order of their key."""
        query = select(self.row_type).where(self.row_type.company_id == company)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(self._column(), self.row_type.id))
            return [self._record(row) for row in rows]

    def _find(self, session: Session, key: str | int) -> OwnedRowT | None:
        name, company = plain(str(key)), company_of(str(key))
        query = select(self.row_type).where(self._column() == name, self.row_type.company_id == company)
        return session.scalars(query).one_or_none()

    def _name(self, record: OwnedT) -> str:
        return scoped(str(getattr(record, self.key)), record.company_id)
