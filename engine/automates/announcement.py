"""7000 and 7001 in the demonstration: a prompt, looped or once and then the end of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.control import PlayFinished

if TYPE_CHECKING:
    from engine.automates.application import AutomateContext
    from media.control import LegEvent


class Announcement:
    """Play a prompt. Parameters: ``prompt`` (an imported one, or a shipped one, of the automate's language unless
    its name begins with another), ``loop`` (default false)."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        name = str(context.parameters.get("prompt", "welcome"))
        complete = "/" in name or name in context.services.prompts
        self._prompt = name if complete else f"{context.language}/{name}"
        self._loop = bool(context.parameters.get("loop", False))

    def answered(self) -> None:
        """Begin at the first word."""
        if self._context.party.leg is not None:
            self._context.party.leg.play([self._prompt], loop=self._loop)

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    def leg_event(self, event: LegEvent) -> None:
        """After the last word of an announcement that is not looped, the call ends."""
        if isinstance(event, PlayFinished) and not event.interrupted:
            self._context.hang_up()

    def ended(self) -> None:
        """Nothing to release."""
