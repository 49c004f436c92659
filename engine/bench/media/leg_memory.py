"""Memory a leg: how much an engine grows from some calls of one kind to many.

What the engine holds without calls, its code and its codecs' libraries, is not a leg's; so two numbers of calls are
compared, not one with none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.bench.engine_under_test import BenchError, EngineUnderTest
from engine.bench.media.measure import Run, Server
from engine.bench.media.processes import family, resident_mb
from engine.bench.media.scenarios import Scenario

MOST_KB = 60.0
"""A leg, whatever its codec."""


@dataclass(frozen=True, slots=True)
class LegMemoryResult:
    """``kb_a_leg``: of all processes of the engine together; ``kb_by_process``: of each."""

    kind: str
    few: int
    many: int
    mb_few: float
    mb_many: float
    kb_by_process: dict[str, float]
    kb_a_leg: float
    most_kb: float
    kept: bool


def leg_memory(
    kind: Scenario, engine: EngineUnderTest, few: int, many: int, settle: float
) -> LegMemoryResult:
    """Place ``few`` calls, then ``many`` in all, and compare. Raises BenchError: some were not answered."""
    run = Run(replace(kind, calls=many), Server(("127.0.0.1", engine.sip_port), (engine.pid,)))
    memory: list[Mapping[str, float]] = []
    try:
        for count in (few, many):
            run.place(count)
            run.exchange(settle)
            memory.append(_memory(engine))
        up = sum(call.up for call in run.calls)
        if up < many:
            raise BenchError(f"{many - up} of {many} calls are not up: {dict(run.caller.answers)}")
    finally:
        run.leave()
    before, after = memory
    grown = {name: 1024 * (after[name] - before[name]) / (many - few) for name in after}
    in_all = sum(grown.values())
    return LegMemoryResult(
        kind=kind.name,
        few=few,
        many=many,
        mb_few=round(sum(before.values()), 1),
        mb_many=round(sum(after.values()), 1),
        kb_by_process={name: round(each, 1) for name, each in grown.items()},
        kb_a_leg=round(in_all, 1),
        most_kb=MOST_KB,
        kept=in_all <= MOST_KB,
    )


def _memory(engine: EngineUnderTest) -> dict[str, float]:
    names = {engine.pid: "control"} | {pid: f"worker-{at}" for at, pid in enumerate(engine.worker_pids)}
    found = dict.fromkeys(names.values(), 0.0)
    for pid in family(engine.pid):
        name = names.get(pid)
        if name is not None:
            found[name] += resident_mb(pid)
    return found
