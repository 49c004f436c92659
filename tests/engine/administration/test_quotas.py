"""Quotas: who grants them, what they show, and how many users they let have an application."""

from __future__ import annotations

import pytest

from engine.administration.catalogue import nouns
from engine.administration.query import Query
from engine.domain.actor import LOCAL
from engine.domain.quotas import Share
from engine.store import Forbidden, Invalid, NotFound, Taken
from engine.store.errors import Spent
from tests.engine.administration.town import Town


def test_the_super_user_grants_them(town: Town) -> None:
    """The company's administrator sees hers, and cannot have more by her own word."""
    made = town.add("quotas", LOCAL, company=town.ours.company, application="echo", channels=10)
    assert [each.uid for each in town.list("quotas")] == [made.uid]
    assert town.list("quotas", town.theirs.administrator) == []
    with pytest.raises(Forbidden):
        town.change("quotas", made.uid, channels=20)
    with pytest.raises(Forbidden):
        town.add("quotas", application="room", channels=20)
    with pytest.raises(NotFound):
        town.nouns["quotas"].get(town.theirs.administrator, made.uid)
    assert town.change("quotas", made.uid, LOCAL, channels=None, users=3).channels is None


def test_one_of_an_application(town: Town) -> None:
    """A company has one quota of each; it stays the company's."""
    made = town.add("quotas", LOCAL, company=town.ours.company, application="echo")
    town.add("quotas", LOCAL, company=town.theirs.company, application="echo")
    with pytest.raises(Taken):
        town.add("quotas", LOCAL, company=town.ours.company, application="echo")
    with pytest.raises(Invalid, match="company"):
        town.change("quotas", made.uid, LOCAL, company=town.theirs.company)


def test_what_is_used(town: Town) -> None:
    """Channels are those of the running engine; users those who have it, each once."""
    used = {Share(town.key_of(town.ours.company), "echo"): 7}
    town.nouns = {
        each.name: each for each in nouns(town.store, town.notebook, lambda share: used.get(share, 0))
    }
    sales = town.add("groups", name="sales").uid
    jane, jim = town.add("users", login="jane").uid, town.add("users", login="jim").uid
    for grantee in (sales, jane):
        town.add("authorisations", grantee=grantee, kind="application", object="echo")
    for member in (jane, jim):
        town.add("memberships", group=sales, member=member)
    for company in (town.ours, town.theirs):
        town.add("quotas", LOCAL, company=company.company, application="echo")
    shown = town.nouns["quotas"].page(LOCAL, Query()).items
    assert [(each.channels_used, each.users_used) for each in shown] == [(7, 2), (0, 0)]


def test_no_more_users_than_granted(town: Town) -> None:
    """Neither by another authorisation, nor by a group that grows; what was given to another company does not count."""
    town.add("quotas", LOCAL, company=town.ours.company, application="echo", users=1)
    sales = town.add("groups", name="sales").uid
    jane, jim = town.add("users", login="jane").uid, town.add("users", login="jim").uid
    town.add("authorisations", grantee=sales, kind="application", object="echo")
    town.add("memberships", group=sales, member=jane)
    with pytest.raises(Spent, match="1 of users of echo"):
        town.add("memberships", group=sales, member=jim)
    with pytest.raises(Spent):
        town.add("authorisations", grantee=jim, kind="application", object="echo")
    assert len(town.list("memberships")) == len(town.list("authorisations")) == 1
    town.add("authorisations", grantee=jane, kind="application", object="echo")
    town.add("authorisations", grantee=jim, kind="application", object="room")


def test_a_company_takes_its_quotas_along(town: Town) -> None:
    """Nothing of it holds the company back."""
    company = town.nouns["companies"].add(LOCAL, town.nouns["companies"].draft(name="Short")).view.uid
    town.add("quotas", LOCAL, company=company, application="echo")
    town.remove("companies", company, LOCAL)
    assert town.list("quotas", LOCAL) == []
