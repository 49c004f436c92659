"""Users: whoever has lines, a mailbox, a place in groups. A domain's, and their login stands once in the company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Culture, DomainUid, OwnDomain, Uid
from engine.administration.lines import Lines
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.places import domain_for, moved
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.administration.user_entitlements import QUESTIONS
from engine.domain.actor import Actor
from engine.domain.folding import folded_key
from engine.store.database import Database
from engine.store.domain.bearers import end_sessions_of_user
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow
from engine.store.domain.versions import touch
from engine.store.errors import Invalid, Taken
from engine.store.passwords import hash_password
from engine.store.tables import LineRow
from sip.errors import ParseError
from sip.uri import Uri

Login = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[^\s:]+$",
        description="What she logs in as: without blanks and colons, unique in the company whatever its case.",
        examples=["jane.doe"],
    ),
]
FirstName = Annotated[str, Meta(max_length=80, description="First name.", examples=["Jane"])]
LastName = Annotated[str, Meta(max_length=80, description="Last name.", examples=["Doe"])]
Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^([^\s@]+@[^\s@]+)?$",
        description="Mail address; empty for none.",
        examples=["jane.doe@example.com"],
    ),
]
Mobile = Annotated[
    str,
    Meta(
        max_length=32,
        pattern=r"^[-+0-9 ().*#]*$",
        description="Mobile number; empty for none.",
        examples=["+33612345678"],
    ),
]
Enabled = Annotated[bool, Meta(description="Whether she may log in, and her lines may call and be called.")]
Custom = Annotated[str, Meta(max_length=255, description="Free for whatever the company notes of its users.")]
Address = Annotated[
    str,
    Meta(
        max_length=255,
        description="Her SIP address; usually that of her mail.",
        examples=["sip:jane@example.com"],
    ),
]
Pin = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4,12}$",
        description="PIN of her voicemail, 4 to 12 digits. It is written and never read.",
    ),
]


Password = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=256,
        description="What she signs in with where a password of our own counts. It is written and never read.",
    ),
]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user."""

    uid: Uid
    company: CompanyUid
    domain: DomainUid
    login: Login
    first_name: FirstName
    last_name: LastName
    email: Email
    mobile: Mobile
    culture: Culture
    enabled: Enabled
    has_password: Annotated[bool, Meta(description="Whether she has a password of our own.")]
    has_voicemail_pin: Annotated[bool, Meta(description="Whether her voicemail has a PIN.")]
    custom_1: Custom
    custom_2: Custom
    address: Address
    numbers: Annotated[list[str], Meta(description="The numbers of her lines.")]
    groups: Annotated[list[str], Meta(description="The groups she is in herself, by their uids.")]


class UserDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new user. Without an address she has that of her mail, if there is one; without a culture, her domain's."""

    login: Login
    domain: OwnDomain = None
    first_name: FirstName = ""
    last_name: LastName = ""
    email: Email = ""
    mobile: Mobile = ""
    culture: Culture | None = None
    enabled: Enabled = True
    password: Password | None = None
    voicemail_pin: Pin | None = None
    custom_1: Custom = ""
    custom_2: Custom = ""
    address: Address | None = None


_PLAIN = ("uid", "login", "first_name", "last_name", "email", "mobile", "culture", "enabled", "address")
_CUSTOM = ("custom_1", "custom_2")

_NUMBERS_OF = (
    select(LineRow.user_id, LineRow.number)
    .where(LineRow.user_id.in_(bindparam("users", expanding=True)))
    .order_by(LineRow.number)
)
_GROUPS_OF = (
    select(MembershipRow.user_id, GroupRow.uid)
    .join(GroupRow, GroupRow.id == MembershipRow.group_id)
    .where(MembershipRow.user_id.in_(bindparam("users", expanding=True)))
    .order_by(GroupRow.uid)
)


