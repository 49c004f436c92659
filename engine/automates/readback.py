"""6999 in the demonstration: says the caller's own number, then repeats every key pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.automates.parameters import PAUSE
from media.phrases import digits

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from engine.automates.application import AutomateContext
    from media.control import LegEvent

MAX_DIGITS = 32
"""Keys remembered between two pauses; more are not spoken."""


class Readback:
    """Speak the caller's number, then the digits it presses."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        self._pause = float(PAUSE.of(context.parameters))
        self._pressed = ""
        self._timer: IDelayedCall | None = None

    def answered(self) -> None:
        """Say the number and ask for keys."""
        self._say("your-number-is", self._context.caller, "press-keys")

    def digit(self, digit: str) -> None:
        """Collect a key; speech stops at once so that the caller can type through it."""
        if self._context.party.leg is not None:
            self._context.party.leg.stop_playing()
        self._pressed = (self._pressed + digit)[:MAX_DIGITS]
        if self._timer is not None and self._timer.active():
            self._timer.reset(self._pause)
        else:
            self._timer = self._context.services.clock.callLater(self._pause, self._repeat)

    def leg_event(self, event: LegEvent) -> None:
        """Nothing to wait for: the caller hangs up."""

    def ended(self) -> None:
        """Stop waiting for keys."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _repeat(self) -> None:
        pressed, self._pressed = self._pressed, ""
        self._say("you-pressed", pressed)

    def _say(self, before: str, spoken: str, after: str | None = None) -> None:
        language = self._context.language
        items = [f"{language}/{before}", *digits(spoken, language)]
        if after is not None:
            items.append(f"{language}/{after}")
        if self._context.party.leg is not None:
            self._context.party.leg.play(items)
