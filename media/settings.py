"""How the media plane is set up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """What the engine's configuration says of media."""

    workers: int = 0
    """Worker processes; 0: one per core."""
    port_first: int = 40000
    port_last: int = 59999
    """The UDP ports of RTP and RTCP, the last one included; divided among the workers."""
    run_folder: Path | None = None
    """Where workers wait for the next engine when theirs dies; None: they end with it."""
    orphan_seconds: float = 0.0
    """How long they wait."""
    hang_seconds: float = 0.0
    """A worker that has said nothing for so long is killed; 0: never."""

    plugins: tuple[str, ...] = ()
    """Plug-ins that are given what legs say (``media.hook_loading``)."""
    plugin_budget_ms: int = 2
    """What each of them may use of a tick of 20 ms."""

    @property
    def worker_count(self) -> int:
        """How many workers to start."""
        return self.workers or len(os.sched_getaffinity(0))

    def ports_of(self, worker: int) -> tuple[int, int]:
        """First and last port of one worker's share. A share of its own, so that freed ports rest (F7)."""
        pairs = (self.port_last - self.port_first + 1) // 2
        begin = self.port_first + self.port_first % 2
        share = pairs // self.worker_count
        first = begin + 2 * share * worker
        return first, min(first + 2 * share - 1, self.port_last)
