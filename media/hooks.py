"""Plug-ins that receive, and may replace, what legs say: a tick's sound as one array for all the legs they ask for.

A plug-in is an object with the two methods of ``FramePlugin``; docs/plugins.md tells how one is written and
named. It runs in the tick of a worker, so its time is limited: each tick gives it its budget, what it uses is
taken off, and while it owes time it is passed over and that is counted. One that raises is switched off.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from media.codecs.g711 import Pcm
from media.coded import CodedLegs, levels
from media.columns import Columns
from media.gaps import decoded, encoded
from media.jitter_buffer import Frames, JitterBuffer
from media.legs import NONE
from media.rtp import FRAME, Flags, Integers

BUDGET_SECONDS = 0.002
SAVED_TICKS = 5
"""A plug-in may save what it does not use, for so many ticks."""
_RATE = 8000

_log = logging.getLogger("media.hooks")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HookedLeg:
    """What a plug-in is told of a leg. ``id``: the engine's; ``codec``: PCMU, PCMA, G722, OPUS, L16 or G729."""

    id: int
    codec: str
    remote_host: str | None


class FramePlugin(Protocol):
    """What a plug-in does. Both methods are called from the tick: they must not wait for anything."""

    def wants(self, leg: HookedLeg) -> bool:
        """Whether to be given what this leg says. Asked when it is open, and again after each offer/answer."""

    def frames(self, legs: Sequence[int], pcm: Pcm, rate: int) -> Pcm | None:
        """20 ms of each leg that is there: int16 [legs, rate / 50], a row a leg, its own to change.

        Returns what is to be heard instead, of the same shape and type; None: nothing is changed. Called once a
        tick for each sample rate (8000 for G.711).
        """


@dataclass(slots=True, eq=False)
class _Running:
    """A plug-in, the legs it asked for, and where their sound is in this arrangement."""

    name: str
    plugin: FramePlugin
    credit: float
    legs: dict[int, int] = field(default_factory=dict)  # slot to id
    groups: list[tuple[int, list[int], Integers, Integers]] = field(default_factory=list)
    """Rate, leg ids, rows, slots: rows of the tick's frames at 8000 of G.711, otherwise of the coded legs."""


class Hooks(Columns):
    """The plug-ins of a worker. ``clock`` gives seconds, to measure them by."""

    def __init__(self, capacity: int, clock: Callable[[], float]) -> None:
        self.asked_for = np.zeros(capacity, np.bool_)
        """bool [slots]: some plug-in wants what the leg says."""
        self.budget = BUDGET_SECONDS
        self.counters: Counter[str] = Counter()
        self._clock = clock
        self._running: list[_Running] = []
        self.changed = False

    @property
    def active(self) -> bool:
        """There is a plug-in to run."""
        return bool(self._running)

    def add(self, name: str, plugin: FramePlugin) -> None:
        """Run a plug-in from now on; it is asked about the legs that are opened then."""
        self._running.append(_Running(name, plugin, self.budget))

    def offer(self, slot: int, leg: HookedLeg) -> None:
        """Ask every plug-in whether it wants a leg."""
        for each in self._running.copy():
            if self._call(each, lambda each=each: each.plugin.wants(leg)):  # type: ignore[misc]
                each.legs[slot] = leg.id
            else:
                each.legs.pop(slot, None)
        self._update(slot)

    def close(self, slot: int) -> None:
        """Forget a leg."""
        for each in self._running:
            each.legs.pop(slot, None)
        self._update(slot)

    def _update(self, slot: int) -> None:
        asked = any(slot in each.legs for each in self._running)
        self.changed |= asked or bool(self.asked_for[slot])
        self.asked_for[slot] = asked

    def arrange(self, is_heard: Flags, where: Integers, coded: CodedLegs) -> None:
        """After a change. is_heard: bool [slots]; where: int64 [slots], the row of a G.711 leg's frame."""
        for each in self._running:
            each.groups = []
            slots = np.array([slot for slot in each.legs if is_heard[slot]], np.int64)
            rows = coded.index[slots]
            rates = np.where(rows == NONE, 0, coded.rate[rows])
            for rate in np.unique(rates).tolist():
                of = slots[rates == rate]
                ids = [each.legs[slot] for slot in of.tolist()]
                each.groups.append((rate, ids, coded.index[of] if rate else where[of], of))

    def run(self, heard: Frames, jitter_buffer: JitterBuffer, coded: CodedLegs) -> None:
        """Give each plug-in its legs, and put what it returns in place: in ``heard`` and in ``coded.pcm``."""
        for each in self._running.copy():
            each.credit = min(each.credit + self.budget, SAVED_TICKS * self.budget)
            if not each.groups:
                continue
            if each.credit <= 0:
                self.counters["plugin_ticks_skipped"] += 1
                continue
            for group in each.groups:
                self._run_group(each, group, heard, jitter_buffer, coded)

    def _run_group(
        self,
        each: _Running,
        group: tuple[int, list[int], Integers, Integers],
        heard: Frames,
        jitter_buffer: JitterBuffer,
        coded: CodedLegs,
    ) -> None:
        rate, ids, rows, slots = group
        if rate:
            pcm = coded.pcm[rows, : rate // 50]
        else:
            law = jitter_buffer.law[slots]
            pcm = decoded(heard[rows].view(np.uint8).reshape(-1, FRAME), law).astype(np.int16)
        shape = pcm.shape
        made = self._call(each, lambda: _checked(each.plugin.frames(ids, pcm, rate or _RATE), shape))
        if made is None:
            return
        if rate:
            coded.pcm[rows, : rate // 50] = made
            coded.level[rows] = levels(coded.pcm, rows, coded.rate[rows])
        else:
            heard[rows] = encoded(made.astype(np.float32), law).view("V160")[:, 0]

    def _call(self, each: _Running, call: Callable[[], T]) -> T | None:
        """Call a plug-in, take its time off its credit, and switch it off when it fails."""
        begun = self._clock()
        try:
            return call()
        except Exception:  # whatever somebody else's code raises: it must not cost the legs their tick
            _log.exception("the plug-in %s failed and is switched off", each.name)
            self.counters["plugins_failed"] += 1
            self._running.remove(each)
            for slot in list(each.legs):
                self._update(slot)
            return None
        finally:
            each.credit -= self._clock() - begun


def _checked(made: Pcm | None, shape: tuple[int, ...]) -> Pcm | None:
    if made is not None and (made.shape != shape or made.dtype != np.int16):
        raise ValueError(f"it returned {made.dtype} {made.shape} for int16 {shape}")
    return made
