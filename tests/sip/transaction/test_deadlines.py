"""One heap for many deadlines."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from sip.transaction.deadlines import Deadlines


@dataclass(eq=False)
class Owner:
    deadline: float | None = None
    armed_at: float | None = None


def test_due_gives_those_whose_time_has_come_in_order() -> None:
    """And nobody twice."""
    heap: Deadlines[Owner] = Deadlines()
    late, early = Owner(2.0), Owner(1.0)
    for owner in (late, early):
        heap.update(owner)
    assert (heap.next, heap.due(0.9)) == (1.0, [])
    assert heap.due(2.0) == [early, late]
    assert (heap.due(9.0), heap.next, len(heap)) == ([], None, 0)


def test_a_deadline_that_moved_later_costs_no_entry() -> None:
    """It is put back when its old time comes."""
    heap: Deadlines[Owner] = Deadlines()
    owner = Owner(1.0)
    heap.update(owner)
    owner.deadline = 5.0
    heap.update(owner)
    assert len(heap) == 1
    assert (heap.due(1.0), heap.next) == ([], 5.0)
    assert heap.due(5.0) == [owner]


def test_a_deadline_that_moved_earlier_is_kept_in_time() -> None:
    """The later entry is dead."""
    heap: Deadlines[Owner] = Deadlines()
    owner = Owner(5.0)
    heap.update(owner)
    owner.deadline = 1.0
    heap.update(owner)
    assert heap.due(1.0) == [owner]
    owner.deadline = None
    heap.update(owner)
    assert (heap.due(9.0), len(heap)) == ([], 0)


def test_a_deadline_that_went_away_is_not_served() -> None:
    """Lazy deletion."""
    heap: Deadlines[Owner] = Deadlines()
    owner = Owner(1.0)
    heap.update(owner)
    owner.deadline = None
    assert (heap.due(2.0), len(heap)) == ([], 0)


def test_dead_entries_wake_nobody() -> None:
    """What everybody has stopped waiting for is not the next deadline."""
    heap: Deadlines[Owner] = Deadlines()
    answered, waiting, moved = Owner(1.0), Owner(9.0), Owner(3.0)
    for owner in (answered, waiting, moved):
        heap.update(owner)
    answered.deadline = None
    moved.deadline = 2.0
    heap.update(moved)
    moved.deadline = None
    assert (heap.next, len(heap)) == (9.0, 1)
    answered.deadline = 4.0
    heap.update(answered)
    assert heap.next == 4.0


@given(
    st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 20)), max_size=60), st.integers(0, 25)
)
def test_it_agrees_with_looking_at_everybody(moves: list[tuple[int, int | None]], now: int) -> None:
    """Whatever was moved, at any time exactly those are due whose deadline has come."""
    heap: Deadlines[Owner] = Deadlines()
    owners = [Owner() for _ in range(5)]
    for index, at in moves:
        owners[index].deadline = at
        heap.update(owners[index])
    expected = {id(owner) for owner in owners if owner.deadline is not None and owner.deadline <= now}
    assert {id(owner) for owner in heap.due(now)} == expected
