"""Meeting policy: what an organiser's meetings may be, and how it is found for a user.

A policy is laid over another: what a user's does not say, the group's says, then the default (``resolve``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

DEFAULT_MAX_PARTICIPANTS = 500


@dataclass(frozen=True, slots=True)
class PolicyChoices:
    """What one level (the default, a group, a user) says; None: nothing, so that the level above it holds.

    audio, video, sharing: what participants may send. recording: whether the meeting may be recorded.
    anonymous_guests: whether callers without a number or name of their own come in. dial_out: whether the
    meeting may call others.
    """

    audio: bool | None = None
    video: bool | None = None
    sharing: bool | None = None
    recording: bool | None = None
    max_participants: int | None = None
    anonymous_guests: bool | None = None
    dial_out: bool | None = None


@dataclass(frozen=True, slots=True)
class MeetingPolicy:
    """What holds for a meeting, everything said; the values here are those of an engine nobody has configured."""

    audio: bool = True
    video: bool = True
    sharing: bool = True
    recording: bool = True
    max_participants: int = DEFAULT_MAX_PARTICIPANTS
    anonymous_guests: bool = True
    dial_out: bool = True

    def __post_init__(self) -> None:
        if self.max_participants < 1:
            raise ValueError("max_participants is at least 1")


def resolve(*levels: PolicyChoices) -> MeetingPolicy:
    """The policy that holds; ``levels`` from the weakest (the default) to the strongest (the user's).

    Raises ValueError: a level allows fewer than one participant.
    """
    said = {
        each.name: value
        for level in levels
        for each in fields(level)
        if (value := getattr(level, each.name)) is not None
    }
    return MeetingPolicy(**said)
