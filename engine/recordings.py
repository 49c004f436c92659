"""Recordings: their names, and what the store knows of them from the first second on.

A recording is stored when it begins, so that one cut off by a crash still has its number and caller; what
its file holds by then is found out at the next start. What begins and ends within ``GATHER_SECONDS`` is stored
in one transaction: at a hundred calls a second, one for each would be the dearest part of a call.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.store import Ending, Recording
from media.wav import RecordingError, mend

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from engine.store import Store
    from engine.store_thread import StoreThread

GATHER_SECONDS = 0.2
INTERRUPTED = "interrupted"
"""Why a recording ended that its process did not survive."""

log = Logger()


class Recordings:
    """The recordings folder and its journal in the store."""

    def __init__(self, folder: Path, thread: StoreThread, store: Store, clock: IReactorTime) -> None:
        self._folder = folder
        self._thread = thread
        self._store = store
        self._clock = clock
        self._begun: list[Recording] = []
        self._ended: list[Ending] = []
        self._due: IDelayedCall | None = None

    def begin(self, number: str, caller: str) -> Path:
        """Note that the automate ``number`` records ``caller`` from now on; returns the file to write."""
        path = self._folder / recording_name(datetime.now(UTC))
        begun = Recording(
            number=number, caller=caller, path=str(path), started_at=time.time(), seconds=0.0, reason=""
        )
        self._begun.append(begun)
        self._write_soon()
        return path

    def closed(self, path: Path, seconds: float, reason: str | None) -> None:
        """Note how long it became, and what ended it when nobody asked for that."""
        self._ended.append(Ending(str(path), seconds, reason or "closed"))
        self._write_soon()

    def lost(self, path: Path) -> None:
        """Its worker died: what is in the file is all there will be."""
        self.flush()
        self._thread.later("mending a recording", self._mend, path)

    def _write_soon(self) -> None:
        if self._due is None:
            self._due = self._clock.callLater(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Store what has gathered; at the latest before the store is closed."""
        if self._due is None:
            return
        if self._due.active():
            self._due.cancel()
        self._due = None
        begun, self._begun = self._begun, []
        ended, self._ended = self._ended, []
        self._thread.later("storing recordings", self._store.recordings.journal, begun, ended)

    def recover(self) -> int:
        """Mend what an earlier process left unfinished, and store what it had no time to store.

        Blocks, so call it in the store's thread, before the first call. Files that are no recordings of ours
        are left alone. Returns how many were mended.
        """
        finished = self._store.recordings.finished_paths()
        paths = {str(path): path for path in sorted(self._folder.glob("*.wav"))}
        unfinished = {each.path: Path(each.path) for each in self._store.recordings.unfinished()}
        unfinished = {name: path for name, path in unfinished.items() if self._is_here(path)}
        left = {name: path for name, path in {**paths, **unfinished}.items() if name not in finished}
        return sum(self._mend(path) for path in left.values())

    def _is_here(self, path: Path) -> bool:
        """Not what another node on the same database is recording."""
        return path.parent == self._folder or path.exists()

    def _mend(self, path: Path) -> bool:
        """Make one file whole and store its length; a file that never was is stored as empty."""
        try:
            seconds = mend(path).seconds
        except RecordingError as error:
            known = self._store.recordings.finish(str(path), 0.0, error.reason)
            if known:
                log.warn("the recording {path} cannot be mended: {error}", path=str(path), error=error)
            return False
        if not self._store.recordings.finish(str(path), seconds, INTERRUPTED):
            self._store.recordings.add(_found(path, seconds))
        log.info("mended the recording {path}: {seconds:.1f} s", path=str(path), seconds=seconds)
        return True


def recording_name(at: datetime) -> str:
    """A name made of time and chance only: nothing a caller can choose (security reference G5, G7)."""
    return f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(8)}.wav"


def _found(path: Path, seconds: float) -> Recording:
    """A recording nothing is known of but its file."""
    started_at = path.stat().st_mtime - seconds
    return Recording(
        number="", caller="", path=str(path), started_at=started_at, seconds=seconds, reason=INTERRUPTED
    )
