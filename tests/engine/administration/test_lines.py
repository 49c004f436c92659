"""Lines: their fields, whose they are, and what is kept of their passwords."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from engine.administration.companies import CompanyDraft
from engine.administration.lines import Lines
from engine.administration.query import Query
from engine.domain.actor import LOCAL
from engine.numbering import read_numbering
from engine.store import AutomateRange, InUse, Invalid, NotFound, Taken
from engine.store.numbers import line_secrets
from engine.store.tables import LineRow
from tests.engine.administration.town import Town

PASSWORD = "a password nobody may see"
EVERYTHING = {
    "number": "201",
    "display_name": "Jane Doe",
    "protocol": "vti-xml",
    "ip": "192.0.2.7",
    "video": True,
    "call_appearances": 4,
    "one_number": True,
    "sip_user": "jane",
    "proxy": "pbx.example.com",
    "proxy_port": 5070,
    "stun": "stun.example.com",
    "realm": "example.com",
    "expiry": 600,
    "dtmf": "info",
    "g729": False,
    "tls": True,
    "client_port": 5080,
    "srtp": "required",
    "enabled": False,
}


def kept(town: Town, number: str) -> LineRow:
    with town.store.database.reading() as session:
        return session.scalars(select(LineRow).where(LineRow.number == number)).one()


def test_every_field_is_kept(town: Town) -> None:
    user = town.add("users", login="jane")
    made = town.add("lines", **EVERYTHING, user=user.uid, password=PASSWORD)
    shown = msgspec.to_builtins(made)
    assert {name: shown[name] for name in EVERYTHING} == EVERYTHING
    assert (made.company, made.domain, made.user) == (town.ours.company, town.ours.domain, user.uid)
    assert town.nouns["lines"].get(town.ours.administrator, made.uid).view == made
    plain = {
        "number": "202",
        "display_name": "",
        "protocol": "sip",
        "sip_user": "",
        "proxy": "",
        "proxy_port": None,
    }
    changed = town.change("lines", made.uid, **plain, password=PASSWORD, srtp=None, user=None)
    assert {name: getattr(changed, name) for name in plain} == plain
    assert (changed.user, changed.srtp) == (None, None)


def test_only_digests_are_kept_of_a_password(town: Town) -> None:
    made = town.add("lines", number="201", password=PASSWORD)
    assert made.has_password
    row = kept(town, "201")
    assert (row.ha1, row.cti_password) == (line_secrets("201", "polyphony", PASSWORD), None)
    assert PASSWORD not in repr((made, town.notebook.changes))
    for change in ({"number": "202"}, {"realm": "other"}, {"sip_user": "x", "proxy": "pbx"}):
        with pytest.raises(Invalid, match="password"):
            town.change("lines", made.uid, **change)
    town.change("lines", made.uid, number="202", sip_user="jane", proxy="pbx", realm="r", password=PASSWORD)
    assert kept(town, "202").ha1 == line_secrets("jane", "r", PASSWORD)
    assert not town.change("lines", made.uid, password=None).has_password
    assert town.change("lines", made.uid, realm=None).realm == "polyphony"


def test_a_cti_link_needs_the_password_itself(town: Town) -> None:
    made = town.add("lines", number="201", protocol="csta", password=PASSWORD)
    assert kept(town, "201").cti_password == PASSWORD
    town.change("lines", made.uid, protocol="sip")
    assert kept(town, "201").cti_password is None


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("ip", {"ip": "pbx.example.com"}),
        ("proxy_port", {"proxy_port": 5060}),
        ("sip_user", {"sip_user": "jane"}),
    ],
)
def test_values_that_are_refused(town: Town, field: str, fields: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refusal:
        town.add("lines", number="201", **fields)
    assert refusal.value.field == field


def test_a_number_stands_once_in_a_company(town: Town) -> None:
    key = town.key_of(town.ours.company)
    town.store.automate_ranges.add(
        AutomateRange(first_number="300", count=5, application="echo", company_id=key)
    )
    line = town.add("lines", number="201")
    town.add("lines", town.theirs.administrator, number="201")
    town.add("lines", town.theirs.administrator, number="302")
    for number in ("201", "302"):
        with pytest.raises(Taken):
            town.add("lines", number=number)
    with pytest.raises(Taken, match="automates 300-304"):
        town.change("lines", line.uid, number="304")


def test_whose_a_line_is(town: Town) -> None:
    second = town.add("domains", name="second")
    jane = town.add("users", login="jane", domain=second.uid)
    theirs = town.add("users", town.theirs.administrator, login="john")
    line = town.add("lines", number="201", user=jane.uid)
    assert (line.domain, line.user) == (second.uid, jane.uid)
    with pytest.raises(Invalid, match="domain"):
        town.add("lines", number="202")
    with pytest.raises(NotFound):
        town.change("lines", line.uid, user=theirs.uid)
    with pytest.raises(Invalid, match="user"):
        town.change("lines", line.uid, LOCAL, user=theirs.uid)
    assert town.change("lines", line.uid, domain=town.ours.domain).domain == town.ours.domain
    assert town.list("lines", user=jane.uid)[0].uid == line.uid
    assert town.list("lines", number="201", protocol="sip", enabled="true", domain=town.ours.domain) != []
    assert town.list("lines", q="20")[0].uid == line.uid
    assert town.list("lines", town.theirs.administrator) == []


def test_users_tell_of_their_numbers(town: Town) -> None:
    """And are found by them; who has read a user before has an old version."""
    users, jane = town.nouns["users"], town.add("users", login="jane")
    line = town.add("lines", number="4711", user=jane.uid)
    town.add("lines", number="4712", user=jane.uid)
    found = users.get(town.ours.administrator, jane.uid)
    assert (found.view.numbers, found.version) == (["4711", "4712"], 3)
    assert town.list("users", q="jane 471") == [found.view]
    assert town.list("users", q="999") == []
    town.change("lines", line.uid, number="4700")
    assert users.get(town.ours.administrator, jane.uid).version == 4
    town.change("lines", line.uid, user=None)
    town.remove("lines", town.list("lines", number="4712")[0].uid)
    found = users.get(town.ours.administrator, jane.uid)
    assert (found.view.numbers, found.version) == ([], 6)


def test_lines_go_with_their_user(town: Town) -> None:
    jane = town.add("users", login="jane")
    town.add("lines", number="201", user=jane.uid)
    town.add("lines", number="202")
    town.notebook.changes.clear()
    town.remove("users", jane.uid)
    assert [each.number for each in town.list("lines")] == ["202"]
    assert town.notebook.kinds() == ["lines.removed", "users.removed"]
    with pytest.raises(InUse, match="1 lines"):
        town.remove("domains", town.ours.domain)


def test_which_lines_may_call(town: Town) -> None:
    """Neither those of a disabled user nor of a disabled company, nor any that are disabled."""
    jane = town.add("users", login="jane")
    for number, fields in (
        ("201", {"user": jane.uid}),
        ("202", {}),
        ("203", {"enabled": False}),
        ("204", {}),
    ):
        town.add("lines", number=number, **fields, **({} if number == "204" else {"password": PASSWORD}))
    key = town.key_of(town.ours.company)

    def callers() -> set[str]:
        return set(read_numbering(town.store).secrets)

    assert callers() == {f"201@{key}", f"202@{key}"}
    town.change("users", jane.uid, enabled=False)
    assert callers() == {f"202@{key}"}
    assert read_numbering(town.store).plans.lines == {f"202@{key}", f"204@{key}"}
    town.change("companies", town.ours.company, LOCAL, enabled=False)
    assert callers() == set()


def test_lines_of_before_have_everything(town: Town) -> None:
    """What the store adds on its own is a line like the others."""
    line = town.store.lines.add(
        msgspec.convert(
            {"number": "55", "realm": "r", "ha1": {"MD5": "0"}}, type(town.store.lines).record_type
        )
    )
    (shown,) = town.list("lines", LOCAL, number="55")
    assert (shown.call_appearances, shown.g729, shown.has_password) == (2, True, True)
    assert town.nouns["lines"].page(LOCAL, Query()).items == [shown]
    assert line.company_id == 1
    company = town.nouns["companies"].add(LOCAL, CompanyDraft(name="Third")).view.uid
    assert isinstance(town.nouns["lines"], Lines)
    assert town.key_of(company)


def test_who_may_call_changes_with_lines_and_enabled_users_only(town: Town) -> None:
    """The engine reads its numbers again then, and not for each of thousands of users."""
    lines = town.nouns["lines"]
    assert isinstance(lines, Lines)
    jane = town.add("users", login="jane")
    town.change("users", jane.uid, last_name="Doe", enabled=True)
    assert not lines.take_changed()
    line = town.add("lines", number="201", user=jane.uid)
    assert lines.take_changed()
    assert not lines.take_changed()
    town.change("users", jane.uid, enabled=False)
    assert lines.take_changed()
    town.change("lines", line.uid, enabled=False)
    assert lines.take_changed()
    town.remove("users", jane.uid)
    assert lines.take_changed()
