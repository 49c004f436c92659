"""How often somebody may ask, on a clock of the test's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from admin_api.rate_limit import BURST_SECONDS, RateLimit


def test_a_burst_and_then_its_rate() -> None:
    """Two seconds' worth at once, then one each tenth of a second; others are not concerned."""
    limit = RateLimit(10.0)
    assert [limit.wait("a", 0.0) for _ in range(20)] == [0.0] * 20
    assert limit.wait("a", 0.0) == 0.1
    assert limit.wait("b", 0.0) == 0.0
    assert limit.wait("a", 0.1) == 0.0
    assert limit.wait("a", 0.1) > 0.0
    assert [limit.wait("a", 100.0) for _ in range(20)] == [0.0] * 20
    assert limit.wait("a", 100.0) > 0.0


def test_none() -> None:
    """A rate of 0 limits nothing and remembers nobody."""
    limit = RateLimit(0.0)
    assert [limit.wait("a", 0.0) for _ in range(1000)] == [0.0] * 1000
    assert len(limit) == 0


def test_memory_is_bounded() -> None:
    """Whoever comes under ever new names makes it forget those heard of longest ago."""
    limit = RateLimit(1.0, most_keys=3)
    for name in "abcdabcd":
        limit.wait(name, 0.0)
    assert len(limit) == 3


@given(st.floats(0.1, 1000.0), st.lists(st.floats(0.0, 5.0), max_size=60))
def test_never_more_than_its_rate(rate: float, pauses: list[float]) -> None:
    """Whatever the pauses: no more than the burst and the rate times the time; and who waits as told is served."""
    limit = RateLimit(rate)
    now, served = 0.0, 0
    for pause in pauses:
        now += pause
        waits = limit.wait("a", now)
        if waits:
            now += waits * 1.000001
            assert limit.wait("a", now) == 0.0
        served += 1
    assert served <= max(1.0, rate * BURST_SECONDS) + rate * now + 1
