"""The floor: who is heard, how loud, who asks to speak, under which name."""

from __future__ import annotations

import unicodedata

from conference.announcements import Phrase, Words
from conference.commands import (
    AnnounceCount,
    ListenOnly,
    LowerHand,
    Mute,
    MuteAll,
    RaiseHand,
    Rename,
    SetGain,
    SetVolume,
    Unmute,
    UnmuteAll,
)
from conference.definition import MOST_NAME
from conference.events import Actor, EventKind
from conference.meeting import Meeting
from conference.outputs import SayInRoom
from conference.refusals import Reason, Refused
from conference.role import Role

MOST_DB = 20.0
"""How far a volume goes from the middle, either way."""


class Floor:
    """The verbs about being heard."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting

    def mute(self, command: Mute, by: Actor) -> None:
        """By itself, or by a host."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        by_host = by != one.id
        if not (one.muted_by_host if by_host else one.muted):
            meeting.note(EventKind.MUTED, one.id, by, by_host=by_host)
            self._hush(one.id)
            meeting.mix(one.id)
        meeting.say(one.id, Words.MUTED_BY_HOST if by_host else Words.MUTED)

    def unmute(self, command: Unmute, by: Actor) -> None:
        """A host undoes what hosts did, anybody what it did itself; a host both, for itself."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        by_host = by != one.id
        if one.listen_only or one.listen_only_by_host:
            raise Refused(Reason.LISTEN_ONLY)
        if not by_host and one.muted_by_host and not meeting.acts_as_host(by):
            raise Refused(Reason.MUTED_BY_HOST)
        if one.muted_by_host and (by_host or meeting.acts_as_host(by)):
            meeting.note(EventKind.UNMUTED, one.id, by, by_host=True)
        if one.muted and not by_host:
            meeting.note(EventKind.UNMUTED, one.id, by, by_host=False)
        if by_host and one.hand:
            meeting.note(EventKind.HAND_LOWERED, one.id, by)
        meeting.mix(one.id)
        meeting.say(one.id, Words.UNMUTED_BY_HOST if by_host else Words.UNMUTED)

    def mute_all(self, _command: MuteAll, by: Actor) -> None:
        """Every guest, and those that come later."""
        if not self._meeting.state.guests_muted:
            self._all(EventKind.ALL_MUTED, Words.ALL_MUTED, by)

    def unmute_all(self, _command: UnmuteAll, by: Actor) -> None:
        """No guest by a host any more."""
        meeting = self._meeting
        if meeting.state.guests_muted or any(
            each.muted_by_host and each.role is Role.GUEST for each in meeting.state.participants.values()
        ):
            self._all(EventKind.ALL_UNMUTED, Words.ALL_UNMUTED, by)

    def _all(self, kind: EventKind, words: Words, by: Actor) -> None:
        meeting = self._meeting
        before = {number: each.silent for number, each in meeting.state.participants.items()}
        meeting.note(kind, None, by)
        for number, silent in before.items():
            one = meeting.state.participants[number]
            if one.silent is not silent:
                self._hush(number)
                if one.takes_part:
                    meeting.mix(number)
        meeting.say_in_room(Phrase(words))

    def raise_hand(self, command: RaiseHand, by: Actor) -> None:
        """Ask to speak."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        if not one.hand:
            meeting.note(EventKind.HAND_RAISED, one.id, by)
            meeting.say_to_hosts(Words.SOMEBODY_ASKS_TO_SPEAK, but=one.id)
        meeting.say(one.id, Words.HAND_RAISED)

    def lower_hand(self, command: LowerHand, by: Actor) -> None:
        """No longer ask."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        if one.hand:
            meeting.note(EventKind.HAND_LOWERED, one.id, by)
        meeting.say(one.id, Words.HAND_LOWERED)

    def set_volume(self, command: SetVolume, by: Actor) -> None:
        """How it hears the room."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        wanted = _decibels(command.volume_db)
        if one.volume_db != wanted:
            meeting.note(EventKind.VOLUME, one.id, by, volume_db=wanted)
            meeting.mix(one.id)

    def set_gain(self, command: SetGain, by: Actor) -> None:
        """How the others hear it."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        wanted = _decibels(command.gain_db)
        if one.gain_db != wanted:
            meeting.note(EventKind.GAIN, one.id, by, gain_db=wanted)
            meeting.mix(one.id)

    def listen_only(self, command: ListenOnly, by: Actor) -> None:
        """Not heard at all, by its own wish or a host's; who was made to listen stays so until a host says else."""
        meeting = self._meeting
        one = meeting.one_in(command.participant)
        by_host = by != one.id
        if not by_host and not command.on and one.listen_only_by_host:
            if not meeting.acts_as_host(by):
                raise Refused(Reason.LISTEN_ONLY)
            by_host = True
        if (one.listen_only_by_host if by_host else one.listen_only) is not command.on:
            meeting.note(EventKind.LISTEN_ONLY, one.id, by, on=command.on, by_host=by_host)
            self._hush(one.id)
            meeting.mix(one.id)
        meeting.say(one.id, Words.LISTENING_ONLY if command.on else Words.UNMUTED)

    def rename(self, command: Rename, by: Actor) -> None:
        """Another name."""
        meeting = self._meeting
        one = meeting.one(command.participant)
        name = clean_name(command.name)
        if not name:
            raise Refused(Reason.BAD_NAME)
        if name != one.name:
            meeting.note(EventKind.RENAMED, one.id, by, name=name)

    def announce_count(self, command: AnnounceCount, by: Actor) -> None:
        """To one, or to all, which only a host may ask for."""
        meeting = self._meeting
        count = len(meeting.state.taking_part)
        if command.participant is not None:
            one = meeting.one_in(command.participant)
            meeting.note(EventKind.COUNT_ANNOUNCED, one.id, by, count=count)
            meeting.say(one.id, Words.COUNT, count)
        elif not meeting.acts_as_host(by):
            raise Refused(Reason.NOT_HOST)
        else:
            meeting.note(EventKind.COUNT_ANNOUNCED, None, by, count=count)
            if meeting.state.present:
                meeting.put_out(SayInRoom(Phrase(Words.COUNT, count)))

    # ---- who talks

    def talking(self, participant: int, on: bool, level: float) -> None:
        """The media plane has heard somebody begin, or cease, to talk. level: dBov."""
        meeting = self._meeting
        one = meeting.state.participants.get(participant)
        if one is None or one.talking is on or (on and (one.silent or not one.takes_part)):
            return  # told of a moment that is past
        if on:
            meeting.note(EventKind.TALKING, participant, level=round(level, 1))
        else:
            meeting.note(EventKind.SILENT, participant)

    def _hush(self, participant: int) -> None:
        """Who is silent does not talk."""
        one = self._meeting.state.participants[participant]
        if one.silent:
            self.talking(participant, False, 0.0)


def _decibels(value: float) -> float:
    if not -MOST_DB <= value <= MOST_DB:  # nor is NaN
        raise Refused(Reason.OUT_OF_RANGE)
    return float(value)


def clean_name(name: str) -> str:
    """A name as it is listed: no control or formatting characters, no more than ``MOST_NAME``."""
    shown = "".join(each if unicodedata.category(each)[0] != "C" else " " for each in name)
    return " ".join(shown.split())[:MOST_NAME].rstrip()
