"""What an automate application is: the behaviour of a number once it has answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from engine.domain.scope import DEFAULT_COMPANY

if TYPE_CHECKING:
    from engine.call.party import Party
    from engine.call.services import CallServices
    from media.control import LegEvent


@dataclass(frozen=True, slots=True)
class AutomateContext:
    """What an application is given.

    party: the caller, answered. caller: the number it calls from (may be empty). hang_up: ends the call. company: whose
    automate it is.
    """

    services: CallServices
    party: Party
    number: str
    caller: str
    language: str
    parameters: Mapping[str, object]
    hang_up: Callable[[], None]
    company: int = DEFAULT_COMPANY


class Application(Protocol):
    """One running application: one call."""

    def answered(self) -> None:
        """The caller hears us from now on."""

    def digit(self, digit: str) -> None:
        """The caller pressed a key."""

    def leg_event(self, event: LegEvent) -> None:
        """The leg finished playing, closed a recording, ..."""

    def ended(self) -> None:
        """The call is over; timers must go. A recording's last event may still follow."""


@runtime_checkable
class Remembering(Protocol):
    """An application with something to know again in another process, should this one be killed."""

    def remember(self) -> dict[str, Any]:
        """It, as plain values."""

    def resume(self, memory: Mapping[str, Any]) -> None:
        """Go on, answered long since: the leg does what it was told."""


class ParameterError(ValueError):
    """An application's parameter is wrong: names the parameter and what was expected."""

    def __init__(self, parameter: str, expected: str) -> None:
        super().__init__(f"{parameter}: expected {expected}")
        self.parameter = parameter
        self.expected = expected
