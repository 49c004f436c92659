"""Parameters that are set: the value a domain, a group or a user has instead of the weaker level's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.action import Action
from engine.administration.fields import CompanyUid, Uid
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.places import find
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.domain.identity import is_uid
from engine.domain.parameters import Parameter as Declared
from engine.domain.parameters import WrongValue
from engine.store.database import Database
from engine.store.domain.rights_tables import LONGEST_NAME, ParameterRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, UserRow
from engine.store.errors import Invalid, Taken

Owner = Annotated[
    str, Meta(max_length=32, description="Whose value it is: the uid of a domain, a group or a user.")
]
FullName = Annotated[
    str,
    Meta(
        max_length=LONGEST_NAME,
        description="The parameter: its application and its own name; GET parameters/declared lists them all.",
        examples=["recorder.beep"],
    ),
]
Text = Annotated[str, Meta(max_length=255)]
Value = Annotated[bool | int | float | Text, Meta(description="The value, of the parameter's type and unit.")]

OfApplication = Annotated[
    Annotated[str, Meta(max_length=32)] | None, Meta(description="Those of this application.")
]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter that is set for somebody."""

    uid: Uid
    company: CompanyUid
    owner: Owner
    name: FullName
    value: Value


class ParameterDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new value."""

    owner: Owner
    name: FullName
    value: Value


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter as the engine declares it."""

    name: FullName
    application: Annotated[str, Meta(description="The application it belongs to.")]
    type: Annotated[str, Meta(description="boolean, integer, number or text.")]
    unit: Annotated[str, Meta(description="Of the value; empty where it has none.")]
    default: Value
    expected: Annotated[str, Meta(description="Which values it can have, in words.")]
    choices: Annotated[list[Value], Meta(description="The only values it can have; empty: see expected.")]
    description: Annotated[str, Meta(description="What it does, in the asker's language.")]
    expert: Annotated[bool, Meta(description="Whether it is hidden from who does not ask for such.")]


class DeclaredQuestion(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which of the declared parameters are wanted."""

    application: OfApplication = None
    expert: Annotated[bool, Meta(description="Those for experts, too.")] = False


def declaration(parameter: Declared, language: str) -> Declaration:
    """As it is shown."""
    return Declaration(
        name=parameter.full_name,
        application=parameter.application,
        type=parameter.kind.value,
        unit=parameter.unit,
        default=parameter.default,
        expected=parameter.expected,
        choices=list(parameter.choices),
        description=parameter.description(language),
        expert=parameter.expert,
    )


def _declared(noun: ParametersNoun, actor: Actor, uid: str, question: DeclaredQuestion) -> list[Declaration]:
    return [
        declaration(each, actor.language)
        for each in noun.declared.values()
        if question.application in (None, each.application) and (question.expert or not each.expert)
    ]


class ParametersNoun(TableNoun[Parameter, ParameterRow]):
    """Parameters that are set."""

    name = "parameters"
    singular = "parameter"
    prefix = "par"
    row = ParameterRow
    view = Parameter
    draft = ParameterDraft
    patch = patch_of(ParameterDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "owner": Filter("What this domain, group or user has itself (the uid)."),
        "name": Filter("Whoever has a value of this parameter."),
    }
    orders = ("name", "owner")
    actions = (
        Action(
            "declared",
            "GET",
            "Lists the parameters there are, with what they do and the values they can have.",
            _declared,
            body=DeclaredQuestion,
            answer=list[Declaration],
            of_one=False,
        ),
    )

    def __init__(self, database: Database, notes: Notes, declared: Iterable[Declared]) -> None:
        super().__init__(database, notes)
        self.declared = {each.full_name: each for each in declared}

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = ParameterRow
        return {
            "uid": row.uid,
            "company": CompanyRow.uid,
            "owner": row.owner,
            "name": row.name,
            "value": row.value,
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company."""
        return query.join(CompanyRow, CompanyRow.id == ParameterRow.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid, value) if name == "company" else super().condition(actor, name, value)

    def write(self, session: Session, actor: Actor, row: ParameterRow, given: Mapping[str, Any]) -> None:
        """Find the owner, and read the value as the parameter's declaration says."""
        super().write(session, actor, row, given)
        parameter = self.declared.get(row.name)
        if parameter is None:
            raise Invalid("name", "a declared parameter")
        try:
            row.value = parameter.check(row.value)
        except WrongValue as wrong:
            raise Invalid("value", wrong.expected) from wrong
        company = self._owner(session, actor, row)
        if row.is_new:
            row.company_id = company
        elif row.company_id != company:
            raise Invalid("owner", "an owner of the same company")

    def check(self, session: Session, row: ParameterRow) -> None:
        """Refuse a second value of one owner."""
        other = select(ParameterRow.uid).where(
            ParameterRow.owner == row.owner,
            ParameterRow.name == row.name,
            ParameterRow.id != (row.id or 0),
        )
        if (uid := session.scalar(other)) is not None:
            raise Taken("parameter", row.name, f"parameter {uid} of the same owner")

    @staticmethod
    def _owner(session: Session, actor: Actor, row: ParameterRow) -> int:
        """Find whose it is; the key of its company."""
        row.owner_user_id = row.owner_group_id = row.owner_domain_id = None
        if is_uid(row.owner, "dom"):
            domain = find(session, actor, DomainRow, "domain", row.owner)
            row.owner_domain_id = domain.id
            return domain.company_id
        if is_uid(row.owner, "grp"):
            group = find(session, actor, GroupRow, "group", row.owner)
            row.owner_group_id = group.id
            return group.company_id
        user = find(session, actor, UserRow, "user", row.owner)
        row.owner_user_id = user.id
        return user.company_id
