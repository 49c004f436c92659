"""Whether memory grows: two windows of samples against each other, process by process."""

from __future__ import annotations

import pytest

from engine.bench.media.memory_watch import LONGEST_WINDOW, MemoryWatch


def watch(seconds: int, warm_up: float, slope: float) -> MemoryWatch:
    """A sample a second: the control process grows by ``slope`` MiB a second, the worker not at all."""
    watched = MemoryWatch(warm_up)
    for passed in range(seconds):
        watched.add(float(passed), 200 + passed % 2, {"control": 100 + slope * passed, "worker-0": 300.0})
    return watched


def test_growth_is_told_of_each_process_and_of_all() -> None:
    """From the middle of the first window to that of the last one, and as a slope."""
    grown = watch(361, 60.0, 0.1).growth()
    control, everything = grown["control"], grown["all"]
    assert grown["worker-0"].percent == grown["worker-0"].mb_an_hour == 0
    assert control.mb_an_hour == pytest.approx(360)
    assert (control.mb_warm, control.mb_end, control.mb_most) == (109.0, 133.0, 136.0)
    assert control.percent == pytest.approx(22.02)
    assert everything.percent == pytest.approx(100 * 24 / 409, abs=0.01)


def test_what_comes_before_the_warm_up_is_over_does_not_count() -> None:
    """A table that grows at first is no leak."""
    watched = MemoryWatch(60.0)
    for passed in range(200):
        watched.add(float(passed), 200, {"control": min(passed, 60) + 100.0})
    assert watched.growth()["control"].percent == 0


def test_a_process_that_comes_later_counts_as_nothing_before() -> None:
    """Its memory is that of all from then on."""
    watched = MemoryWatch(0.0)
    for passed in range(90):
        late = {"others": 50.0} if passed >= 60 else {}
        watched.add(float(passed), 1, {"control": 100.0, **late})
    grown = watched.growth()
    assert (grown["all"].mb_warm, grown["all"].mb_end, grown["others"].percent) == (100.0, 150.0, 0.0)


def test_the_windows_are_a_minute_or_a_third() -> None:
    """They never overlap; in each is told how many calls were up."""
    assert watch(1000, 60.0, 0.0).window == LONGEST_WINDOW
    short = watch(91, 0.0, 0.0)
    assert short.window == pytest.approx(30)
    assert short.calls_up() == pytest.approx((200.5, 200.5), abs=0.1)


def test_without_a_sample_there_is_nothing_to_say() -> None:
    """The warm-up was as long as the calls came."""
    with pytest.raises(ValueError, match="never looked at"):
        watch(60, 60.0, 1.0).growth()
