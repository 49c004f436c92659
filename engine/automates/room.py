"""8000 to 8999 in the demonstration: whoever calls the same number hears each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conference.meeting import media_room
from engine.domain.scope import DEFAULT_COMPANY, scoped

if TYPE_CHECKING:
    from engine.automates.application import AutomateContext
    from engine.call.numbers import AutomateTarget
    from media.control import LegEvent

APPLICATION = "room"
CONFERENCE = "conference"
RECORDED = ("mix", "tracks")


def room_of(target: AutomateTarget) -> str | None:
    """The room whose worker a caller's leg must be on; None when the number is no room."""
    if target.application == CONFERENCE and "room" in target.parameters:
        return media_room(scoped(str(target.parameters["room"]), target.company))
    if target.application != APPLICATION:
        return None
    return mix_of(str(target.parameters.get("room", target.number)), target.company)


def mix_of(room: str, company: int) -> str:
    """What the media plane knows the room of a company by.

    A name may be anything; one with a space never stands alone, so none can be that of another company's room, or of a
    conference.
    """
    return room if company == DEFAULT_COMPANY and " " not in room else f"company {company} room {room}"


class Room:
    """Mix the caller with everybody else in the room; nobody is asked and nothing is said. Parameters: ``room``
    (its name, by default the number that was dialled), ``loudest`` (talkers mixed at once, 0 for everybody),
    ``record`` (``mix``: the room is recorded as long as somebody is in it; ``tracks``: a track a talker)."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        self._name = mix_of(str(context.parameters.get("room", context.number)), context.company)
        loudest = context.parameters.get("loudest")
        self._loudest = loudest if isinstance(loudest, int) and loudest >= 0 else None
        self._record = context.parameters.get("record")

    def answered(self) -> None:
        """Enter."""
        leg = self._context.party.leg
        if leg is None:
            return
        if self._loudest is not None:
            self._context.services.media.set_room(self._name, loudest=self._loudest)
        if self._record in RECORDED:
            self._have_recorded()
        leg.join_room(self._name, self._context.caller)

    def _have_recorded(self) -> None:
        """Have the room recorded, if it is not yet."""
        services, tracks = self._context.services, self._record == "tracks"
        if not services.media.is_recorded(self._name):
            path = services.recordings.begin(
                self._context.number, "", tracks=tracks, company=self._context.company
            )
            services.media.record_room(self._name, str(path), "tracks" if tracks else "room")

    def digit(self, digit: str) -> None:
        """Keys mean nothing here."""

    def leg_event(self, event: LegEvent) -> None:
        """Nothing to wait for."""

    def ended(self) -> None:
        """The leg takes the caller out of the room as it closes."""
