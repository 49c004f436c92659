"""Calls whose numbers go through a dial plan: dialled, referred and redirected ones, and those that come in."""

from __future__ import annotations

import pytest

from engine.call.dialling import Dialling, usable_plan
from engine.domain.dial_plan import DialPlan, DialRule, DialSettings, Direction, starting_rules
from engine.domain.scope import DEFAULT_DOMAIN
from engine.store import Link, Store
from engine.store.domain.dial_plans import StoredPlan
from sip.session.outputs import Ended
from sip.uri import Uri
from tests.engine.call.town import ENGINE, PASSWORD, Phone, Town

ALICE, BOB, LONG = "1001", "1002", "0155171700"
PBX = "192.0.2.90"
LINK = Link(id=1, name="pbx", host=PBX, port=5060, register=False, dialled_prefixes="0 #")
INCOMING = (
    DialRule(Direction.INCOMING, 1, "+3315517", ""),
    DialRule(Direction.INCOMING, 2, "[1002$]", "5000"),
)


def plan(rules: tuple[DialRule, ...] = (), **settings: object) -> DialPlan:
    """That of a new domain, and more."""
    return DialPlan.of(DialSettings(**settings), [*starting_rules("33"), *rules])  # type: ignore[arg-type]


@pytest.fixture
def town() -> Town:
    town = Town(lines=(ALICE, BOB, LONG), links=(LINK,))
    own = plan(INCOMING, incoming_remove="00", incoming_add="0")
    town.parts.routing.dialling = Dialling({1: own}, {1: 1})
    return town


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone(ALICE, "192.0.2.11", registered=True)


@pytest.fixture
def bob(town: Town) -> Phone:
    return town.phone(BOB, "192.0.2.12", registered=True)


@pytest.fixture
def pbx(town: Town) -> Phone:
    phone = town.phone("pbx", PBX)
    town.pass_time(0.1)
    return phone


def called(phone: Phone) -> str | None:
    """The number its last INVITE is for."""
    return phone.last_invite().request_uri.user_text


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        ("+33(0)123456789", "00123456789"),
        ("+33%20(0)%201%2023%2045%2067%2089", "00123456789"),
        ("0155171889", "00155171889"),
        ("+3912334477", "0003912334477"),
        ("%2331%23", "#31#"),
    ],
)
def test_a_line_dials_as_people_write(
    town: Town, alice: Phone, pbx: Phone, dialled: str, number: str
) -> None:
    alice.dial(dialled, password=PASSWORD)
    assert called(pbx) == number
    alice.call.hangup()
    town.at_rest()


def test_our_own_numbers_are_called_as_they_stand(town: Town, alice: Phone) -> None:
    """Though this one is longer than internal, and its plan would send it outside."""
    long = town.phone(LONG, "192.0.2.13", registered=True)
    alice.dial("0155171700", password=PASSWORD)
    assert called(long) == LONG
    alice.call.hangup()
    alice.dial("10-01", password=PASSWORD)
    alice.call.hangup()
    town.at_rest()


def test_a_number_the_plan_makes_internal(town: Town, alice: Phone, bob: Phone) -> None:
    own = plan((DialRule(Direction.OUTGOING, 1, "+3315517", ""),))
    town.parts.routing.dialling = Dialling({1: own}, {1: 1})
    alice.dial("+331%205517%201002", password=PASSWORD)
    assert called(bob) == BOB
    alice.call.hangup()
    town.at_rest()


def test_without_a_plan_numbers_go_as_they_stand(town: Town, alice: Phone, pbx: Phone) -> None:
    """A plan that changes nothing is not even asked."""
    town.parts.routing.dialling = Dialling({1: DialPlan.of(DialSettings(external_prefix=""))}, {1: 1})
    alice.dial("0155171889", password=PASSWORD)
    assert called(pbx) == "0155171889"
    alice.call.hangup()
    alice.dial("+33155171889", password=PASSWORD)
    assert isinstance(alice.ended, Ended)
    assert alice.ended.status == 404
    town.at_rest()


def test_a_phone_refers_as_people_write(town: Town, alice: Phone, bob: Phone, pbx: Phone) -> None:
    """To another number, and back a redirection of the called phone leads where its line may dial."""
    alice.dial(BOB, password=PASSWORD)
    alice.call.refer(Uri("sip", "+33155171889", None, ENGINE.host))
    town.pass_time(0.3)
    assert called(pbx) == "00155171889"
    bob.call.hangup()
    town.pass_time(0.3)
    bob.status, bob.headers = 302, (("Contact", f"<sip:+33155171880@{ENGINE.host}>"),)
    alice.dial(BOB, password=PASSWORD)
    town.pass_time(0.3)
    assert called(pbx) == "00155171880"
    alice.call.hangup()
    town.at_rest()


def test_numbers_that_come_in(town: Town, bob: Phone, pbx: Phone) -> None:
    """The called one by its rule, the caller's without what the PBX puts before it."""
    pbx.dial("+33155171002", caller="00612345678")
    assert called(bob) == BOB
    assert bob.last_invite().from_.uri.user_text == "0612345678"
    pbx.call.hangup()
    pbx.dial(BOB, caller="2001")
    assert called(bob) == BOB
    assert bob.last_invite().from_.uri.user_text == "2001"
    pbx.call.hangup()
    pbx.dial(BOB, caller="anonymous")
    assert bob.last_invite().from_.uri.user_text == "anonymous"
    pbx.call.hangup()
    pbx.dial("0612345678")
    assert pbx.ended is not None
    assert pbx.ended.status == 403, "a PBX never dials out by us"
    town.at_rest()


def test_a_line_s_domain_says_by_which_plan() -> None:
    """Else its company's first domain; a domain's neutral plan is not replaced by another's."""
    settings = DialSettings()
    dialling = Dialling.of(
        [
            StoredPlan(7, 2, DialSettings(external_prefix="9"), ()),
            StoredPlan(3, 2, settings, ()),
            StoredPlan(5, 2, DialSettings(external_prefix=""), ()),
            StoredPlan(4, 1, DialSettings(external_prefix=""), ()),
        ],
        {"200@2": 7, "300@2": 5},
    )
    number = "0155171889"
    assert dialling.outgoing(number, 2, "200@2") == "9" + number
    assert dialling.outgoing(number, 2, "300@2") == number
    assert dialling.outgoing(number, 2, "400@2") == "0" + number
    assert dialling.outgoing(number, 2, None) == "0" + number
    assert dialling.outgoing(number, 1, "100") == number
    assert dialling.outgoing(number, 99, None) == number
    assert dialling.incoming(number, 2) == number
    assert Dialling().incoming(number, 1) == number


def test_a_rule_this_version_cannot_use_is_left_out() -> None:
    """Calls go on without it; and without a plan that could take too long."""
    bad, good = DialRule(Direction.OUTGOING, 1, "[(", ""), DialRule(Direction.OUTGOING, 2, "12", "34")
    assert usable_plan(DialSettings(), [bad, good]).outgoing("12").number == "34"
    heavy = [DialRule(Direction.OUTGOING, 1, r"[\d{400}x]", "")] * 4
    assert usable_plan(DialSettings(), heavy).is_neutral


def test_what_the_store_says(store: Store) -> None:
    """A new store has one domain, whose plan changes nothing."""
    (stored,) = store.dial_plans.all()
    assert (stored.domain_id, stored.rules) == (DEFAULT_DOMAIN, ())
    assert Dialling.of([stored]).outgoing("+33 1", 1, None) == "+33 1"
