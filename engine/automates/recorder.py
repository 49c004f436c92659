"""6000 in the demonstration: records the caller until it hangs up."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from media.control import PlayFinished, RecordingClosed

if TYPE_CHECKING:
    from engine.automates.application import AutomateContext
    from media.control import LegEvent


class Recorder:
    """Say that recording begins, then record. Parameters: ``announce`` (default true)."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        self._announce = bool(context.parameters.get("announce", True))
        self._path: Path | None = None

    def answered(self) -> None:
        """The announcement comes first: nobody is recorded without knowing."""
        leg = self._context.party.leg
        if leg is None:
            return
        if self._announce:
            leg.play([f"{self._context.language}/record-after-tone", "tone/beep"])
        else:
            self._record()

    def digit(self, digit: str) -> None:
        """Keys mean nothing here; they are not recorded either."""

    def leg_event(self, event: LegEvent) -> None:
        """Record after the tone; write the recording into the store when its file is closed."""
        if isinstance(event, PlayFinished) and self._path is None:
            self._record()
        elif isinstance(event, RecordingClosed) and self._path is not None:
            context = self._context
            context.services.recording_closed(
                context.number, context.caller, self._path, event.samples, event.reason
            )

    def ended(self) -> None:
        """The leg closes the file."""

    def _record(self) -> None:
        leg = self._context.party.leg
        if leg is None or self._context.party.ended:
            return
        self._path = self._context.services.recordings / recording_name(datetime.now(UTC))
        leg.record(str(self._path))


def recording_name(at: datetime) -> str:
    """A name made of time and chance only: nothing a caller can choose (security reference G5, G7)."""
    return f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(8)}.wav"
