"""The verdict on calls that came and went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bench.media.churn_result import ChurnResult, failures_of, verdict
from engine.bench.media.memory_watch import MemoryGrowth

FLAT = MemoryGrowth(mb_warm=100.0, mb_end=101.0, mb_most=102.0, percent=1.0, mb_an_hour=2.0)
GROWN = replace(FLAT, mb_end=106.0, percent=6.0)
WELL = ChurnResult(
    minutes=30.0,
    warm_up_minutes=5.0,
    calls=36000,
    answers={"200": 36000},
    by_codec={"PCMU": 36000},
    dropped=0,
    most_at_once=250,
    packets_lost=0,
    memory={"control": FLAT, "worker-0": FLAT, "others": GROWN, "all": FLAT},
    window_seconds=60.0,
    calls_up_warm=210.0,
    calls_up_end=211.0,
    sockets_before=10,
    sockets_after=10,
    descriptors_before=30,
    descriptors_after=30,
    legs_after=0,
    ports_after=0,
    ticks_late=3,
    ticks_skipped=0,
    late_percent=0.003,
    workers_waited_percent=0.1,
    machine_stalled_percent=5.0,
    generator_late_ticks=0,
    counters={},
    failures=[],
    kept=True,
)


def test_all_is_well() -> None:
    """What the engine's children hold for a while is judged with the whole only."""
    assert failures_of(WELL) == []
    told = verdict(WELL, "en")
    assert told.startswith("met: 36000 calls, memory control +1.0 %")
    assert "\n" not in told
    assert verdict(WELL, "fr").startswith("tenu")


@pytest.mark.parametrize(
    ("result", "label"),
    [
        (replace(WELL, memory={"control": GROWN, "all": FLAT}), "memory_control"),
        (replace(WELL, memory={"control": FLAT, "all": GROWN}), "memory_all"),
        (replace(WELL, legs_after=1), "legs"),
        (replace(WELL, ports_after=1), "ports"),
        (replace(WELL, sockets_after=11), "sockets"),
        (replace(WELL, late_percent=0.101), "ticks_late"),
        (replace(WELL, dropped=1), "dropped"),
        (replace(WELL, answers={"200": 35999, "503": 1}), "refused"),
        (replace(WELL, counters={"workers_lost": 1}), "workers_lost"),
    ],
)
def test_each_thing_that_is_left_or_late_is_named(result: ChurnResult, label: str) -> None:
    """One is enough."""
    assert failures_of(result) == [label]
    told = verdict(replace(result, kept=False, failures=[label]), "en")
    assert told.startswith(f"NOT met ({label})")
