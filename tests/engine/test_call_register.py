"""The register of conversations."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from engine.call.register import CallRegister
from engine.domain.quotas import Share
from engine.domain.scope import DEFAULT_COMPANY

if TYPE_CHECKING:
    from engine.call.party import Party
    from sip.call import Call


class Talk:
    """A conversation that remembers being stopped."""

    def __init__(self, number: str, company: int = DEFAULT_COMPANY) -> None:
        self.number = number
        self.company = company
        self.application = "echo"
        self.stopped = 0
        self.parties: tuple[Party, ...] = ()

    def other(self, party: Party) -> Party | None:
        return None

    def stop(self) -> None:
        self.stopped += 1


def test_it_counts_by_number_and_forgets() -> None:
    """Added once, removed once; removing again changes nothing."""
    register = CallRegister()
    first, second = Talk("5000"), Talk("5000")
    register.add(first)
    register.add(second)
    assert (len(register), register.by_number["5000"], register.total) == (2, 2, 2)
    register.remove(first)
    register.remove(first)
    register.remove(second)
    assert (len(register), dict(register.by_number), register.total) == (0, {}, 2)
    assert register.channels.used(Share(DEFAULT_COMPANY, "echo")) == 0


def test_a_number_of_two_companies_is_two() -> None:
    """Each company's calls are counted apart."""
    register = CallRegister()
    for company in (DEFAULT_COMPANY, 2, 2):
        register.add(Talk("5000", company))
    assert dict(register.by_number) == {"5000": 1, "5000@2": 2}
    assert [register.channels.used(Share(company, "echo")) for company in (DEFAULT_COMPANY, 2)] == [1, 2]


def test_stopping_waits_for_the_last() -> None:
    """Every conversation is asked to end; the answer comes when the last is gone."""
    register = CallRegister()
    talks = [Talk("1"), Talk("2")]
    for talk in talks:
        register.add(talk)
    done = register.stop_all()
    assert [talk.stopped for talk in talks] == [1, 1]
    register.remove(talks[0])
    assert not done.called
    register.remove(talks[1])
    assert done.called


def test_stopping_nothing_is_done_at_once() -> None:
    """No call, no wait."""
    assert CallRegister().stop_all().called


def test_whoever_gave_up_waiting_is_not_told() -> None:
    """A stop that took too long is over; the last call's end must not fail on it."""
    register = CallRegister()
    talk = Talk("1")
    register.add(talk)
    done = register.stop_all()
    done.addErrback(lambda failure: None)
    done.cancel()
    register.remove(talk)
    assert len(register) == 0


def test_a_party_is_found_by_its_call() -> None:
    """With its conversation; a call of nobody's is not found."""
    register = CallRegister()
    talk, call = Talk("1"), cast("Call", object())
    party = cast("Party", SimpleNamespace(call=call))
    talk.parties = (party,)
    register.add(talk)
    assert register.find(call) == (talk, party)
    assert register.find(cast("Call", object())) is None
