"""What a calendar is told of a planned meeting: one iCalendar object (RFC 5545) with a METHOD (RFC 5546).

REQUEST invites, and with a higher SEQUENCE changes; CANCEL takes the meeting, or one invitee, out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from conference.schedule import PlannedMeeting
from conference.vtimezone import vtimezone

PRODUCT = "-//Polyphony//Conferences//EN"
MOST_YEARS = 5
"""How far the zone's changes are written out for a meeting without end; calendars know the common zones themselves."""


class Method(StrEnum):
    """RFC 5546 section 1.4."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """What the entry says besides the meeting's times, in the invitee's language.

    organiser, attendee: a name (may be empty) and an e-mail address. stamp: when it is made, aware. link: may be empty.
    """

    method: Method
    organiser: tuple[str, str]
    attendee: tuple[str, str]
    description: str
    location: str
    link: str
    language: str
    stamp: datetime


def calendar_object(meeting: PlannedMeeting, entry: CalendarEntry) -> bytes:
    """The object, UTF-8, folded at 75 octets, CRLF line ends."""
    from icalendar import Calendar, Event, vRecur, vText, vUri

    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", str(entry.method))
    calendar.add_component(vtimezone(meeting.zone, *_span(meeting)))
    event = Event()
    event.add("UID", meeting.uid)
    event.add("SEQUENCE", meeting.sequence)
    event.add("DTSTAMP", entry.stamp.astimezone(UTC))
    zone = meeting.zone
    event.add("DTSTART", meeting.start.replace(tzinfo=zone))
    event.add("DTEND", meeting.end.replace(tzinfo=zone))
    if meeting.recurrence:
        event.add("RRULE", vRecur.from_ical(meeting.recurrence))
    for start in meeting.excluded:
        event.add("EXDATE", start.replace(tzinfo=zone))
    language = {"LANGUAGE": entry.language}
    event.add("SUMMARY", vText(meeting.title), parameters=language)
    event.add("DESCRIPTION", vText(entry.description), parameters=language)
    event.add("LOCATION", vText(entry.location), parameters=language)
    if entry.link:
        event.add("URL", vUri(entry.link))
    event.add("STATUS", "CANCELLED" if entry.method is Method.CANCEL else "CONFIRMED")
    event.add("TRANSP", "OPAQUE")
    event.add("ORGANIZER", f"mailto:{entry.organiser[1]}", parameters=_named(entry.organiser[0]))
    invited = _named(entry.attendee[0]) | {
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "NEEDS-ACTION",
        "RSVP": "TRUE",
    }
    event.add("ATTENDEE", f"mailto:{entry.attendee[1]}", parameters=invited)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _named(name: str) -> dict[str, str]:
    # a parameter cannot hold a double quote (RFC 5545 section 3.2)
    return {"CN": name.replace('"', "'")} if name else {}


def _span(meeting: PlannedMeeting) -> tuple[datetime, datetime]:
    """From the day before the first occurrence to the day after the last, or so many years on."""
    first = meeting.start.replace(tzinfo=meeting.zone).astimezone(UTC) - timedelta(days=1)
    limit = first + timedelta(days=366 * MOST_YEARS)
    last = meeting.last_start(limit) + meeting.duration
    return first, last + timedelta(days=1)
