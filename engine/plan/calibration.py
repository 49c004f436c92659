"""Trying each kind of leg for a second or two, and reckoning from that what a core and the machine carry."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.bench.media.sounds import SoundSet, sound_set
from engine.bench.media.streams import Pace, Streams
from engine.plan.kinds import KINDS, PROMPT, Kind
from engine.plan.scratch_worker import CalibrationError, ScratchWorker, scratch_worker
from media import control
from media.wav import WavRecorder

TICK = 0.02
SETTLE_SECONDS = 0.5
MEASURE_SECONDS = 1.4
IDLE_SECONDS = 1.0
LEAST_HEARD = 0.2
"""Share of the packets that must come back; below it the legs did not do what was measured."""
MOST_LATE = 0.05
"""Share of late ticks from which on the machine was busy with something else."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One kind. ``share``: of a core, a leg; None: it is not to be had on this machine."""

    kind: str
    share: float | None

    @property
    def microseconds(self) -> float | None:
        """Processor time of a leg and tick of 20 ms."""
        return None if self.share is None else round(self.share * TICK * 1e6, 1)

    def legs(self, share: float) -> int | None:
        """How many legs use that share of a core."""
        return None if self.share is None else int(share / self.share + 1e-6)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found. ``idle``: the share of a core a worker uses without any leg; ``busy``: others were at work."""

    carried: tuple[Carried, ...]
    idle: float
    busy: bool

    def table(self, max_load: int, workers: int) -> list[dict[str, object]]:
        """A row a kind: its legs on a core used to ``max_load`` percent, and on all workers."""
        room = max(max_load / 100 - self.idle, 0.0)
        rows: list[dict[str, object]] = []
        for each in self.carried:
            per_core = each.legs(room)
            rows.append(
                {
                    "kind": each.kind,
                    "microseconds_per_tick": each.microseconds,
                    "legs_per_core": per_core,
                    "legs_in_all": None if per_core is None else per_core * workers,
                }
            )
        return rows


def calibrate(began: Callable[[str], None], kinds: tuple[Kind, ...] = KINDS) -> Plan:
    """Try every kind, one after the other; ``began`` is told which. Raises CalibrationError."""
    sounds: dict[str, SoundSet | None] = {codec: _sounds(codec) for codec in {kind.codec for kind in kinds}}
    with tempfile.TemporaryDirectory(prefix="polyphony-plan-") as folder, scratch_worker() as worker:
        _load_prompt(worker, Path(folder))
        idle = _used(worker, None, IDLE_SECONDS)
        carried = []
        for kind in kinds:
            began(kind.name)
            spoken = sounds[kind.codec]
            share = None if spoken is None else _share(worker, kind, spoken, idle, Path(folder))
            carried.append(Carried(kind.name, share))
        late = worker.late_ticks / max(worker.ticks, 1)
    return Plan(tuple(carried), idle, busy=late > MOST_LATE)


def _sounds(codec: str) -> SoundSet | None:
    """None: the codec's library is not installed."""
    try:
        return sound_set(codec)
    except (ImportError, OSError):
        return None


def _share(worker: ScratchWorker, kind: Kind, sounds: SoundSet, idle: float, folder: Path) -> float | None:
    """The share of a core one leg of a kind takes."""
    streams = Streams(sounds, kind.legs, "127.0.0.1", srtp=kind.srtp)
    try:
        if not worker.open(kind, streams):
            return None
        worker.send(*kind.commands(folder))
        used = _used(worker, streams, MEASURE_SECONDS)
        heard = float(streams.heard.packets.sum()) / (kind.legs * MEASURE_SECONDS / TICK)
        if kind.silent:
            heard = 1.0
        elif heard < LEAST_HEARD:
            raise CalibrationError(f"{kind.name}: {heard:.0%} of the sound came")
        # on a busy machine the worker skipped ticks: what was made is what was paid for
        return max(used - idle, 1e-6) / kind.legs / min(heard, 1.0)
    finally:
        worker.close_legs(kind)
        streams.close_socket()


def _used(worker: ScratchWorker, streams: Streams | None, seconds: float) -> float:
    """The share of a core the worker uses while the streams go on."""
    pace, start = Pace(TICK), time.monotonic()
    spent = since = 0.0
    while not since or time.monotonic() - since < seconds:
        if not since and time.monotonic() - start >= SETTLE_SECONDS:
            spent, since = worker.seconds(), time.monotonic()
            if streams is not None:
                streams.heard.reset()
        if pace.due():
            worker.events(0.0)
            if streams is not None:
                streams.send()
        if streams is not None:
            streams.receive()
    return (worker.seconds() - spent) / (time.monotonic() - since)


def _load_prompt(worker: ScratchWorker, folder: Path) -> None:
    """Something to announce: three seconds of a tone."""
    path = folder / "prompt.wav"
    wave = WavRecorder(path, 8000, 1)
    wave.append((8000 * np.sin(np.arange(24000) * 0.3)).astype(np.int16))
    wave.close()
    worker.send(control.LoadPrompt(PROMPT, str(path)))
    worker.wait_for(control.PromptLoaded)
