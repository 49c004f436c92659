"""Calls whose worker died, on paper: who is told of the new port, when, and what becomes of those who refuse."""

from __future__ import annotations

import re

import pytest

from engine.call.reanchoring import BATCH, PAUSE
from sip.message import Request
from sip.session.outputs import EndCause, OfferReceived
from tests.engine.call.town import ECHO, PASSWORD, PaperLeg, Phone, Town, sdp
from tests.sip.wire import as_request, as_response, name

ALICE, BOB = "200", "201"


@pytest.fixture
def town() -> Town:
    return Town(lines=(ALICE, BOB))


@pytest.fixture
def phone(town: Town) -> Phone:
    return town.phone("900", "192.0.2.11")


def port_of(body: bytes) -> int:
    found = re.search(rb"m=audio (\d+)", body)
    assert found is not None
    return int(found[1])


def version_of(body: bytes) -> int:
    found = re.search(rb"o=\S+ \S+ (\d+)", body)
    assert found is not None
    return int(found[1])


def offers(town: Town, phone: Phone) -> list[Request]:
    """What the engine offered a phone, in requests."""
    sent = [data for data, to in town.post if to == phone.address and name(data) in ("INVITE", "UPDATE")]
    return [as_request(data) for data in sent]


def answered_port(town: Town, phone: Phone) -> int:
    """The port the phone was told in our answer to its call."""
    for data, to in town.post:
        if to == phone.address and name(data) == "200":
            return port_of(as_response(data).body)
    raise AssertionError("no answer")


def leg_of(town: Town) -> PaperLeg:
    return town.media.legs[0]


def test_on_the_port_it_had_nobody_is_told(town: Town, phone: Phone) -> None:
    """The peer notices nothing."""
    call = phone.dial(ECHO)
    leg_of(town).moves()
    town.pass_time(1)
    assert offers(town, phone) == []
    call.hangup()
    town.at_rest()


def test_another_port_is_offered(town: Town, phone: Phone) -> None:
    """By re-INVITE, in the next version of our description; the leg takes up the answer."""
    call = phone.dial(ECHO)
    leg_of(town).moves(41000)
    town.pass_time(0.5)
    (invite,) = offers(town, phone)
    assert invite.method == "INVITE"
    assert port_of(invite.body) == 41000
    assert version_of(invite.body) == 2
    assert town.count("reanchored") == 1
    assert leg_of(town).remote == (phone.host, 4000)
    assert phone.ended is None
    call.hangup()
    town.at_rest()


def test_moved_twice_it_is_told_where_it_is(town: Town, phone: Phone) -> None:
    """The last port counts; back on the first one, that is offered again."""
    call = phone.dial(ECHO)
    first = leg_of(town).local_port
    leg_of(town).moves(41000)
    leg_of(town).moves(41002)
    town.pass_time(0.5)
    leg_of(town).moves(first)
    town.pass_time(0.5)
    assert [port_of(each.body) for each in offers(town, phone)] == [41002, first]
    call.hangup()
    town.at_rest()


def test_glare(town: Town, phone: Phone) -> None:
    """Both offer at once: each gets 491, and each offers again after its own pause (RFC 3261 section 14.1)."""
    call = phone.dial(ECHO)
    call.reoffer(sdp(phone.host, 4444, version=2))
    leg_of(town).moves(41000)
    town.pass_time(0.2)
    statuses = [name(data) for data, _ in town.post]
    assert statuses.count("491 INVITE") == 2
    town.pass_time(6)
    assert [port_of(each.body) for each in offers(town, phone)][-1] == 41000
    assert leg_of(town).remote == (phone.host, 4444)
    assert town.count("reanchored") == 1
    assert phone.ended is None
    call.hangup()
    town.at_rest()


