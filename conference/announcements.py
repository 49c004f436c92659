"""What rooms say, as ids: the prompts that say them, in each language, belong to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Words(StrEnum):
    """One thing a room says. The prompt of each is ``<language>/conference-<value with hyphens>``."""

    ALONE = "alone"
    WAIT_FOR_HOST = "wait_for_host"
    WAIT_TO_BE_ADMITTED = "wait_to_be_admitted"
    ADMITTED = "admitted"
    DENIED = "denied"
    EXPELLED = "expelled"
    SOMEBODY_WAITS = "somebody_waits"
    """To hosts."""
    MUTED = "muted"
    UNMUTED = "unmuted"
    MUTED_BY_HOST = "muted_by_host"
    UNMUTED_BY_HOST = "unmuted_by_host"
    ALL_MUTED = "all_muted"
    ALL_UNMUTED = "all_unmuted"
    LISTENING_ONLY = "listening_only"
    HAND_RAISED = "hand_raised"
    HAND_LOWERED = "hand_lowered"
    SOMEBODY_ASKS_TO_SPEAK = "somebody_asks_to_speak"
    """To hosts."""
    NOW_HOST = "now_host"
    NOW_GUEST = "now_guest"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    COUNT = "count"
    """With ``number`` participants; ``COUNT`` prompts are made of a spoken number."""
    RECORDED = "recorded"
    """This conference is recorded."""
    CONSENT = "consent"
    """... press 1 to agree."""
    CONSENT_REFUSED = "consent_refused"
    """Somebody does not agree: not recorded (to hosts)."""
    RECORDING_PAUSED = "recording_paused"
    RECORDING_STOPPED = "recording_stopped"
    ASIDE = "aside"
    BACK = "back"
    HOST_LEFT = "host_left"
    """The meeting will end."""
    ENDED = "ended"
    CALLED_BUSY = "called_busy"
    CALLED_NO_ANSWER = "called_no_answer"
    CALLED_REFUSED = "called_refused"
    CALLED_UNREACHABLE = "called_unreachable"


class Tone(StrEnum):
    """Sounds that need no language."""

    ENTRY = "entry"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words, with what is filled in."""

    words: Words
    number: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedName:
    """The name a participant recorded when it came in (a tone where the driver has none)."""

    participant: int


Announcement = Phrase | Tone | RecordedName
