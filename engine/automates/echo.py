"""5000 in the demonstration: whatever the caller says comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.automates.application import AutomateContext
    from media.control import LegEvent


class Echo:
    """Return the caller's sound, at its own level."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context

    def answered(self) -> None:
        """Begin."""
        if self._context.party.leg is not None:
            self._context.party.leg.echo(True)

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    def leg_event(self, event: LegEvent) -> None:
        """Nothing to wait for."""

    def ended(self) -> None:
        """Nothing to release."""
