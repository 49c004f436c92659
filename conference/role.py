"""Roles, and which verb needs which: one table for phones, bots, the REST API and browsers alike."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A participant's role. Listen-only is a state of a participant, not a role."""

    HOST = "host"
    GUEST = "guest"


class Verb(StrEnum):
    """What can be done in a room; the words of the REST API, the event journal and the menus' table."""

    MUTE = "mute"
    UNMUTE = "unmute"
    MUTE_ALL = "mute_all"
    UNMUTE_ALL = "unmute_all"
    RAISE_HAND = "raise_hand"
    LOWER_HAND = "lower_hand"
    ADMIT = "admit"
    DENY = "deny"
    EXPEL = "expel"
    SET_ROLE = "set_role"
    RENAME = "rename"
    SET_VOLUME = "set_volume"
    SET_GAIN = "set_gain"
    LISTEN_ONLY = "listen_only"
    STEP_ASIDE = "step_aside"
    STEP_BACK = "step_back"
    CONSENT = "consent"
    START_RECORDING = "start_recording"
    STOP_RECORDING = "stop_recording"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    ANNOUNCE_COUNT = "announce_count"
    LOCK = "lock"
    UNLOCK = "unlock"
    DIAL_OUT = "dial_out"
    TRANSFER = "transfer"
    MERGE = "merge"
    END = "end"


class Right(StrEnum):
    """Who may do a verb."""

    ANYBODY = "anybody"
    """Every participant who is in the room, to whomever it concerns."""
    SELF = "self"
    """A guest to itself, a host to everybody."""
    ONLY_SELF = "only_self"
    """To oneself, whatever the role: nobody consents, or is made louder in the ear, for another."""
    HOST = "host"


RIGHTS: dict[Verb, Right] = {
    Verb.MUTE: Right.SELF,
    Verb.UNMUTE: Right.SELF,
    Verb.MUTE_ALL: Right.HOST,
    Verb.UNMUTE_ALL: Right.HOST,
    Verb.RAISE_HAND: Right.ONLY_SELF,
    Verb.LOWER_HAND: Right.SELF,
    Verb.ADMIT: Right.HOST,
    Verb.DENY: Right.HOST,
    Verb.EXPEL: Right.HOST,
    Verb.SET_ROLE: Right.HOST,
    Verb.RENAME: Right.SELF,
    Verb.SET_VOLUME: Right.ONLY_SELF,
    Verb.SET_GAIN: Right.SELF,
    Verb.LISTEN_ONLY: Right.SELF,
    Verb.STEP_ASIDE: Right.HOST,
    Verb.STEP_BACK: Right.SELF,
    Verb.CONSENT: Right.ONLY_SELF,
    Verb.START_RECORDING: Right.HOST,
    Verb.STOP_RECORDING: Right.HOST,
    Verb.PAUSE_RECORDING: Right.HOST,
    Verb.RESUME_RECORDING: Right.HOST,
    Verb.ANNOUNCE_COUNT: Right.ANYBODY,
    Verb.LOCK: Right.HOST,
    Verb.UNLOCK: Right.HOST,
    Verb.DIAL_OUT: Right.HOST,
    Verb.TRANSFER: Right.HOST,
    Verb.MERGE: Right.HOST,
    Verb.END: Right.HOST,
}


def may(role: Role, verb: Verb, *, on_self: bool) -> bool:
    """Whether a participant of that role may do it. on_self: it concerns nobody but the participant."""
    right = RIGHTS[verb]
    if right is Right.ONLY_SELF:
        return on_self
    return role is Role.HOST or right is Right.ANYBODY or (right is Right.SELF and on_self)
