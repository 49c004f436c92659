"""6000 in the demonstration: records the caller until it hangs up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine.automates.parameters import ANNOUNCE, BEEP, BOTH, FORMAT
from engine.recordings import RecordingFormat
from media.control import LegFailed, PlayFinished, RecordingClosed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IDelayedCall

    from engine.automates.application import AutomateContext
    from media.control import LegEvent

SHORTEST_BEEP = 2
"""Seconds between two tones at least; less is no reminder but noise."""


class Recorder:
    """Say that recording begins, then record; with a tone every now and then, as some countries want it."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        self._announce = bool(ANNOUNCE.of(context.parameters))
        self._kind: Literal["leg", "both"] = "both" if BOTH.of(context.parameters) else "leg"
        self._format = _format(FORMAT.of(context.parameters))
        beep = float(BEEP.of(context.parameters))
        self._beep_seconds = beep if beep >= SHORTEST_BEEP else 0
        self._beep: IDelayedCall | None = None
        self._path: Path | None = None

    def remember(self) -> dict[str, Any]:
        """The file."""
        return {} if self._path is None else {"path": str(self._path)}

    def resume(self, memory: Mapping[str, Any]) -> None:
        """Its last words are still to come."""
        path = memory.get("path")
        self._path = None if path is None else Path(path)

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
        """Record after the tone; store the recording's length when its file is closed, or its worker lost."""
        if isinstance(event, PlayFinished) and self._path is None:
            self._record()
        elif isinstance(event, RecordingClosed) and self._path is not None:
            self.ended()
            self._context.services.recordings.closed(self._path, event.samples / event.rate, event.reason)
        elif isinstance(event, LegFailed) and self._path is not None:
            self._context.services.recordings.lost(self._path)

    def ended(self) -> None:
        """The leg closes the file; the tone stops."""
        if self._beep is not None and self._beep.active():
            self._beep.cancel()
        self._beep = None

    def _record(self) -> None:
        leg = self._context.party.leg
        if leg is None or self._context.party.ended:
            return
        recordings = self._context.services.recordings
        form = self._format or recordings.format
        self._path = recordings.begin(
            self._context.number, self._context.caller, form, company=self._context.company
        )
        leg.record(str(self._path), self._kind, coded=form == "g711")
        self._beep_later()

    def _beep_later(self) -> None:
        if self._beep_seconds:
            self._beep = self._context.services.clock.callLater(self._beep_seconds, self._beep_now)

    def _beep_now(self) -> None:
        """Remind the caller; what it says meanwhile is recorded all the same."""
        leg = self._context.party.leg
        if leg is not None:
            leg.play(["tone/beep"])
            self._beep_later()


def _format(name: object) -> RecordingFormat | None:
    """A parameter's value as one of the formats; None where it is none of them, or none is given."""
    return next((each for each in get_args(RecordingFormat) if each == name), None)
