"""The grid on which lingering transactions end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sip.transaction.timers import GRID, TIMEOUT, linger_until


@given(st.floats(0, 1e7))
def test_lingering_is_long_enough_and_ends_together(now: float) -> None:
    """Never shorter than the RFC says, at most half a second longer, on whole steps."""
    until = linger_until(now, TIMEOUT)
    assert now + TIMEOUT <= until <= now + TIMEOUT + GRID
    assert until % GRID == 0
