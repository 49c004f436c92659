"""The pace of a worker's ticks, in virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.tick_clock import CATCH_UP_SECONDS, MOST_CATCH_UP, TICK_SECONDS, TickClock


def run(clock: TickClock, ticks: int, delay: Callable[[int], float]) -> tuple[list[float], list[int]]:
    """Make ticks, each begun ``delay`` after it could be; when they began, and what was left out before."""
    begun, left_out, now = [], [], 0.0
    for number in range(ticks):
        now = max(now, clock.wake) + delay(number)
        begun.append(now)
        left_out.append(clock.start(now))
    return begun, left_out


def test_on_time() -> None:
    """Every 20 ms, and nothing is counted."""
    clock = TickClock(0.0)
    begun, left_out = run(clock, 50, lambda _: 0.001)
    assert begun == pytest.approx([TICK_SECONDS * (i + 1) + 0.001 for i in range(50)])
    assert (clock.ticks, clock.late, clock.skipped, sum(left_out)) == (50, 0, 0, 0)
    assert clock.punctual


def test_a_short_delay_is_made_up_for_without_a_burst() -> None:
    """75 ms late: every tick is made, no two within 10 ms, and soon they are on time again."""
    clock = TickClock(0.0)
    begun, left_out = run(clock, 30, lambda number: 0.075 if number == 10 else 0.0)
    assert sum(left_out) == 0
    assert min(b - a for a, b in itertools.pairwise(begun)) >= CATCH_UP_SECONDS - 1e-9
    assert begun[-1] == pytest.approx(30 * TICK_SECONDS)
    assert clock.late == 7  # by 75, 65, ... 15 ms; the one of 5 ms is not counted


def test_a_long_delay_is_not_made_up_for() -> None:
    """Half a second: 25 ticks are left out, counted, and the next is on time."""
    clock = TickClock(0.0)
    begun, left_out = run(clock, 20, lambda number: 0.505 if number == 10 else 0.0)
    assert left_out[10] == 25
    assert (clock.late, clock.skipped) == (1, 25)
    assert begun[11] == pytest.approx((12 + 25) * TICK_SECONDS)
    assert clock.punctual


def test_who_is_late_is_not_punctual() -> None:
    """Until it has caught up."""
    clock = TickClock(0.0)
    clock.start(0.02)
    assert clock.punctual
    clock.start(0.07)
    assert not clock.punctual


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_time_is_never_lost(delays: list[float]) -> None:
    """After any delays the ticks made and left out are as many as the time that went by."""
    clock = TickClock(0.0)
    begun, _ = run(clock, len(delays), lambda number: delays[number])
    behind = begun[-1] - (clock.ticks + clock.skipped) * TICK_SECONDS
    assert -1e-6 <= behind <= (MOST_CATCH_UP + 1) * TICK_SECONDS + 1e-6
