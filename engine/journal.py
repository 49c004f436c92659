"""The journal of the calls that are up, for the process that comes after this one if it is killed.

A file of records, each with its length and a checksum, written at the end of a batch and never synced: what a
process has written outlives it, and after a loss of power no call is left anyway. A call costs one record when
it is answered and acknowledged, one whenever something of it changes, and a few octets at its end; the file is
written anew when most of it is past.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from twisted.logger import Logger

from engine.call.call_state import ConversationState
from engine.record_file import frame, frames

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from engine.call.register import Conversation

FORMAT = 1
"""Of the records: raise it whenever an older journal can no longer be read rightly."""
BATCH_SECONDS = 0.2
"""A call answered so shortly before the process is killed is lost; together the records cost a fraction each."""
LEAST_COMPACTED = 1 << 20
"""Octets below which a journal is not worth writing anew."""

log = Logger()


class Header(msgspec.Struct, frozen=True, tag=True):
    """The first record. Monotonic times mean something within one boot only."""

    format: int
    boot: str


class Kept(msgspec.Struct, frozen=True, tag=True):
    """A conversation as it is from now on."""

    id: int
    state: ConversationState


class Over(msgspec.Struct, frozen=True, tag=True):
    """Its end."""

    id: int


Record = Header | Kept | Over

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def boot_id() -> str:
    """This boot of this machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def read(path: Path, boot: str) -> list[ConversationState]:
    """The conversations that were up when the journal's process died; none of another boot or format.

    What cannot be read ends it: a process that is killed may leave half a record, and nothing behind it.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    found: dict[int, ConversationState] = {}
    first = True
    for each in frames(data):
        try:
            record = _decoder.decode(each)
        except msgspec.MsgspecError as error:
            log.warn("a record of the journal cannot be read: {error}", error=error)
            if first:
                break
            continue
        if first and record != Header(FORMAT, boot):
            log.info("the journal is of another boot or version; its calls are lost")
            break
        first = False
        if isinstance(record, Kept):
            found[record.id] = record.state
        elif isinstance(record, Over):
            found.pop(record.id, None)
    return list(found.values())


class Journal:
    """Writes down what changes. ``state_of`` says what is to be known of a conversation; None: nothing (yet)."""

    def __init__(
        self,
        path: Path,
        clock: IReactorTime,
        state_of: Callable[[Conversation], ConversationState | None],
        boot: str,
    ) -> None:
        self._path = path
        self._clock = clock
        self._state_of = state_of
        self._header = _frame(Header(FORMAT, boot))
        self._fd: int | None = None
        self._size = 0
        self._next_id = 1
        self._ids: dict[Conversation, int] = {}
        self._last: dict[int, bytes] = {}  # the frame each was kept in last
        self._changed: dict[Conversation, None] = {}
        self._timer: IDelayedCall | None = None

    def start(self, conversations: Iterable[Conversation]) -> None:
        """Begin anew with these. Raises OSError."""
        for each in conversations:
            self._keep(each)
        self._write_anew()

    def stop(self) -> None:
        """After an orderly end nothing is up, and no journal."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self._path.unlink(missing_ok=True)

    def changed(self, conversation: Conversation) -> None:
        """Something of it, or of one of its calls or legs, is not what it was."""
        if self._fd is None or conversation in self._changed:
            return
        self._changed[conversation] = None
        if self._timer is None:
            self._timer = self._clock.callLater(BATCH_SECONDS, self.flush)

    def over(self, conversation: Conversation) -> None:
        """It has ended."""
        self._changed.pop(conversation, None)
        found = self._ids.pop(conversation, None)
        if found is not None and self._last.pop(found, None) is not None:
            self._write(_frame(Over(found)))

    def flush(self) -> None:
        """Write what has changed."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        changed, self._changed = self._changed, {}
        self._write(b"".join(filter(None, map(self._keep, changed))))
        if self._size > LEAST_COMPACTED and self._size > 4 * sum(map(len, self._last.values())):
            self._write_anew()

    def _keep(self, conversation: Conversation) -> bytes | None:
        """The frame that says how it is now; None when that is known, or not to be kept."""
        state = self._state_of(conversation)
        if state is None:
            return None
        found = self._ids.get(conversation)
        if found is None:
            found = self._ids[conversation] = self._next_id
            self._next_id += 1
        frame = _frame(Kept(found, state))
        if self._last.get(found) == frame:
            return None
        self._last[found] = frame
        return frame

    def _write(self, data: bytes) -> None:
        """Append. A disk that takes nothing costs the journal, never a call."""
        if self._fd is None or not data:
            return
        try:
            if os.write(self._fd, data) == len(data):
                self._size += len(data)
                return
            reason = "the disk is full"
        except OSError as error:
            reason = error.strerror or str(error)
        log.error("the journal cannot be written, a crash would end the calls: {reason}", reason=reason)
        os.close(self._fd)
        self._fd = None

    def _write_anew(self) -> None:
        """Replace the file by one that holds what is up, and nothing else; at no moment there is none."""
        aside = self._path.with_suffix(".new")
        data = b"".join([self._header, *self._last.values()])
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        before, self._fd, self._size = self._fd, fd, 0
        self._write(data)
        if self._fd is not None:
            aside.replace(self._path)
        if before is not None:
            os.close(before)


def _frame(record: Record) -> bytes:
    return frame(_encoder.encode(record))
