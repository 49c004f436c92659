"""Planning meetings: stored, and everybody concerned told. Blocks: call it in the store's thread.

Whoever was told of a meeting hears of its change (SEQUENCE one higher), who is struck off the list that it is
cancelled, who is new on it that they are invited.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.letters.invitation import Purpose, WayIn, invitation
from engine.store.conferences.rules import check_invitees
from engine.store.errors import NotFound
from engine.store.mails import Mail

if TYPE_CHECKING:
    from conference.schedule import PlannedMeeting
    from engine.config.mail_section import MailSection
    from engine.mail.message import Message
    from engine.store.conferences.records import Invitee
    from engine.store.store import Store


def new_identity(address: str) -> str:
    """A UID (RFC 7986 section 5.3 asks for random ones) or Message-ID in the domain of ``address``."""
    return f"{secrets.token_hex(16)}@{address.rpartition('@')[2] or 'polyphony.invalid'}"


@dataclass(frozen=True, slots=True)
class Told:
    """How many messages of each kind were queued."""

    invited: int = 0
    changed: int = 0
    cancelled: int = 0


class Planning:
    """Plans meetings in ``store``. way: None while no mail can be sent; then meetings are stored and nobody is told.

    queued: called, in this thread, when there is something to send.
    """

    def __init__(
        self,
        store: Store,
        way: WayIn | None,
        now: Callable[[], float],
        queued: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._way = way
        self._now = now
        self._queued = queued

    def plan(self, meeting: PlannedMeeting, invitees: Sequence[Invitee] = ()) -> tuple[PlannedMeeting, Told]:
        """Store a new meeting and invite. Raises Invalid, NotFound (the room) or Taken (the UID)."""
        check_invitees(tuple(invitees))
        planned = self._store.planned_meetings.add(meeting)
        self._store.planned_meetings.invite(planned.uid, invitees)
        return planned, self._tell(planned, ())

    def change(self, meeting: PlannedMeeting, invitees: Sequence[Invitee]) -> tuple[PlannedMeeting, Told]:
        """Replace the meeting of this UID, and who is invited. Raises as ``plan``; NotFound also for the meeting."""
        check_invitees(tuple(invitees))
        before = self._required(meeting.uid)
        previous = self._store.planned_meetings.invitees(meeting.uid)
        changed = self._store.planned_meetings.update(
            replace(meeting, id=before.id, sequence=before.sequence + 1, cancelled=False)
        )
        self._store.planned_meetings.invite(meeting.uid, invitees)
        staying = {each.address for each in invitees}
        return changed, self._tell(changed, [each for each in previous if each.address not in staying])

    def cancel(self, uid: str) -> tuple[PlannedMeeting, Told]:
        """Cancel a meeting for all who were told of it. Raises NotFound."""
        before = self._required(uid)
        if before.cancelled:
            return before, Told()
        cancelled = self._store.planned_meetings.update(
            replace(before, sequence=before.sequence + 1, cancelled=True)
        )
        told = [each for each in self._store.planned_meetings.invitees(uid) if each.told is not None]
        return cancelled, self._send(cancelled, [(each, Purpose.CANCEL) for each in told])

    def _tell(self, meeting: PlannedMeeting, struck_off: Sequence[Invitee]) -> Told:
        invitees = self._store.planned_meetings.invitees(meeting.uid)
        letters = [(each, Purpose.INVITE if each.told is None else Purpose.CHANGE) for each in invitees]
        letters += [(each, Purpose.CANCEL) for each in struck_off if each.told is not None]
        return self._send(meeting, letters)

    def _send(self, meeting: PlannedMeeting, letters: Sequence[tuple[Invitee, Purpose]]) -> Told:
        way = self._way
        if way is None or not letters:
            return Told()
        room = self._store.rooms.get(meeting.room)
        if room is None:
            raise NotFound("room", meeting.room)
        made_at = datetime.fromtimestamp(int(self._now()), UTC)
        messages = [
            invitation(meeting, room.definition, to, way, purpose, made_at, new_identity(way.sender))
            for to, purpose in letters
        ]
        self._store.mails.put([mail_of(each, self._now()) for each in messages])
        self._store.planned_meetings.told(meeting.uid, [to.address for to, _ in letters], meeting.sequence)
        self._queued()
        purposes = [purpose for _, purpose in letters]
        return Told(*(purposes.count(each) for each in (Purpose.INVITE, Purpose.CHANGE, Purpose.CANCEL)))

    def _required(self, uid: str) -> PlannedMeeting:
        found = self._store.planned_meetings.get(uid)
        if found is None:
            raise NotFound("planned meeting", uid)
        return found


def way_of(section: MailSection) -> WayIn | None:
    """What invitations say of the way in; None while no mail can be sent."""
    return WayIn(section.sender, tuple(section.dial_in), section.link) if section.enabled else None


def mail_of(message: Message, now: float) -> Mail:
    """The message as the queue keeps it, to be sent at once. Raises MessageError."""
    return Mail(
        recipient=message.recipient[1],
        subject=message.subject,
        content=message.encode(),
        created_at=now,
        due_at=now,
    )