def test_a_peer_that_refuses(town: Town, phone: Phone) -> None:
    """The call goes on as it was agreed (RFC 3261 section 14.1), and is counted."""
    call = phone.dial(ECHO)

    def refuses(event: object) -> None:
        if isinstance(event, OfferReceived):
            call.reject_offer(488)

    call.on_event = refuses
    leg_of(town).moves(41000)
    town.pass_time(1)
    assert town.count("reanchor_refused") == 1
    assert town.count("reanchored") == 0
    assert len(town.calls) == 1
    call.hangup()
    town.at_rest()


def test_a_peer_that_does_not_answer(town: Town, phone: Phone) -> None:
    """Its dialog is gone (RFC 3261 section 12.2.1.2): BYE after 32 s, not sooner."""
    phone.dial(ECHO)
    town.loses = lambda data, to: to == phone.address and name(data) == "INVITE"
    leg_of(town).moves(41000)
    town.pass_time(31)
    assert phone.ended is None
    town.pass_time(3)
    assert phone.ended is not None
    assert phone.ended.cause is EndCause.REMOTE_BYE
    town.at_rest()


def test_before_the_ack(town: Town, phone: Phone) -> None:
    """The 200 is out, its ACK lost: UPDATE need not wait for the next one (RFC 3311 section 5.1)."""
    lost: list[bytes] = []

    def loses(data: bytes, to: object) -> bool:
        if name(data) == "ACK" and not lost:
            lost.append(data)
            return True
        return False

    town.loses = loses
    call = phone.dial(ECHO)
    leg_of(town).moves(41000)
    town.pass_time(0.1)
    assert lost
    assert [(each.method, port_of(each.body)) for each in offers(town, phone)] == [("UPDATE", 41000)]
    town.pass_time(2)
    assert town.count("reanchored") == 1
    call.hangup()
    town.at_rest()


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_while_it_rings_with_sound(town: Town, who: str) -> None:
    """Told by UPDATE at once where the peer takes that: both sides have an answer already, reliably."""
    alice, bob = town.phone(ALICE, "192.0.2.11"), town.phone(BOB, "192.0.2.12", registered=True)
    bob.status, bob.early = None, sdp("192.0.2.12", 4300)
    alice.dial(BOB, password=PASSWORD)
    before = len(offers(town, bob))
    caller, callee = town.media.legs
    (caller if who == "caller" else callee).moves(41000)
    town.pass_time(0.5)
    told = offers(town, alice) if who == "caller" else offers(town, bob)[before:]
    assert [(each.method, port_of(each.body)) for each in told] == [("UPDATE", 41000)]
    bob.call.answer(sdp("192.0.2.12", 4300))
    town.pass_time(0.5)
    assert alice.ended is None
    assert town.count("reanchored") == 1
    alice.call.hangup()
    town.at_rest()


def callers(town: Town, count: int) -> list[Phone]:
    """So many phones in a call with the echo."""
    phones = [town.phone(f"9{index:02}", f"192.0.2.{20 + index}") for index in range(count)]
    for each in phones:
        each.dial(ECHO)
    return phones


def test_a_call_that_ends_meanwhile(town: Town) -> None:
    """Nothing is offered in a dialog that is over by its turn."""
    phones = callers(town, BATCH + 1)
    last = phones[-1]
    for leg in town.media.legs:
        leg.moves(42000 + leg.id * 2)
    last.call.hangup()
    town.pass_time(1)
    assert offers(town, last) == []
    for each in phones[:-1]:
        each.call.hangup()
    town.at_rest()


def test_many_are_told_a_few_at_a_time(town: Town) -> None:
    """Not in one go, and all of them in the time it takes."""
    phones = callers(town, 2 * BATCH)
    for leg in town.media.legs:
        leg.moves(42000 + leg.id * 2)
    town.clock.advance(0)
    assert sum(len(offers(town, phone)) for phone in phones) == BATCH
    town.pass_time(2 * PAUSE + 0.1)
    assert [len(offers(town, phone)) for phone in phones] == [1] * len(phones)
    assert town.count("reanchored") == len(phones)
    for each in phones:
        each.call.hangup()
    town.at_rest()
