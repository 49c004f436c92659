"""Types of a domain's fields that its dial plan reckons with, and what holds between them and its rules."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from sqlalchemy.orm import Session

from engine.domain.dial_plan import DialPlan, DialPlanError, DialSettings
from engine.store.domain.dial_plans import rows_of, rules_of, settings_of
from engine.store.domain.tables import DomainRow
from engine.store.errors import Invalid

DEFAULTS = DialSettings()

InternationalPrefix = Annotated[
    str,
    Meta(
        max_length=8,
        pattern=r"^[0-9]*$",
        description="What is dialled before a country's number; it stands for a +.",
        examples=["00"],
    ),
]
CountryPrefix = Annotated[
    str,
    Meta(
        max_length=4,
        pattern=r"^([1-9][0-9]*)?$",
        description="The prefix of its own country, without +.",
        examples=["33"],
    ),
]
ExternalPrefix = Annotated[
    str,
    Meta(
        max_length=8,
        pattern=r"^[0-9*#]*$",
        description="What is dialled before every number that is not its PBX's own; empty: nothing.",
        examples=["0"],
    ),
]
IncomingRemove = Annotated[
    str,
    Meta(
        max_length=17,
        pattern=r"^\+?[0-9*#]*$",
        description="What is taken from the beginning of an outside number that comes in.",
    ),
]
IncomingAdd = Annotated[
    str,
    Meta(
        max_length=17,
        pattern=r"^\+?[0-9*#]*$",
        description="What is then put before an outside number that comes in.",
    ),
]
InternalLength = Annotated[
    int, Meta(ge=1, le=15, description="Most digits a number of its PBX's own has.", examples=[4])
]
ReverseLength = Annotated[
    int,
    Meta(
        ge=1,
        le=15,
        description="How many last digits of a caller's number are compared with those of a directory.",
        examples=[9],
    ),
]


def check_settings(row: DomainRow) -> None:
    """Raise Invalid for a field that cannot be."""
    try:
        settings_of(row).check()
    except DialPlanError as error:
        raise Invalid(error.field, error.expected) from error


def check_plan(session: Session, domain: DomainRow) -> DialPlan:
    """The plan of a domain as it stands in this transaction. Raises Invalid for one that cannot be."""
    try:
        return DialPlan.of(settings_of(domain), rules_of(rows_of(session, domain.id)))
    except DialPlanError as error:
        raise Invalid("pattern" if error.field == "rules" else error.field, error.expected) from error
