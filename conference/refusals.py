"""Why something is not done: fixed words, each with a text in ``engine/language`` and a prompt where it is spoken."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The word of a refusal."""

    FULL = "full"
    SERVER_FULL = "server_full"
    DOMAIN_FULL = "domain_full"
    USER_FULL = "user_full"
    LOCKED = "locked"
    ENDED = "ended"
    ANONYMOUS = "anonymous"
    AUDIO_FORBIDDEN = "audio_forbidden"
    NOT_HOST = "not_host"
    NOT_YOURS = "not_yours"
    """Only the participant itself may."""
    UNKNOWN_PARTICIPANT = "unknown_participant"
    UNKNOWN_ROOM = "unknown_room"
    NOT_IN_ROOM = "not_in_room"
    """The participant waits, or is in a side talk."""
    NOT_WAITING = "not_waiting"
    NOT_ASIDE = "not_aside"
    MUTED_BY_HOST = "muted_by_host"
    LISTEN_ONLY = "listen_only"
    OUT_OF_RANGE = "out_of_range"
    RECORDING_FORBIDDEN = "recording_forbidden"
    RECORDING = "recording"
    """It is recorded already."""
    NOT_RECORDING = "not_recording"
    DIAL_OUT_FORBIDDEN = "dial_out_forbidden"
    TOO_MANY_DIALS = "too_many_dials"
    BAD_NUMBER = "bad_number"
    BAD_NAME = "bad_name"
    SAME_ROOM = "same_room"


class Refused(Exception):
    """Not done, and nothing has changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
