"""Into the meeting and out of it by calls of its own: dialling out, transfers, merging."""

from __future__ import annotations

import re

from conference.announcements import Words
from conference.attendance import CloseReason, LeaveReason
from conference.commands import DialOut, Merge, Transfer
from conference.door import Door
from conference.events import Actor, EventKind
from conference.floor import clean_name
from conference.meeting import Meeting
from conference.outputs import CancelDial, Dial, DialResult, Move, TransferTo
from conference.refusals import Reason, Refused

MOST_DIALS = 20
"""Calls of one meeting that ring at once."""
_NUMBER = re.compile(r"\(?\+?[0-9*#][0-9*#()]{0,39}")
_SEPARATORS = str.maketrans("", "", " ./-\u00a0\u202f")
_TOLD = {
    DialResult.BUSY: Words.CALLED_BUSY,
    DialResult.NO_ANSWER: Words.CALLED_NO_ANSWER,
    DialResult.REFUSED: Words.CALLED_REFUSED,
    DialResult.UNREACHABLE: Words.CALLED_UNREACHABLE,
}


class Calling:
    """The verbs that place or move calls."""

    def __init__(self, meeting: Meeting, door: Door) -> None:
        self._meeting = meeting
        self._door = door

    def dial_out(self, command: DialOut, by: Actor) -> None:
        """Call somebody into the room."""
        meeting = self._meeting
        state = meeting.state
        if not meeting.definition.policy.dial_out:
            raise Refused(Reason.DIAL_OUT_FORBIDDEN)
        number = _dialled(command.number)
        if len(state.dials) >= MOST_DIALS:
            raise Refused(Reason.TOO_MANY_DIALS)
        if len(state.participants) + len(state.dials) >= meeting.definition.capacity:
            raise Refused(Reason.FULL)
        dial, name = state.last_dial + 1, clean_name(command.name)
        meeting.note(
            EventKind.DIALLED,
            None,
            by,
            dial=dial,
            number=number,
            name=name,
            role=command.role.value,
        )
        meeting.put_out(Dial(dial, number, name, command.role, self._rights(by)))

    def dialled(self, dial: int, result: DialResult, status: int) -> None:
        """A call the room placed has come to nothing; whoever asked for it is told. (Who answers joins.)"""
        meeting = self._meeting
        found = meeting.state.dials.get(dial)
        if found is None:
            return
        meeting.note(EventKind.DIAL_ENDED, dial=dial, number=found.number, result=result.value, status=status)
        words = _TOLD.get(result)
        if words is not None and isinstance(found.actor, int) and found.actor in meeting.state.taking_part:
            meeting.say(found.actor, words)

    def transfer(self, command: Transfer, by: Actor) -> None:
        """Out of the room, to a number or another room."""
        meeting = self._meeting
        one = meeting.one(command.participant)
        number = _dialled(command.number)
        if command.room and number == meeting.definition.number:
            raise Refused(Reason.SAME_ROOM)
        rights = self._rights(by)
        self._door.take_out(one, LeaveReason.MOVED if command.room else LeaveReason.TRANSFERRED, by)
        if command.room:
            meeting.put_out(Move(one, number, keeps=False))
        else:
            meeting.put_out(TransferTo(one, number, rights))

    def merge(self, command: Merge, by: Actor) -> CloseReason:
        """Everybody goes over; the meeting is then over."""
        meeting = self._meeting
        if command.into == meeting.definition.number:
            raise Refused(Reason.SAME_ROOM)
        meeting.note(EventKind.MERGED, None, by, into=command.into)
        for one in list(meeting.state.participants.values()):
            self._door.take_out(one, LeaveReason.MOVED, by)
            meeting.put_out(Move(one, command.into, keeps=True))
        return CloseReason.MERGED

    def cancel_all(self) -> None:
        """Nobody is called any more."""
        for dial in list(self._meeting.state.dials):
            self.dialled(dial, DialResult.CANCELLED, 0)
            self._meeting.put_out(CancelDial(dial))

    def _rights(self, by: Actor) -> str | None:
        """The line in whose name a number is dialled: who asks for it, else the room's owner."""
        own = self._meeting.one(by).identity if isinstance(by, int) else None
        return own or self._meeting.definition.owner


def _dialled(written: str) -> str:
    """A number as people write it, without its separators; parentheses are for a dial plan to read.

    Raises Refused for what is none.
    """
    number = written.translate(_SEPARATORS)
    if _NUMBER.fullmatch(number) is None:
        raise Refused(Reason.BAD_NUMBER)
    return number