class Users(TableNoun[User, UserRow]):
    """Users."""

    name = "users"
    singular = "user"
    prefix = "usr"
    row = UserRow
    view = User
    draft = UserDraft
    patch = patch_of(UserDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "domain": Filter("Those of this domain (its uid)."),
        "group": Filter("Those who are themselves in this group (its uid)."),
        "login": Filter("The one of this login."),
        "email": Filter("Those of this mail address."),
        "address": Filter("Those of this SIP address."),
        "enabled": Filter("Those who are enabled, or are not.", bool),
    }
    search = (
        "login",
        "first_name",
        "last_name",
        "email",
        "mobile",
        "address",
        "custom_1",
        "custom_2",
        "numbers",
    )
    orders = ("last_name", "login", "email")
    actions = QUESTIONS
    secrets = frozenset({"voicemail_pin", "password"})

    def __init__(self, database: Database, notes: Notes, lines: Lines | None = None) -> None:
        """lines: the noun that her lines are removed through; it is told when who may call changes."""
        super().__init__(database, notes)
        self._lines = lines or Lines(database, notes)

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        return {
            **{name: getattr(UserRow, name) for name in _PLAIN + _CUSTOM},
            "company": CompanyRow.uid,
            "domain": DomainRow.uid,
            "has_password": UserRow.password.is_not(None),
            "has_voicemail_pin": UserRow.voicemail_pin.is_not(None),
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With her company and domain."""
        query = query.join(CompanyRow, CompanyRow.id == UserRow.company_id)
        return query.join(DomainRow, DomainRow.id == UserRow.domain_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        match name:
            case "company":
                return equal(CompanyRow.uid, value)
            case "domain":
                return equal(DomainRow.uid, value)
            case "login":
                return UserRow.login_folded == folded_key(value)
            case "email":
                return UserRow.email_folded == folded_key(value)
            case "group":
                members = select(MembershipRow.user_id).join(GroupRow, GroupRow.id == MembershipRow.group_id)
                return UserRow.id.in_(members.where(GroupRow.uid == value))
        return super().condition(actor, name, value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[User]:
        """With their numbers and the groups they are in, each read in one go."""
        keys = [row["_id"] for row in rows]
        numbers, groups = _by_user(session, _NUMBERS_OF, keys), _by_user(session, _GROUPS_OF, keys)
        names = self.names
        return [
            User(
                **{name: row[name] for name in names},
                numbers=numbers.get(row["_id"], []),
                groups=groups.get(row["_id"], []),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: UserRow, given: Mapping[str, Any]) -> None:
        """Find her domain, hash her PIN, and give a new user what follows from the rest."""
        columns = dict(given)
        domain = columns.pop("domain", None)
        if row.is_new:
            place = domain_for(session, actor, domain)
            row.company_id, row.domain_id = place.company_id, place.id
            columns["culture"] = columns["culture"] or place.culture
            if columns["address"] is None:
                columns["address"] = f"sip:{columns['email']}" if columns["email"] else ""
        elif domain is not None:
            row.domain_id = moved(session, actor, domain, row.company_id).id
        if not row.is_new and columns.get("enabled", row.enabled) != row.enabled:
            self._lines.note_changed()
        for name in ("culture", "address"):
            if name in columns and columns[name] is None:
                raise Invalid(name, "a value")
        for name in self.secrets:
            if (secret := columns.get(name)) is not None:
                columns[name] = hash_password(secret)
        if not row.is_new and ("password" in columns or columns.get("enabled") is False):
            end_sessions_of_user(session, row.id)
        super().write(session, actor, row, columns)

    def searched(self, session: Session, row: UserRow) -> str:
        """Her mobile number also without what divides it."""
        digits = "".join(each for each in row.mobile if each.isdigit())
        return " ".join((*(getattr(row, name) for name in self.search if name != "numbers"), digits))

    def matching(self, word: str) -> ColumnElement[bool]:
        """Users are found by the numbers of their lines too."""
        lines = select(LineRow.user_id).where(
            LineRow.number.contains(word, autoescape=True), LineRow.user_id.is_not(None)
        )
        return or_(super().matching(word), UserRow.id.in_(lines))

    def leaving(self, session: Session, actor: Actor, row: UserRow) -> None:
        """Her lines go with her: nobody else knows their passwords. Groups have a member less."""
        for line in session.scalars(select(LineRow).where(LineRow.user_id == row.id)):
            self._lines.discard(session, actor, line)
        groups = select(MembershipRow.group_id).where(MembershipRow.user_id == row.id)
        touch(session, GroupRow, *session.scalars(groups))

    def folded(self, row: UserRow, name: str) -> str:
        """Users are listed by their last name, those of one name by the first."""
        return (
            folded_key(f"{row.last_name} {row.first_name}")
            if name == "last_name"
            else super().folded(row, name)
        )

    def check(self, session: Session, row: UserRow) -> None:
        """Refuse a login in use, and an address that is none."""
        if not row.login_folded:
            raise Invalid("login", "a login")
        other = select(UserRow.login).where(
            UserRow.company_id == row.company_id,
            UserRow.login_folded == row.login_folded,
            UserRow.id != (row.id or 0),
        )
        if session.scalar(other) is not None:
            raise Taken("login", row.login, "another user")
        if row.address and not is_sip_address(row.address):
            raise Invalid("address", "a SIP address such as sip:jane@example.com")


def _by_user(
    session: Session, query: Select[int | None, str], keys: list[int]
) -> dict[int | None, list[str]]:
    """Pairs of a user and a text, as the sorted texts of each user."""
    found: defaultdict[int | None, list[str]] = defaultdict(list)
    for user, text in session.connection().execute(query, {"users": keys}):
        found[user].append(text)
    return found


def is_sip_address(text: str) -> bool:
    try:
        uri = Uri.parse(text)
    except ParseError:
        return False
    return uri.scheme in ("sip", "sips") and bool(uri.host)
