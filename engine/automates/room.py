"""8000 to 8999 in the demonstration: whoever calls the same number hears each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.automates.application import AutomateContext
    from engine.call.numbers import AutomateTarget
    from media.control import LegEvent

APPLICATION = "room"


def room_of(target: AutomateTarget) -> str | None:
    """The room whose worker a caller's leg must be on; None when the number is no room."""
    if target.application != APPLICATION:
        return None
    return str(target.parameters.get("room", target.number))


class Room:
    """Mix the caller with everybody else in the room; nobody is asked and nothing is said. Parameters: ``room``
    (its name, by default the number that was dialled), ``loudest`` (talkers mixed at once, 0 for everybody)."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        self._name = str(context.parameters.get("room", context.number))
        loudest = context.parameters.get("loudest")
        self._loudest = loudest if isinstance(loudest, int) and loudest >= 0 else None

    def answered(self) -> None:
        """Enter."""
        leg = self._context.party.leg
        if leg is None:
            return
        if self._loudest is not None:
            self._context.services.media.set_room(self._name, loudest=self._loudest)
        leg.join_room(self._name)

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    def leg_event(self, event: LegEvent) -> None:
        """Nothing to wait for."""

    def ended(self) -> None:
        """The leg takes the caller out of the room as it closes."""
