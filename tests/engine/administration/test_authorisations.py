"""Authorisations, and direct answers to "why may she?"."""

from __future__ import annotations

import pytest

from engine.administration.action import Action
from engine.administration.user_entitlements import QUESTIONS, RightsAnswer, RightsQuestion
from engine.domain.actor import LOCAL
from engine.domain.identity import new_uid
from engine.domain.rights import ObjectKind
from engine.store import Invalid, NotFound, Taken
from tests.engine.administration.town import Town

ASK: Action = QUESTIONS[0]


def why(town: Town, user: str, kind: str | None = None, object_: str | None = None) -> RightsAnswer:
    """What the question about a user is answered."""
    question = RightsQuestion(kind=kind, object=object_)  # type: ignore[arg-type]  # as a request says it
    answer = ASK.perform(town.nouns["users"], town.ours.administrator, user, question)
    assert isinstance(answer, RightsAnswer)
    return answer


def test_why_she_may(town: Town) -> None:
    """Through her group and the group it is in; no longer once she has left."""
    inner, outer = town.add("groups", name="inner"), town.add("groups", name="outer")
    jane = town.add("users", login="jane").uid
    membership = town.add("memberships", group=inner.uid, member=jane)
    town.add("memberships", group=outer.uid, member=inner.uid)
    given = town.add("authorisations", grantee=outer.uid, kind="application", object="conference")
    answer = why(town, jane, "application", "conference")
    assert answer.may
    (reason,) = answer.reasons
    assert (reason.authorisation, reason.from_user) == (given.uid, [jane, inner.uid, outer.uid])
    assert why(town, jane).reasons == [reason]
    assert not why(town, jane, "application", "echo").may
    town.remove("memberships", membership.uid)
    assert why(town, jane, "application", "conference") == RightsAnswer(may=False, reasons=[])


def test_why_she_may_read_a_journal(town: Town) -> None:
    """The journal of a colleague, by that of the group he is in."""
    jane, jim = town.add("users", login="jane").uid, town.add("users", login="jim").uid
    sales = town.add("groups", name="sales").uid
    town.add("memberships", group=sales, member=jim)
    town.add("authorisations", grantee=jane, kind="call-journal", object=sales)
    assert why(town, jane, "call-journal", jim).reasons[0].from_object == [jim, sales]
    assert not why(town, jim, "call-journal", jane).may


def test_half_a_question(town: Town) -> None:
    """Both kind and object, or neither."""
    jane = town.add("users", login="jane").uid
    for kind, object_, field in (
        ("application", None, "object"),
        (None, "echo", "kind"),
        ("application", "x", "object"),
    ):
        with pytest.raises(Invalid, match=field):
            why(town, jane, kind, object_)


def test_another_company_is_not_there(town: Town) -> None:
    """Neither as grantee nor as object nor as whom the question is about; the text is that of what never was."""
    theirs = town.add("users", town.theirs.administrator, login="jane", domain=town.theirs.domain).uid
    jane = town.add("users", login="jane").uid
    never = new_uid("usr")
    for foreign in (theirs, never):
        with pytest.raises(NotFound) as refusal:
            town.add("authorisations", grantee=foreign, kind="application", object="echo")
        assert str(refusal.value) == f"there is no user {foreign}"
        with pytest.raises(NotFound):
            town.add("authorisations", grantee=jane, kind="calendar", object=foreign)
        with pytest.raises(NotFound):
            why(town, foreign)
        assert not why(town, jane, "calendar", foreign).may
    with pytest.raises(NotFound):
        town.add("authorisations", grantee=jane, kind="calendar", object=town.theirs.company)
    with pytest.raises(Invalid, match="company"):
        town.add("authorisations", LOCAL, grantee=jane, kind="calendar", object=theirs)
    assert town.list("authorisations", town.theirs.administrator) == []


def test_domains(town: Town) -> None:
    """A calendar may be given across the domains of a company, a journal not."""
    other = town.add("domains", name="other", company=town.ours.company).uid
    jane = town.add("users", login="jane", domain=town.ours.domain).uid
    jim = town.add("users", login="jim", domain=other).uid
    town.add("authorisations", grantee=jane, kind="calendar", object=jim)
    assert why(town, jane, "calendar", jim).may
    for object_ in (jim, other):
        with pytest.raises(Invalid, match="object"):
            town.add("authorisations", grantee=jane, kind="call-journal", object=object_)
    town.add("authorisations", grantee=jane, kind="call-journal", object=town.ours.company)
    assert not why(town, jane, "call-journal", jim).may


def test_what_was_given_once(town: Town) -> None:
    """Not twice; but it can be turned to something else, or somebody else."""
    jane, jim = town.add("users", login="jane").uid, town.add("users", login="jim").uid
    given = town.add("authorisations", grantee=jane, kind="application", object="echo")
    with pytest.raises(Taken):
        town.add("authorisations", grantee=jane, kind="application", object="echo")
    changed = town.change("authorisations", given.uid, grantee=jim, kind="presence", object=jane)
    assert (changed.grantee, changed.kind, changed.object) == (jim, "presence", jane)
    with pytest.raises(Invalid, match="object"):
        town.change("authorisations", given.uid, kind="application")
    assert [each.uid for each in town.list("authorisations", grantee=jim, kind="presence")] == [given.uid]
    assert town.list("authorisations", object="echo") == []


def test_who_goes_takes_it_along(town: Town) -> None:
    """An authorisation of, or on, somebody who is removed is no more."""
    jane, jim = town.add("users", login="jane").uid, town.add("users", login="jim").uid
    sales = town.add("groups", name="sales").uid
    town.add("authorisations", grantee=jane, kind="application", object="echo")
    town.add("authorisations", grantee=sales, kind="presence", object=jane)
    kept = town.add("authorisations", grantee=sales, kind="presence", object=jim)
    town.remove("users", jane)
    assert [each.uid for each in town.list("authorisations")] == [kept.uid]
    town.remove("groups", sales)
    assert town.list("authorisations") == []


def test_every_kind_can_be_given(town: Town) -> None:
    """What the rules know is what the API takes."""
    jane = town.add("users", login="jane").uid
    for kind in ObjectKind:
        object_ = "echo" if kind is ObjectKind.APPLICATION else town.ours.domain
        town.add("authorisations", grantee=jane, kind=kind.value, object=object_)
    assert len(why(town, jane).reasons) == len(ObjectKind)
