"""The measured load of a worker, and who is let in by it, on virtual load."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.control import WorkerLoad
from media.headroom import DEFAULT_LINE, ENOUGH_LEGS, FIRST_GUESS, HARMLESS, LEAST_GUESS, MOST_LATE, Headroom
from media.load_meter import WINDOW_TICKS, LoadMeter


def looks(meter: LoadMeter, shares: list[float], late: int = 0) -> list[WorkerLoad]:
    """What the meter tells while a worker uses these shares, half a second each."""
    now, cpu, late_ticks, told = 0.0, 0.0, 0, []
    for share in shares:
        now, cpu, late_ticks = now + 0.5, cpu + 0.5 * share, late_ticks + late
        load = meter.look(now, cpu, late_ticks)
        told += [load] if load is not None else []
    return told


def test_an_idle_worker_says_nothing() -> None:
    """What has not changed by two percent is not told."""
    assert looks(LoadMeter(0.0, 0.0), [0.01] * 20) == []


def test_a_load_is_told_as_it_settles() -> None:
    """Within some seconds the figure told is the load, and then there is silence again."""
    told = looks(LoadMeter(0.0, 0.0), [0.5] * 20)
    assert abs(told[-1].share - 0.5) < 0.02
    assert len(told) < 8
    assert all(earlier.share < later.share for earlier, later in pairwise(told))


def test_late_ticks_are_told() -> None:
    """A machine without room shows by them, however little the worker itself uses."""
    told = looks(LoadMeter(0.0, 0.0), [0.01] * 20, late=WINDOW_TICKS)
    assert told[-1].late > 0.95
    assert told[1].late < MOST_LATE, "but not by those of a second"


def test_a_look_is_due_every_half_second() -> None:
    """Of the ticks, so that a stall does not make looks too short to mean anything."""
    meter = LoadMeter(0.0, 0.0)
    assert [meter.due for _ in range(2 * WINDOW_TICKS)].count(True) == 2


def test_below_the_line_everybody_is_let_in() -> None:
    """A worker that has said nothing yet has room; each leg is guessed at until the first are measured."""
    headroom = Headroom()
    assert headroom.admits(0, 0)
    assert not headroom.admits(0, int(DEFAULT_LINE / FIRST_GUESS))
    assert headroom.share(0) == 0.0


def test_legs_since_the_last_word_count_at_what_the_others_cost() -> None:
    """A burst between two reports does not slip over the line."""
    headroom = Headroom(0.8)
    headroom.told(1, WorkerLoad(0.5, 0.0), 500)
    assert headroom.expected(1, 600) == 0.6
    assert headroom.admits(1, 799)
    assert not headroom.admits(1, 800)
    assert headroom.admits(0, 10), "another worker has its own"


def test_cheap_legs_still_count() -> None:
    """Held calls cost nothing to carry; the next ones may."""
    headroom = Headroom(0.8)
    headroom.told(0, WorkerLoad(0.0, 0.0), ENOUGH_LEGS)
    assert headroom.expected(0, ENOUGH_LEGS + 100) == 100 * LEAST_GUESS


def test_a_late_worker_has_no_room() -> None:
    """And has again when its ticks come in time; a new process begins at nothing."""
    headroom = Headroom()
    headroom.told(0, WorkerLoad(0.3, 0.9), 10)
    assert not headroom.admits(0, 10)
    headroom.told(0, WorkerLoad(0.3, 0.1), 10)
    assert headroom.admits(0, 10)
    headroom.told(0, WorkerLoad(0.99, 0.0), 10)
    headroom.forget(0)
    assert headroom.admits(0, 0)


def test_what_others_do_to_a_machine_keeps_no_call_out() -> None:
    """A worker that does next to nothing is late because of something else, an attack for instance."""
    headroom = Headroom()
    headroom.told(0, WorkerLoad(HARMLESS, 1.0), 10)
    assert headroom.admits(0, 10)


@given(st.floats(0, 1), st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 50))
def test_more_legs_are_never_easier_to_take(share: float, told: int, legs: int, more: int) -> None:
    """If one more leg is too many, it is so with still more legs, too."""
    headroom = Headroom()
    headroom.told(0, WorkerLoad(share, 0.0), told)
    assert headroom.admits(0, legs) or not headroom.admits(0, legs + more)
