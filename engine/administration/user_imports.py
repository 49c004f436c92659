"""Imports of users: from a directory or a file into a domain, by hand or by the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Culture, DomainUid, Name, OwnDomain, Uid
from engine.administration.noun import patch_of
from engine.administration.places import domain_for, find, moved
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.domain.imports.candidate import LOGIN
from engine.domain.imports.mapping import FieldMap, MappingError
from engine.domain.imports.schedule import ScheduleError, parse_schedule
from engine.store.domain.import_tables import UserImportRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow
from engine.store.errors import Invalid, Taken

FIELDS = (
    "login",
    "first_name",
    "last_name",
    "email",
    "mobile",
    "culture",
    "custom_1",
    "custom_2",
    "address",
)
"""What of a user a source can give."""
USUAL_PORTS = {"ldaps": 636, "starttls": 389, "none": 389}

Kind = Annotated[
    Literal["ldap", "active-directory", "csv"],
    Meta(
        description="What it reads: an LDAP directory, Active Directory, or a file that comes with each run."
    ),
]
Host = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=r"^[A-Za-z0-9:._-]*$",
        description="The directory's host name or address.",
        examples=["dc1.example.com"],
    ),
]
Port = Annotated[int, Meta(ge=1, le=65_535, description="Its port; null: 636 for ldaps, 389 otherwise.")]
Security = Annotated[
    Literal["ldaps", "starttls", "none"],
    Meta(
        description="How the connection is kept secret; none sends the password and all users in clear text."
    ),
]
Authority = Annotated[
    str,
    Meta(
        max_length=32_768,
        description="Certificates (PEM) the directory's own is signed by; empty: those of the system.",
    ),
]
Dn = Annotated[str, Meta(max_length=1024)]
BindDn = Annotated[
    Dn, Meta(description="The name it binds with; empty for none.", examples=["cn=reader,dc=example,dc=com"])
]
Password = Annotated[
    str, Meta(max_length=255, description="The password it binds with. It is written and never read.")
]
BaseDn = Annotated[
    Dn,
    Meta(description="Where users are looked for, below it too.", examples=["ou=people,dc=example,dc=com"]),
]
SearchFilter = Annotated[
    str,
    Meta(
        max_length=1024,
        description="The filter (RFC 4515) of those who are meant; empty: every person.",
        examples=["(&(objectClass=user)(department=Sales))"],
    ),
]
MembersOf = Annotated[
    Dn,
    Meta(description="DN of a group of the directory: its members are meant, those of groups in it too."),
]
PageSize = Annotated[
    int, Meta(ge=1, le=1000, description="Entries of one answer; Active Directory gives at most 1000.")
]
Key = Annotated[
    str,
    Meta(
        max_length=64,
        description="The attribute or column by which somebody is known again after everything else has changed;"
        " empty: objectGUID of Active Directory, entryUUID of LDAP, the login of a file.",
    ),
]
EnabledColumn = Annotated[
    str, Meta(max_length=64, description="The column of a file that says yes or no; empty: there is none.")
]
Sources = Annotated[
    dict[str, str],
    Meta(
        description=f"What of a user comes from where: of {', '.join(FIELDS)}, at least login. An attribute, the first"
        " of several that has a value (mail|userPrincipalName), or a text ({givenName}.{sn}@example.com). A field that"
        " is not named is never changed.",
        examples=[{"login": "sAMAccountName", "first_name": "givenName", "last_name": "sn", "email": "mail"}],
    ),
]
Mode = Annotated[
    Literal["insert-update-delete", "insert-update-disable", "insert-update", "update"],
    Meta(description="What becomes of who is new in the source, and of who is gone from it."),
]
DisabledAccounts = Annotated[
    Literal["disable", "leave-out"],
    Meta(
        description="A disabled account makes a disabled user, or is left out as if it were not in the source."
    ),
]
LargestShare = Annotated[
    int,
    Meta(
        ge=0,
        le=100,
        description="Per cent of its users that may be gone at once; when more are, the run changes nothing.",
    ),
]
GroupUid = Annotated[str, Meta(max_length=32, description="The group its users join; null: none.")]
Schedule = Annotated[
    str,
    Meta(
        max_length=32,
        description='"daily 03:30", "every 15 minutes", "every 2 hours"; empty: when it is asked for.',
        examples=["daily 03:30"],
    ),
]
TimeZone = Annotated[
    str, Meta(max_length=64, description="The time zone of a daily run.", examples=["Europe/Paris"])
]
Enabled = Annotated[bool, Meta(description="Whether it runs by its schedule.")]


class UserImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import of users."""

    uid: Uid
    company: CompanyUid
    domain: DomainUid
    name: Name
    kind: Kind
    host: Host
    port: Port | None
    security: Security
    authority: Authority
    bind_dn: BindDn
    has_password: Annotated[bool, Meta(description="Whether a password is kept.")]
    base: BaseDn
    filter: SearchFilter
    members_of: MembersOf
    page_size: PageSize
    key: Key
    enabled_column: EnabledColumn
    fields: Sources
    mode: Mode
    disabled_accounts: DisabledAccounts
    largest_share: LargestShare
    group: GroupUid | None
    culture: Culture | None
    schedule: Schedule
    time_zone: TimeZone
    enabled: Enabled


class UserImportDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new import of users."""

    name: Name
    kind: Kind
    fields: Sources
    mode: Mode
    domain: OwnDomain = None
    host: Host = ""
    port: Port | None = None
    security: Security = "ldaps"
    authority: Authority = ""
    bind_dn: BindDn = ""
    password: Password | None = None
    base: BaseDn = ""
    filter: SearchFilter = ""
    members_of: MembersOf = ""
    page_size: PageSize = 500
    key: Key = ""
    enabled_column: EnabledColumn = ""
    disabled_accounts: DisabledAccounts = "disable"
    largest_share: LargestShare = 20
    group: GroupUid | None = None
    culture: Annotated[
        Culture | None, Meta(description="The language of new users; null: that of the domain.")
    ] = None
    schedule: Schedule = ""
    time_zone: TimeZone = "UTC"
    enabled: Enabled = True


class UserImports(TableNoun[UserImport, UserImportRow]):
    """Imports of users."""

    name = "user-imports"
    singular = "user import"
    prefix = "uim"
    row = UserImportRow
    view = UserImport
    draft = UserImportDraft
    patch = patch_of(UserImportDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "domain": Filter("Those into this domain (its uid)."),
    }
    orders = ("name",)
    multiline = frozenset({"authority"})
    secrets = frozenset({"password"})

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        told = {"uid", "company", "domain", "has_password", "group"}
        plain = (name for name in UserImport.__struct_fields__ if name not in told)
        return {
            "uid": UserImportRow.uid,
            "company": CompanyRow.uid,
            "domain": DomainRow.uid,
            "has_password": UserImportRow.password.is_not(None),
            "group": GroupRow.uid,
            **{name: getattr(UserImportRow, name) for name in plain},
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company, its domain and the group."""
        return (
            query.join(CompanyRow, CompanyRow.id == UserImportRow.company_id)
            .join(DomainRow, DomainRow.id == UserImportRow.domain_id)
            .outerjoin(GroupRow, GroupRow.id == UserImportRow.group_id)
        )

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid if name == "company" else DomainRow.uid, value)

    def write(self, session: Session, actor: Actor, row: UserImportRow, given: Mapping[str, Any]) -> None:
        """Find its domain and its group; a schedule begins when it is given."""
        columns = dict(given)
        domain = columns.pop("domain", None)
        if row.is_new:
            place = domain_for(session, actor, domain)
            row.company_id, row.domain_id = place.company_id, place.id
        elif domain is not None and moved(session, actor, domain, row.company_id).id != row.domain_id:
            raise Invalid("domain", "the same domain: its users stay where they are")
        if "group" in columns:
            row.group_id = self._group(session, actor, columns.pop("group"), row.company_id)
        if "schedule" in columns or row.is_new:
            row.scheduled_from = time.time()
        super().write(session, actor, row, columns)

    def check(self, session: Session, row: UserImportRow) -> None:
        """Refuse what could not run."""
        if not row.name_folded:
            raise Invalid("name", "a name")
        other = select(UserImportRow.name).where(
            UserImportRow.company_id == row.company_id,
            UserImportRow.name_folded == row.name_folded,
            UserImportRow.id != (row.id or 0),
        )
        if (name := session.scalar(other)) is not None:
            raise Taken("user import", row.name, f"user import {name}")
        _check_fields(row.fields)
        if row.kind == "csv":
            if row.schedule:
                raise Invalid("schedule", "none for a file: it comes with the run")
        else:
            for field in ("host", "base"):
                if not getattr(row, field):
                    raise Invalid(field, "a value, to read a directory")
        try:
            row.schedule = str(parse_schedule(row.schedule) or "")
        except ScheduleError as error:
            raise Invalid("schedule", str(error)) from error
        if row.time_zone not in available_timezones():
            raise Invalid("time_zone", "a zone of the IANA data base, such as Europe/Paris")

    def _group(self, session: Session, actor: Actor, uid: str | None, company_id: int) -> int | None:
        if uid is None:
            return None
        group = find(session, actor, GroupRow, "group", uid)
        if group.company_id != company_id:
            raise Invalid("group", "a group of the same company")
        return group.id


def _check_fields(fields: Mapping[str, str]) -> None:
    if LOGIN not in fields or not fields.keys() <= set(FIELDS):
        raise Invalid("fields", f"login, and others of {', '.join(FIELDS)}")
    try:
        FieldMap.parse(fields)
    except MappingError as error:
        raise Invalid("fields", str(error)) from error
