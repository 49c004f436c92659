"""A call that passes another on counts its hops, so that a loop between two of us ends (RFC 3261 section 16.3)."""

from __future__ import annotations

import pytest

from engine.call.destinations import hops_left
from sip.message import Request
from tests.engine.call.town import ECHO, PASSWORD, Phone, Town

ALICE, BOB = "1001", "1002"


@pytest.fixture
def town() -> Town:
    return Town(lines=(ALICE, BOB))


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone(ALICE, "192.0.2.11")


@pytest.mark.parametrize(("incoming", "left"), [(None, 70), (255, 69), (70, 69), (5, 4), (1, 0)])
def test_hops_left(incoming: int | None, left: int) -> None:
    """One less than what came, never more than one begins with; RFC 2543 callers say nothing."""
    fields = [] if incoming is None else [("Max-Forwards", str(incoming))]
    assert hops_left(Request("INVITE", "sip:1002@192.0.2.1", fields)) == left


def test_the_called_phone_gets_one_hop_less(town: Town, alice: Phone) -> None:
    """The INVITE that leaves carries the caller's Max-Forwards less one."""
    bob = town.phone(BOB, "192.0.2.12", registered=True)
    alice.dial(BOB, password=PASSWORD, headers=(("Max-Forwards", "5"),))
    assert bob.last_invite().max_forwards == 4
    assert len(bob.last_invite().headers.get_all("Max-Forwards")) == 1


def test_a_call_without_hops_left_is_not_passed_on(town: Town, alice: Phone) -> None:
    """483, and nobody rings."""
    bob = town.phone(BOB, "192.0.2.12", registered=True)
    alice.dial(BOB, password=PASSWORD, headers=(("Max-Forwards", "0"),))
    assert alice.ended is not None
    assert alice.ended.status == 483
    assert bob.invites == []
    assert town.count("too_many_hops") == 1
    town.at_rest()


def test_an_automate_answers_whoever_reached_it(town: Town, alice: Phone) -> None:
    """Nothing is passed on, so the last hop may be ours."""
    alice.dial(ECHO, password=PASSWORD, headers=(("Max-Forwards", "0"),))
    assert alice.ended is None
