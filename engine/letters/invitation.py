"""The letter that invites somebody to a planned meeting, changes it or takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import cast

from conference.definition import RoomDefinition
from conference.invitation import CalendarEntry, Method, calendar_object
from conference.recurrence import WEEKDAYS as RULE_DAYS
from conference.role import Role
from conference.schedule import PlannedMeeting
from engine.language import Language
from engine.letters.page import Page, listed
from engine.letters.texts import WEEKDAYS, clock, day, write
from engine.mail.message import Message
from engine.store.conferences.records import Invitee


class Purpose(Enum):
    """Why the letter is written: the texts of its subject and of its beginning."""

    INVITE = "invite.subject", "invite.opening"
    CHANGE = "invite.changed_subject", "invite.changed"
    CANCEL = "invite.cancelled_subject", "invite.cancelled"


@dataclass(frozen=True, slots=True)
class WayIn:
    """How to reach the engine. sender: address mail comes from. dial_in: numbers, with words. link: {number} in it."""

    sender: str
    dial_in: tuple[str, ...] = ()
    link: str = ""

    def link_to(self, number: str) -> str:
        """The web address of a room; empty when there is none."""
        return self.link.replace("{number}", number)


def invitation(
    meeting: PlannedMeeting,
    room: RoomDefinition,
    invitee: Invitee,
    way: WayIn,
    purpose: Purpose,
    made_at: datetime,
    identity: str,
) -> Message:
    """The letter. made_at: aware. identity: its Message-ID without angle brackets."""
    language = cast("Language", invitee.language)
    address = meeting.organiser_address or way.sender
    organiser = meeting.organiser_name or address
    subject, opening = (
        write(key, language, title=meeting.title, organiser=organiser) for key in purpose.value
    )
    # who is struck off the list is not told the PIN again, which may be a new one
    access = [] if purpose is Purpose.CANCEL else _access(room, invitee.role, way, language)
    page = Page(subject, language)
    page.paragraph(opening)
    page.paragraph(meeting.title)
    page.facts(_times(meeting, language))
    if meeting.description:
        page.paragraph(meeting.description)
    if access:
        page.facts(access)
        if meeting.early_minutes:
            page.paragraph(write("invite.early", language, n=meeting.early_minutes))
    entry = CalendarEntry(
        method=Method.CANCEL if purpose is Purpose.CANCEL else Method.REQUEST,
        organiser=(meeting.organiser_name, address),
        attendee=(invitee.name, invitee.address),
        description=_description(meeting, listed(access, language)),
        location=", ".join([*way.dial_in, f"{write('invite.room', language)} {room.number}"]),
        link=way.link_to(room.number),
        language=language,
        stamp=made_at,
    )
    return Message(
        sender=(meeting.organiser_name, way.sender),
        answers_to=(meeting.organiser_name, address),
        recipient=(invitee.name, invitee.address),
        subject=subject,
        text=page.text,
        html=page.html,
        calendar=(calendar_object(meeting, entry), str(entry.method)),
        date=made_at,
        identity=identity,
        language=language,
    )


def _description(meeting: PlannedMeeting, access: str) -> str:
    return "\n\n".join(each for each in (meeting.description, access) if each)


def _access(room: RoomDefinition, role: Role, way: WayIn, language: Language) -> list[tuple[str, str]]:
    """Numbers, room number, PIN and link. Who is a host is told the host's PIN, nobody else."""
    facts = [(write("invite.phone", language), number) for number in way.dial_in]
    facts.append((write("invite.room", language), room.number))
    if role is Role.HOST and room.host_pin is not None:
        facts.append((write("invite.host_pin", language), room.host_pin))
    elif room.guest_pin is not None:
        facts.append((write("invite.pin", language), room.guest_pin))
    if way.link:
        facts.append((write("invite.link", language), way.link_to(room.number)))
    return facts


def _times(meeting: PlannedMeeting, language: Language) -> list[tuple[str, str]]:
    start, end = meeting.start, meeting.end
    said = write(
        "invite.times" if start.date() == end.date() else "invite.times_over_night",
        language,
        day=day(start, language),
        start=clock(start),
        end_day=day(end, language),
        end=clock(end),
        zone=meeting.time_zone,
    )
    facts = [(write("invite.when", language), said)]
    if meeting.recurrence:
        facts.append((write("invite.repeated", language), _repeated(meeting, language)))
    return facts


def _repeated(meeting: PlannedMeeting, language: Language) -> str:
    """The rule in words, as far as they go; the calendar entry has the whole of it."""
    parts = dict(each.split("=", 1) for each in meeting.recurrence.split(";"))
    interval = int(parts.get("INTERVAL", "1"))
    often = write(f"invite.{parts['FREQ']}" + ("_n" if interval > 1 else ""), language, n=interval)
    days = parts.get("BYDAY", "")
    if days and not any(character.isdigit() for character in days):
        names = [WEEKDAYS[language][RULE_DAYS.index(each)] for each in days.split(",")]
        often = write("invite.on", language, often=often, days=", ".join(names))
    if "COUNT" in parts:
        return write("invite.count", language, often=often, n=int(parts["COUNT"]))
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return write("invite.until", language, often=often, day=day(until.astimezone(meeting.zone), language))
    return often
