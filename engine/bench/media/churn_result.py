"""What calls that came and went have left, and whether that is as it should be."""

from __future__ import annotations

from dataclasses import dataclass

from engine.bench.media.memory_watch import MemoryGrowth
from engine.language import Language, say

MOST_GROWTH_PERCENT = 5.0
MOST_LATE_PERCENT = 0.1


@dataclass(frozen=True, slots=True)
class ChurnResult:
    """What happened, and what was left.

    memory: by process, ``control``, ``worker-0`` ..., ``others`` (their children) and ``all``, as ``MemoryWatch`` has
    it; calls_up_warm and calls_up_end: on average in its two windows. descriptors: of all these processes, before the
    first call and after the last one. late_percent: of the workers' ticks; workers_waited_percent: of the time, a
    worker was ready to run and had no core, machine_stalled_percent: somebody on this machine did.
    """

    minutes: float
    warm_up_minutes: float
    calls: int
    answers: dict[str, int]
    by_codec: dict[str, int]
    dropped: int
    most_at_once: int
    packets_lost: int
    memory: dict[str, MemoryGrowth]
    window_seconds: float
    calls_up_warm: float
    calls_up_end: float
    sockets_before: int
    sockets_after: int
    descriptors_before: int
    descriptors_after: int
    legs_after: int
    ports_after: int
    ticks_late: int
    ticks_skipped: int
    late_percent: float
    workers_waited_percent: float
    machine_stalled_percent: float
    generator_late_ticks: int
    counters: dict[str, int]
    failures: list[str]
    kept: bool


def failures_of(result: ChurnResult) -> list[str]:
    """What is not as it should be after a churn, a label each; nothing: all is well."""
    grown = [
        f"memory_{name}"
        for name, each in result.memory.items()
        if name != "others" and each.percent > MOST_GROWTH_PERCENT
    ]
    judged = {
        "legs": result.legs_after > 0,
        "ports": result.ports_after > 0,
        "sockets": result.sockets_after > result.sockets_before,
        "ticks_late": result.late_percent > MOST_LATE_PERCENT,
        "dropped": result.dropped > 0,
        "refused": any(answer != "200" for answer in result.answers),
        "workers_lost": result.counters.get("workers_lost", 0) > 0,
    }
    return grown + [label for label, failed in judged.items() if failed]


def verdict(result: ChurnResult, language: Language) -> str:
    """The result in one line."""
    memory = ", ".join(
        f"{name} {each.percent:+} %" for name, each in result.memory.items() if name != "others"
    )
    left = say(
        "bench.churn_left",
        language,
        legs=result.legs_after,
        ports=result.ports_after,
        sockets=result.sockets_after - result.sockets_before,
    )
    return say(
        "bench.churn_kept" if result.kept else "bench.churn_failed",
        language,
        failures=", ".join(result.failures),
        calls=result.calls,
        memory=memory,
        left=left,
        late=result.late_percent,
    )
