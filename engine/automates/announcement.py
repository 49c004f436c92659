"""7000 and 7001 in the demonstration: a prompt, looped or once and then the end of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.domain.scope import plain, scoped
from media.control import PlayFinished

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from engine.automates.application import AutomateContext
    from media.control import LegEvent

log = Logger()


class Announcement:
    """Play a prompt. Parameters: ``prompt`` (an imported one, or a shipped one, of the automate's language unless
    its name begins with another), ``loop`` (default false); ``text``: it is spoken in the place of a prompt."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        name = str(context.parameters.get("prompt", "welcome"))
        imported = scoped(name, context.company)
        if plain(imported) == name and imported in context.services.prompts:
            self._prompt = imported
        else:
            self._prompt = name if "/" in name else f"{context.language}/{name}"
        self._text = str(context.parameters.get("text", ""))
        self._loop = bool(context.parameters.get("loop", False))

    def answered(self) -> None:
        """Begin at the first word; a text that is said for the first time takes a moment."""
        if not self._text:
            self._play(self._prompt)
            return
        saying = self._context.services.say(self._text, self._context.language)
        saying.addCallbacks(self._play, self._unspoken)

    def _play(self, prompt: str) -> None:
        if self._context.party.leg is not None and not self._context.party.ended:
            self._context.party.leg.play([prompt], loop=self._loop)

    def _unspoken(self, failure: Failure) -> None:
        """Nothing to hear: rather no call than a silent one."""
        self._context.services.count("speech_failed")
        log.error("{number}: a text cannot be spoken: {why}", number=self._context.number, why=failure.value)
        self._context.hang_up()

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    def leg_event(self, event: LegEvent) -> None:
        """After the last word of an announcement that is not looped, the call ends."""
        if isinstance(event, PlayFinished) and not event.interrupted:
            self._context.hang_up()

    def ended(self) -> None:
        """Nothing to release."""
