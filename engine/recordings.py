"""Recordings: their names, and what the store knows of them from the first second on.

A recording is stored when it begins, so that one cut off by a crash still has its number and caller; what
its file holds by then is found out at the next start. What begins and ends within ``GATHER_SECONDS`` is stored
in one transaction: at a hundred calls a second, one for each would be the dearest part of a call.

While it is made a recording is a WAV file (of tracks: a sidecar and a WAV file a track), whatever it shall become:
``x.flac.wav`` is to be ``x.flac``. So a crash leaves what can be heard, and its name tells what is still to be done.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from twisted.logger import Logger

from engine.domain.scope import DEFAULT_COMPANY
from engine.recording_conversion import Converter
from engine.store import Ending, Recording
from media.recording.conversion import FORMATS, PARTIAL, target_of
from media.recording.sidecar import SidecarError, load, mend_tracks, save
from media.wav import RecordingError, mend

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime

    from engine.store import Store
    from engine.store_thread import StoreThread
    from media.control import RoomRecordingClosed

    class RecordingsReactor(IReactorTime, IReactorProcess):
        """What the recordings need of a reactor."""


GATHER_SECONDS = 0.2
INTERRUPTED = "interrupted"
"""Why a recording ended that its process did not survive."""

RecordingFormat = Literal["wav", "g711", "flac", "ogg"]

log = Logger()


class Recordings:
    """The recordings folder and its journal in the store."""

    def __init__(self, folder: Path, thread: StoreThread, store: Store, reactor: RecordingsReactor) -> None:
        self.format: RecordingFormat = "wav"
        """Of recordings begun from now on, where nothing else is asked for."""
        self._folder = folder
        self._thread = thread
        self._store = store
        self._reactor = reactor
        self._converter = Converter(reactor, self._converted)
        self._begun: list[Recording] = []
        self._ended: list[Ending] = []
        self._left: list[Path] = []
        self._due: IDelayedCall | None = None

    @property
    def counters(self) -> Counter[str]:
        """What was done beside the calls, by label."""
        return self._converter.counters

    def begin(
        self,
        number: str,
        caller: str,
        form: RecordingFormat | None = None,
        *,
        tracks: bool = False,
        company: int = DEFAULT_COMPANY,
    ) -> Path:
        """Note that the automate ``number`` records ``caller`` from now on; returns the file to write.

        tracks: it has a track a talker, and the file is their sidecar.
        """
        path = self._folder / recording_name(datetime.now(UTC), form or self.format)
        if tracks:
            path = path.with_suffix(".json")
        begun = Recording(
            number=number,
            caller=caller,
            path=str(path),
            started_at=time.time(),
            seconds=0.0,
            reason="",
            company_id=company,
        )
        self._begun.append(begun)
        self._write_soon()
        return path

    def closed(self, path: Path, seconds: float, reason: str | None) -> None:
        """Note how long it became, and what ended it when nobody asked for that; convert it if it shall be."""
        self._ended.append(Ending(str(path), seconds, reason or "closed"))
        self._write_soon()
        self._convert(path)

    def room_closed(self, event: RoomRecordingClosed) -> None:
        """As ``closed``, of a room."""
        self.closed(Path(event.path), event.samples / event.rate, event.reason)

    def lost(self, path: Path) -> None:
        """Its worker died: what is in the file is all there will be."""
        self.flush()
        self._thread.call(self._mend, path).addCallbacks(
            lambda _mended: self._convert(path),
            lambda failure: log.failure("a recording was not mended", failure=failure),
        )

    def _write_soon(self) -> None:
        if self._due is None:
            self._due = self._reactor.callLater(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Store what has gathered."""
        if self._due is None:
            return
        if self._due.active():
            self._due.cancel()
        self._due = None
        begun, self._begun = self._begun, []
        ended, self._ended = self._ended, []
        self._thread.later("storing recordings", self._store.recordings.journal, begun, ended)

    def stop(self) -> None:
        """Store what has gathered before the store is closed, and leave the rest to the next start."""
        self._converter.stop()
        self.flush()

    # ---- conversion

    def _convert(self, path: Path) -> None:
        target = target_of(path)
        if target is not None:
            self._converter.add(path, target)

    def _converted(self, source: Path, target: Path) -> None:
        self.flush()
        self._thread.later(
            "storing a recording's file", self._store.recordings.moved, str(source), str(target)
        )

    # ---- after a crash

    def recover(self, going_on: Collection[str] = ()) -> int:
        """Mend what an earlier process left unfinished, and store what it had no time to store.

        Blocks, so call it in the store's thread, before the first call. Files that are no recordings of ours
        are left alone, and those ``going_on`` in a worker that outlived the engine. Returns how many were mended.
        """
        finished = self._store.recordings.finished_paths()
        paths = {str(path): path for path in sorted(self._files())}
        unfinished = {each.path: Path(each.path) for each in self._store.recordings.unfinished()}
        unfinished = {name: path for name, path in unfinished.items() if self._is_here(path)}
        left = {
            name: path for name, path in {**paths, **unfinished}.items() if name not in {*finished, *going_on}
        }
        mended = sum(self._mend(path) for path in left.values())
        self._take_up({*finished, *left})
        return mended

    def _files(self) -> Iterator[Path]:
        """What may be a recording in the folder; half conversions go."""
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.name.endswith(PARTIAL):
                with contextlib.suppress(OSError):
                    path.unlink()
            elif path.suffix == ".wav" and ".track-" not in path.name:
                yield path

    def _take_up(self, names: set[str]) -> None:
        """Find the conversions an earlier process did not come to, or had no time to store."""
        for source in sorted(Path(name) for name in names if target_of(Path(name)) is not None):
            target = target_of(source) or source
            if source.exists():
                self._left.append(source)
            elif target.exists():
                self._store.recordings.moved(str(source), str(target))

    def take_up(self) -> None:
        """Go on with the conversions that ``recover`` found."""
        left, self._left = self._left, []
        for path in left:
            self._convert(path)

    def _is_here(self, path: Path) -> bool:
        """Not what another node on the same database is recording."""
        return path.parent == self._folder or path.exists()

    def _mend(self, path: Path) -> bool:
        """Make one file whole and store its length; a file that never was is stored as empty."""
        try:
            seconds = _mended(path)
        except RecordingError as error:
            known = self._store.recordings.finish(str(path), 0.0, error.reason)
            if known:
                log.warn("the recording {path} cannot be mended: {error}", path=str(path), error=error)
            return False
        if not self._store.recordings.finish(str(path), seconds, INTERRUPTED):
            self._store.recordings.add(_found(path, seconds))
        log.info("mended the recording {path}: {seconds:.1f} s", path=str(path), seconds=seconds)
        return True


def recording_name(at: datetime, form: RecordingFormat = "wav") -> str:
    """A name made of time and chance only: nothing a caller can choose (security reference G5, G7)."""
    suffix = f".{form}.wav" if f".{form}" in FORMATS and form != "wav" else ".wav"
    return f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(8)}{suffix}"


def _mended(path: Path) -> float:
    """Make a recording whole; its seconds. Raises RecordingError."""
    if path.suffix != ".json":
        return mend(path).seconds
    try:
        notes = load(path)
        mend_tracks(notes, path.parent)
        save(notes, path)
    except (SidecarError, OSError) as error:
        raise RecordingError("unwritable", str(error)) from error
    return notes.ms / 1000


def _found(path: Path, seconds: float) -> Recording:
    """A recording nothing is known of but its file."""
    started_at = path.stat().st_mtime - seconds
    return Recording(
        number="", caller="", path=str(path), started_at=started_at, seconds=seconds, reason=INTERRUPTED
    )
