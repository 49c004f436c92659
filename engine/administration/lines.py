"""Lines: the numbers phones register under, a domain's, and a user's or nobody's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.line_fields import Line, LineDraft
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.places import domain_for, find, moved
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.store.database import Database
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import UserRow
from engine.store.domain.versions import touch
from engine.store.errors import Invalid, Taken
from engine.store.number_space import Numbers, lock_numbers, refuse_taken_numbers
from engine.store.numbers import line_secrets
from engine.store.tables import LineRow

REALM = "polyphony"
"""What ``sip.realm`` is unless it is configured."""
_PLAIN = (
    "uid",
    "number",
    "display_name",
    "protocol",
    "ip",
    "video",
    "call_appearances",
    "one_number",
    "sip_user",
)
_REST = (
    "proxy",
    "proxy_port",
    "stun",
    "realm",
    "expiry",
    "dtmf",
    "g729",
    "tls",
    "client_port",
    "srtp",
    "enabled",
)
_OF_THE_PASSWORD = ("number", "sip_user", "realm")
"""What its digests are made from besides the password."""


class Lines(TableNoun[Line, LineRow]):
    """Lines. realm: the one the engine challenges with."""

    name = "lines"
    singular = "line"
    prefix = "lin"
    row = LineRow
    view = Line
    draft = LineDraft
    patch = patch_of(LineDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "domain": Filter("Those of this domain (its uid)."),
        "user": Filter("Those of this user (her uid)."),
        "number": Filter("The one of this number."),
        "protocol": Filter("Those of this protocol."),
        "enabled": Filter("Those that are enabled, or are not.", bool),
    }
    search = ("number", "display_name", "sip_user")
    orders = ("number",)
    secrets = frozenset({"password"})

    def __init__(self, database: Database, notes: Notes, realm: str = REALM) -> None:
        super().__init__(database, notes)
        self._realm = realm
        self._unread = False

    def take_changed(self) -> bool:
        """Whether who may call has changed since this was last asked; may be asked in any thread."""
        changed, self._unread = self._unread, False
        return changed

    def note_changed(self) -> None:
        """Who may call has changed, or is about to."""
        self._unread = True

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        return {
            **{name: getattr(LineRow, name) for name in _PLAIN + _REST},
            "company": CompanyRow.uid,
            "domain": DomainRow.uid,
            "user": UserRow.uid,
            "has_password": cast(LineRow.ha1, Text) != "{}",
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company, domain and user."""
        query = query.join(CompanyRow, CompanyRow.id == LineRow.company_id)
        query = query.join(DomainRow, DomainRow.id == LineRow.domain_id)
        return query.outerjoin(UserRow, UserRow.id == LineRow.user_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        match name:
            case "company":
                return equal(CompanyRow.uid, value)
            case "domain":
                return equal(DomainRow.uid, value)
            case "user":
                return equal(UserRow.uid, value)
        return super().condition(actor, name, value)

    def write(self, session: Session, actor: Actor, row: LineRow, given: Mapping[str, Any]) -> None:
        """Find its domain and user, and make digests of its password."""
        self.note_changed()
        columns = dict(given)
        self._place(session, actor, row, columns)
        password = columns.pop("password", None)
        if "realm" in columns:
            columns["realm"] = columns["realm"] or self._realm
        before = [getattr(row, name) for name in _OF_THE_PASSWORD]
        super().write(session, actor, row, columns)
        if password is not None:
            row.ha1 = line_secrets(row.sip_user or row.number, row.realm, password)
            row.cti_password = None if row.protocol == "sip" else password
        elif row.is_new or ("password" in given):
            row.ha1, row.cti_password = {}, None
        elif row.ha1 and before != [getattr(row, name) for name in _OF_THE_PASSWORD]:
            raise Invalid("password", "the password again: it is kept for one number, SIP user and realm")
        if row.protocol == "sip":
            row.cti_password = None

    def removed(self, session: Session, row: LineRow) -> None:
        """Her user has it no more."""
        self.note_changed()
        touch(session, UserRow, row.user_id)

    def check(self, session: Session, row: LineRow) -> None:
        """Refuse a number in use, and what is no address."""
        if row.ip:
            try:
                ipaddress.ip_address(row.ip)
            except ValueError:
                raise Invalid("ip", "an IPv4 or IPv6 address") from None
        if row.proxy_port is not None and not row.proxy:
            raise Invalid("proxy_port", "null: there is no proxy")
        if row.sip_user and not row.proxy:
            raise Invalid("sip_user", "empty: who registers with this engine does so by her number")
        if not row.realm:
            raise Invalid("realm", "a realm")
        same = (
            LineRow.company_id == row.company_id,
            LineRow.number == row.number,
            LineRow.id != (row.id or 0),
        )
        lock_numbers(session)
        if session.scalar(select(LineRow.id).where(*same)) is not None:
            raise Taken("line", row.number, "another line")
        refuse_taken_numbers(session, "line", Numbers(row.number), but="lines", company=row.company_id)

    def _place(self, session: Session, actor: Actor, row: LineRow, columns: dict[str, Any]) -> None:
        domain, user = columns.pop("domain", None), None
        uid = columns.pop("user", "")  # empty: not said
        if uid:
            user = find(session, actor, UserRow, "user", uid)
        if row.is_new:
            if domain is None and user is not None:
                place = session.get_one(DomainRow, user.domain_id)
            else:
                place = domain_for(session, actor, domain)
            row.company_id, row.domain_id = place.company_id, place.id
        elif domain is not None:
            row.domain_id = moved(session, actor, domain, row.company_id).id
        if user is not None and user.company_id != row.company_id:
            raise Invalid("user", "a user of the same company")
        if uid != "" or "number" in columns:
            touch(session, UserRow, row.user_id, None if user is None else user.id)
        if uid != "":
            row.user_id = None if user is None else user.id
