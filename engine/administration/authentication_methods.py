"""How users' passwords are checked: an ordered list of a domain, of a group or of a user; the nearest counts."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, DomainUid, OwnDomain, Uid
from engine.administration.noun import patch_of
from engine.administration.places import domain_for, find
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.store.domain.method_tables import MethodRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, UserRow
from engine.store.errors import Invalid

Kind = Annotated[
    Literal["local", "ldap", "none"],
    Meta(
        description="A password of our own, a bind to a directory, or none: anybody who knows the login is let in."
    ),
]
Position = Annotated[int, Meta(ge=0, le=9999, description="The lowest is asked first, until one says right.")]
Host = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=r"^[A-Za-z0-9:._-]*$",
        description="The directory's host.",
        examples=["ldap.example.com"],
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535, description="The directory's port.")]
Secured = Annotated[
    Literal["ldaps", "starttls", "none"],
    Meta(
        description="TLS from the first octet, by StartTLS, or none: then passwords cross the network in the clear."
    ),
]
Pattern = Annotated[
    str,
    Meta(
        max_length=255,
        description="Who binds: a DN, or a name of Active Directory, with ? for the login.",
        examples=["uid=?,ou=people,dc=example,dc=com", "?@example.com"],
    ),
]
Authority = Annotated[
    str,
    Meta(
        max_length=65536, description="Certificates (PEM) that sign the directory's own; empty: the system's."
    ),
]
Of = Annotated[
    Annotated[str, Meta(max_length=32)] | None,
    Meta(description="Whose it is, where it is not the whole domain's."),
]


class AuthenticationMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A method."""

    uid: Uid
    company: CompanyUid
    domain: DomainUid
    group: Of
    user: Of
    position: Position
    kind: Kind
    host: Host
    port: Port
    security: Secured
    pattern: Pattern
    authority: Authority


class AuthenticationMethodDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new method. forced: what has to be said for none."""

    kind: Kind
    domain: OwnDomain = None
    group: Of = None
    user: Of = None
    position: Position = 0
    host: Host = ""
    port: Port = 636
    security: Secured = "ldaps"
    pattern: Pattern = ""
    authority: Authority = ""
    forced: Annotated[
        bool, Meta(description="That nobody is to be asked for any password, and that this is meant.")
    ] = False


_PLAIN = ("uid", "position", "kind", "host", "port", "security", "pattern", "authority")


class AuthenticationMethods(TableNoun[AuthenticationMethod, MethodRow]):
    """Methods."""

    name = "login-methods"
    singular = "login-method"
    prefix = "aum"
    row = MethodRow
    view = AuthenticationMethod
    draft = AuthenticationMethodDraft
    patch = patch_of(AuthenticationMethodDraft)
    multiline = frozenset({"authority"})
    filters: ClassVar[Mapping[str, Filter]] = {
        "domain": Filter("Those of this domain."),
        "group": Filter("Those of this group."),
        "user": Filter("Those of this user."),
    }
    orders = ("position",)

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        return {name: getattr(MethodRow, name) for name in _PLAIN} | {
            "company": CompanyRow.uid,
            "domain": DomainRow.uid,
            "group": GroupRow.uid,
            "user": UserRow.uid,
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With whose it is."""
        query = query.join(CompanyRow, CompanyRow.id == MethodRow.company_id)
        query = query.join(DomainRow, DomainRow.id == MethodRow.domain_id)
        query = query.outerjoin(GroupRow, GroupRow.id == MethodRow.group_id)
        return query.outerjoin(UserRow, UserRow.id == MethodRow.user_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        columns = {"domain": DomainRow.uid, "group": GroupRow.uid, "user": UserRow.uid}
        return equal(columns[name], value)

    def write(self, session: Session, actor: Actor, row: MethodRow, given: Mapping[str, Any]) -> None:
        """Find whose it is, which it stays; none has to be forced."""
        columns = dict(given)
        whose = {name: columns.pop(name, None) for name in ("domain", "group", "user")}
        forced = columns.pop("forced", False)
        if row.is_new:
            self._place(session, actor, row, whose)
        elif any(each is not None for each in whose.values()):
            raise Invalid(
                next(name for name in whose if whose[name] is not None), "nothing: a method stays whose it is"
            )
        if columns.get("kind") == "none" and not forced:
            raise Invalid("forced", "true: with none, anybody who knows a login is let in")
        super().write(session, actor, row, columns)

    def check(self, session: Session, row: MethodRow) -> None:
        """Refuse a directory that could not be asked."""
        if row.kind != "ldap":
            return
        if not row.host:
            raise Invalid("host", "the directory's host")
        if row.pattern.count("?") != 1:
            raise Invalid("pattern", "a pattern with one ? for the login")
        if row.authority:
            try:
                ssl.create_default_context(cadata=row.authority)
            except (ssl.SSLError, ValueError):
                raise Invalid("authority", "certificates in PEM") from None

    def _place(self, session: Session, actor: Actor, row: MethodRow, whose: Mapping[str, str | None]) -> None:
        group = user = None
        if whose["group"] is not None and whose["user"] is not None:
            raise Invalid("user", "nothing where a group is given")
        if whose["group"] is not None:
            group = find(session, actor, GroupRow, "group", whose["group"])
        if whose["user"] is not None:
            user = find(session, actor, UserRow, "user", whose["user"])
        holder = group or user
        if holder is None:
            place = domain_for(session, actor, whose["domain"])
            row.company_id, row.domain_id = place.company_id, place.id
            return
        if whose["domain"] is not None and domain_for(session, actor, whose["domain"]).id != holder.domain_id:
            raise Invalid("domain", "that of the group or user")
        row.company_id, row.domain_id = holder.company_id, holder.domain_id
        row.group_id, row.user_id = None if group is None else group.id, None if user is None else user.id
