"""Direct answers about a user: why she may, what she was given, which values hold for her and where they are from."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy.orm import Session

from engine.administration.action import Action
from engine.administration.authorisations import Kind, Object
from engine.administration.parameters import Declaration, OfApplication, Value, declaration
from engine.administration.places import find
from engine.automates.parameters import DECLARED
from engine.domain.actor import Actor
from engine.domain.applications import APPLICATIONS
from engine.domain.parameters import Parameters, Resolved
from engine.domain.rights import Authorisation, ObjectKind, Rights, Why
from engine.domain.structure import Path
from engine.store.domain.structures import read_authorisations, read_settings, read_structure
from engine.store.domain.user_tables import UserRow
from engine.store.errors import Invalid

Way = Annotated[
    list[str],
    Meta(description="The uids from the one to the other, both included: through which groups, a step each."),
]


class RightsQuestion(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """May she use this? Without a kind: everything she was given."""

    kind: Annotated[Kind | None, Meta(description="What may be used; without it, all she was given.")] = None
    object: Annotated[
        Object | None, Meta(description="An application by its name, else the uid of whose it is.")
    ] = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """An authorisation she has."""

    authorisation: Annotated[str, Meta(description="The authorisation (its uid).")]
    kind: Kind
    object: Object
    from_user: Way
    from_object: Way


class RightsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether she may, and why: the most direct reason first. No reason: she may not."""

    may: Annotated[
        bool,
        Meta(description="Whether there is a reason; without a question, any right at all."),
    ]
    reasons: list[Reason]


class ParametersQuestion(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which parameters are wanted."""

    application: OfApplication = None
    expert: Annotated[bool, Meta(description="Those for experts, too.")] = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A value on the way from the default to the user; the last one holds."""

    level: Annotated[str, Meta(description="default, domain, group or user.")]
    value: Value
    from_user: Way


class HeldParameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter and the value that holds for her."""

    parameter: Declaration
    value: Value
    steps: list[Step]


def rights_of(session: Session, actor: Actor, uid: str, question: RightsQuestion) -> RightsAnswer:
    """Answer ``question`` about a user. Raises NotFound, or Invalid where half of the object is missing."""
    user = find(session, actor, UserRow, "user", uid)
    if (question.kind is None) is not (question.object is None):
        raise Invalid("object" if question.object is None else "kind", "both kind and object, or neither")
    given = read_authorisations(session, user.company_id)
    known = {uid} if question.object is None else {uid, question.object}
    rights = Rights(read_structure(session, user.company_id, known), given)
    if question.kind is None or question.object is None:
        reasons = [_given(authorisation, way) for authorisation, way in rights.given(uid)]
        return RightsAnswer(may=bool(reasons), reasons=reasons)
    kind = ObjectKind(question.kind)
    if kind is ObjectKind.APPLICATION and question.object not in APPLICATIONS:
        raise Invalid("object", f"an application: {', '.join(APPLICATIONS)}")
    by_uid = {each.uid: each for each in given}
    found = [_reason(by_uid[each.authorisation], each) for each in rights.why(uid, kind, question.object)]
    return RightsAnswer(may=bool(found), reasons=found)


def parameters_of(
    session: Session, actor: Actor, uid: str, question: ParametersQuestion
) -> list[HeldParameter]:
    """Every parameter with the value that holds for a user. Raises NotFound."""
    user = find(session, actor, UserRow, "user", uid)
    structure = read_structure(session, user.company_id, {uid})
    parameters = Parameters(DECLARED, structure, read_settings(session, user.company_id))
    return [
        _held(each, actor.language)
        for each in parameters.all_of(uid, question.application)
        if question.expert or not each.parameter.expert
    ]


def _given(authorisation: Authorisation, way: Path) -> Reason:
    return Reason(
        authorisation=authorisation.uid,
        kind=authorisation.kind.value,
        object=authorisation.object,
        from_user=list(way),
        from_object=[authorisation.object],
    )


def _reason(authorisation: Authorisation, why: Why) -> Reason:
    return Reason(
        authorisation=authorisation.uid,
        kind=authorisation.kind.value,
        object=authorisation.object,
        from_user=list(why.grantee),
        from_object=list(why.object),
    )


def _held(resolved: Resolved, language: str) -> HeldParameter:
    return HeldParameter(
        parameter=declaration(resolved.parameter, language),
        value=resolved.value,
        steps=[
            Step(level=each.level.value, value=each.value, from_user=list(each.way))
            for each in resolved.steps
        ],
    )


def _rights(users: Any, actor: Actor, uid: str, question: RightsQuestion) -> RightsAnswer:
    with users.reading() as session:
        return rights_of(session, actor, uid, question)


def _parameters(users: Any, actor: Actor, uid: str, question: ParametersQuestion) -> list[HeldParameter]:
    with users.reading() as session:
        return parameters_of(session, actor, uid, question)


QUESTIONS = (
    Action(
        "rights",
        "GET",
        "Says whether and why she may use something, or all that she was given.",
        _rights,
        body=RightsQuestion,
        answer=RightsAnswer,
    ),
    Action(
        "parameters",
        "GET",
        "Shows the values that hold for her, and where each comes from.",
        _parameters,
        body=ParametersQuestion,
        answer=list[HeldParameter],
    ),
)
"""Verbs of a user."""
