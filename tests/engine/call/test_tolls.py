"""How much a line may call outside, by every path that leads there (security reference C7)."""

from __future__ import annotations

import pytest

from engine.call.tolls import MINUTE, TollLimits, Tolls
from engine.store import Link
from sip.uri import Uri
from tests.engine.call.town import PASSWORD, Phone, Town

ALICE, BOB, CAROL = "1001", "1002", "1003"
LINK = Link(id=1, name="pbx", host="192.0.2.90", port=5060, register=False, dialled_prefixes="9")


class TestCounting:
    def make(self, at_once: int = 2, a_minute: int = 3) -> tuple[Tolls, list[float]]:
        now = [0.0]
        return Tolls(TollLimits(at_once, a_minute), lambda: now[0]), now

    def test_calls_at_once(self) -> None:
        """The third is refused until one is over; another line is not concerned."""
        tolls, _ = self.make(a_minute=100)
        up = [True, True, True]
        assert tolls.admit(ALICE, lambda: up[0])
        assert tolls.admit(ALICE, lambda: up[1])
        assert not tolls.admit(ALICE, lambda: up[2])
        assert tolls.admit(BOB, lambda: up[2])
        up[0] = False
        assert tolls.admit(ALICE, lambda: up[2])

    def test_calls_in_a_minute(self) -> None:
        """The fourth is refused, however short the others were; refusals do not count."""
        tolls, now = self.make(at_once=100)
        for _ in range(3):
            assert tolls.admit(ALICE, lambda: False)
            now[0] += 1
        for _ in range(5):
            assert not tolls.admit(ALICE, lambda: False)
        now[0] = MINUTE
        assert tolls.admit(ALICE, lambda: False)
        assert not tolls.admit(ALICE, lambda: False)

    def test_limits_may_change(self) -> None:
        """From the next call on."""
        tolls, _ = self.make(at_once=1)
        assert tolls.admit(ALICE, lambda: True)
        assert not tolls.admit(ALICE, lambda: True)
        tolls.limits = TollLimits(2, 10)
        assert tolls.admit(ALICE, lambda: True)


@pytest.fixture
def town() -> Town:
    """Where a line may have one call outside."""
    return Town(lines=(ALICE, BOB, CAROL), links=(LINK,), settings={"limits.line_calls": "1"})


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone(ALICE, "192.0.2.11", registered=True)


@pytest.fixture
def bob(town: Town) -> Phone:
    return town.phone(BOB, "192.0.2.12", registered=True)


@pytest.fixture
def pbx(town: Town) -> Phone:
    return town.phone("pbx", LINK.host)


def used_up(town: Town, number: str, host: str) -> Phone:
    """Another phone of a line that has its one call already."""
    phone = town.phone(number, host)
    phone.dial("90001", password=PASSWORD)
    assert phone.ended is None
    return phone


def to(number: str) -> Uri:
    return Uri("sip", number, None, "192.0.2.1")


def test_dialling(town: Town, alice: Phone, pbx: Phone) -> None:
    """403 while one is up; inside it may call on; over, it may again."""
    other = used_up(town, ALICE, "192.0.2.23")
    alice.dial("90002", password=PASSWORD)
    assert alice.ended is not None
    assert alice.ended.status == 403
    assert town.count("line_calls_refused") == 1
    assert len(pbx.invites) == 1
    other.call.hangup()
    town.pass_time(0.2)
    alice.dial("90002", password=PASSWORD)
    assert len(pbx.invites) == 2
    alice.call.hangup()
    town.at_rest()


def test_a_burst_before_the_first_is_placed(town: Town, alice: Phone, pbx: Phone) -> None:
    """Calls that still wait for their legs count."""
    town.media.holds = True
    other = town.phone(ALICE, "192.0.2.23")
    other.dial("90001", password=PASSWORD)
    alice.dial("90002", password=PASSWORD)
    assert alice.ended is not None
    assert alice.ended.status == 403
    town.media.release()
    town.pass_time(0.2)
    other.call.hangup()
    town.at_rest()


def test_transferring(town: Town, alice: Phone, bob: Phone, pbx: Phone) -> None:
    """As whoever transfers: Alice is used up, whomever she sends there; and what she sent counts as hers."""
    other = used_up(town, ALICE, "192.0.2.23")
    alice.dial(BOB, password=PASSWORD)
    alice.call.refer(to("90002"))
    town.pass_time(0.2)
    assert alice.reports == [403]
    other.call.hangup()
    town.pass_time(0.2)
    alice.call.refer(to("90002"))
    town.pass_time(0.2)
    assert alice.reports[-1] == 200
    other.dial("90003", password=PASSWORD)
    assert other.ended is not None
    assert other.ended.status == 403
    bob.call.hangup()
    town.pass_time(0.2)
    other.dial("90003", password=PASSWORD)
    assert len(pbx.invites) == 3
    other.call.hangup()
    town.at_rest()


def test_a_transfer_that_failed_does_not_count(town: Town, alice: Phone, bob: Phone, pbx: Phone) -> None:
    """Nobody is outside."""
    pbx.status = 486
    alice.dial(BOB, password=PASSWORD)
    alice.call.refer(to("90002"))
    town.pass_time(0.2)
    assert alice.reports[-1] == 486
    pbx.status = 200
    alice.call.refer(to("90002"))
    town.pass_time(0.2)
    assert alice.reports[-1] == 200
    bob.call.hangup()
    town.at_rest()


def test_forwarding(town: Town, alice: Phone, bob: Phone, pbx: Phone) -> None:
    """As the line whose phone forwards, whoever called it."""
    other = used_up(town, BOB, "192.0.2.24")
    bob.status, bob.headers = 302, (("Contact", "<sip:90002@192.0.2.1>"),)
    alice.dial(BOB, password=PASSWORD)
    assert alice.ended is not None
    assert alice.ended.status == 480
    assert len(pbx.invites) == 1
    other.call.hangup()
    town.pass_time(0.2)
    alice.dial(BOB, password=PASSWORD)
    assert len(pbx.invites) == 2
    other.dial("90003", password=PASSWORD)
    assert other.ended is not None
    assert other.ended.status == 403
    alice.call.hangup()
    town.at_rest()


def test_calls_from_outside_are_not_counted(town: Town, alice: Phone, pbx: Phone) -> None:
    """Who is called pays nothing."""
    used_up(town, ALICE, "192.0.2.23")
    pbx.dial(ALICE, caller="0612")
    assert pbx.ended is None
    assert town.count("line_calls_refused") == 0
