"""Prompts and recordings: what the store knows of the sound files in the data directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, insert, select, update
from sqlalchemy.orm import Session

from engine.domain.scope import company_of, plain
from engine.store.collection import Collection, OwnedCollection
from engine.store.errors import InUse
from engine.store.records import Prompt, Recording
from engine.store.rules import check_prompt, printable
from engine.store.tables import AutomateRangeRow, PromptRow, RecordingRow


@dataclass(frozen=True, slots=True)
class Ending:
    """How the recording that was begun in the file ``path`` ended."""

    path: str
    seconds: float
    reason: str


class Prompts(OwnedCollection[PromptRow, Prompt]):
    """Announcements, by name."""

    row_type = PromptRow
    record_type = Prompt
    key = "name"
    what = "prompt"

    def check(self, session: Session, record: Prompt) -> None:
        """Refuse bad fields and a name in use."""
        check_prompt(record)
        self._refuse_taken(session, record)

    def _check_unused(self, session: Session, row: PromptRow) -> None:
        """Refuse to take the voice of an automate."""
        ranges = select(AutomateRangeRow).where(AutomateRangeRow.company_id == row.company_id)
        for automates in session.scalars(ranges.order_by(AutomateRangeRow.id)):
            if automates.parameters.get("prompt") == row.name:
                raise InUse(self.what, row.name, f"automate range {automates.first_number}")


class Recordings(Collection[RecordingRow, Recording]):
    """Recordings, by id. One that is being made has no ``reason`` yet."""

    row_type = RecordingRow
    record_type = Recording
    key = "id"
    what = "recording"

    def add(self, record: Recording) -> Recording:
        """Store a recording; number and caller come from the network and are made safe to show."""
        return super().add(Recording(**_safe(record)))

    def journal(self, begun: list[Recording], ended: list[Ending]) -> None:
        """Store many recordings that began and ended, in one transaction."""
        known = update(RecordingRow).where(RecordingRow.path == bindparam("of"), RecordingRow.reason == "")
        with self._database.writing() as session:
            if begun:
                session.execute(insert(RecordingRow), [_safe(each) for each in begun])
            if ended:
                session.connection().execute(
                    known.values(seconds=bindparam("length"), reason=bindparam("why")),
                    [
                        {"of": each.path, "length": each.seconds, "why": printable(each.reason, 64)}
                        for each in ended
                    ],
                )

    def moved(self, path: str, file: str) -> bool:
        """A recording lies in another file now, converted; False when it is not known."""
        made = update(RecordingRow).where(RecordingRow.path == path)
        with self._database.writing() as session:
            done = session.execute(made.values(path=file))
            return bool(cast("CursorResult[tuple[()]]", done).rowcount)

    def finish(self, path: str, seconds: float, reason: str) -> bool:
        """Note how the recording in the file ``path`` ended; False when none is known to be made there."""
        made = update(RecordingRow).where(RecordingRow.path == path, RecordingRow.reason == "")
        with self._database.writing() as session:
            done = session.execute(made.values(seconds=seconds, reason=printable(reason, 64)))
            return bool(cast("CursorResult[tuple[()]]", done).rowcount)

    def unfinished(self) -> list[Recording]:
        """Those that are being made, or whose process died over them."""
        with self._database.reading() as session:
            rows = session.scalars(select(RecordingRow).where(RecordingRow.reason == ""))
            return [self._record(row) for row in rows]

    def finished_paths(self) -> set[str]:
        """The files of those that ended."""
        with self._database.reading() as session:
            return set(session.scalars(select(RecordingRow.path).where(RecordingRow.reason != "")))

    def latest(self, count: int, number: str | None = None) -> list[Recording]:
        """The newest ``count`` recordings, of one automate's scoped number where it is given."""
        wanted = select(RecordingRow).order_by(RecordingRow.started_at.desc(), RecordingRow.id.desc())
        if number is not None:
            wanted = wanted.where(
                RecordingRow.number == plain(number), RecordingRow.company_id == company_of(number)
            )
        with self._database.reading() as session:
            return [self._record(row) for row in session.scalars(wanted.limit(count))]


def _safe(record: Recording) -> dict[str, Any]:
    """The columns of a recording that is stored first; what comes from the network is made safe to show."""
    return {
        "number": printable(record.number, 255),
        "caller": printable(record.caller, 255),
        "path": record.path,
        "started_at": record.started_at,
        "seconds": record.seconds,
        "reason": printable(record.reason, 64),
        "company_id": record.company_id,
    }
