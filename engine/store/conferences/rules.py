"""What a record of conferences must hold before it is stored; ``Invalid`` names the field and what was expected."""

from __future__ import annotations

import re
from typing import Any

from conference.definition import MOST_DIGITS, RoomDefinition
from conference.schedule import PlannedMeeting
from engine.mail.address import MAIL_ADDRESS
from engine.store.conferences.records import ConferencePolicy, ConferenceRoom, Invitee, PolicyScope, RoomRange
from engine.store.errors import Invalid

LANGUAGES = ("en", "fr")
LONGEST_NAME = 80
LONGEST_OWNER = 64
LONGEST_TITLE = 120
LONGEST_DESCRIPTION = 4000
LARGEST_RANGE = 10_000
LARGEST_ROOM = 100_000
MOST_MEMBERS = 10_000
MOST_INVITEES = 1000
MOST_EXCLUDED = 1000
LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3, without its angle brackets

DIGITS = re.compile(rf"[0-9]{{1,{MOST_DIGITS}}}")
UID = re.compile(r"[A-Za-z0-9@._-]{1,255}")


def room_definition(**values: Any) -> RoomDefinition:
    """A definition from outside. Raises Invalid, naming the field."""
    try:
        return RoomDefinition(**values)
    except ValueError as error:
        raise invalid(error) from None


def planned_meeting(**values: Any) -> PlannedMeeting:
    """A meeting from outside. Raises Invalid, naming the field."""
    try:
        return PlannedMeeting(**values)
    except ValueError as error:
        raise invalid(error) from None


def invalid(error: ValueError) -> Invalid:
    """What a dataclass of ``conference`` refuses (``field: what was expected``), as the store says it."""
    name, separator, expected = str(error).partition(": ")
    return Invalid(name, expected) if separator else Invalid("value", name)


def check_room(room: ConferenceRoom) -> None:
    """Refuse a room nobody could call, or whose texts could not be shown."""
    definition = room.definition
    if not definition.number:
        raise Invalid("number", f"1 to {MOST_DIGITS} digits")
    check_line("name", definition.name, LONGEST_NAME)
    check_line("domain", definition.domain, LONGEST_OWNER)
    if definition.owner is not None:
        check_line("owner", definition.owner, LONGEST_OWNER, empty=False)
    if definition.max_participants > LARGEST_ROOM:
        raise Invalid("max_participants", f"at most {LARGEST_ROOM}")
    if definition.loudest > LARGEST_ROOM:
        raise Invalid("loudest", f"at most {LARGEST_ROOM}")
    check_language(definition.language)
    if room.owner_address:
        check_address("owner_address", room.owner_address)


def check_range(numbers: RoomRange) -> None:
    """Refuse a range whose numbers cannot be counted, or are too many."""
    if DIGITS.fullmatch(numbers.first_number) is None:
        raise Invalid("first_number", f"1 to {MOST_DIGITS} digits")
    if not 1 <= numbers.count <= LARGEST_RANGE:
        raise Invalid("count", f"1 to {LARGEST_RANGE} numbers")
    if len(str(int(numbers.first_number) + numbers.count - 1)) > len(numbers.first_number):
        raise Invalid("count", "a last number with as many digits as the first")
    check_line("domain", numbers.domain, LONGEST_OWNER)


def check_policy(policy: ConferencePolicy) -> None:
    """Refuse a policy for nobody, or that lets nobody in."""
    if policy.scope is PolicyScope.DEFAULT and policy.name:
        raise Invalid("name", "none for the default")
    if policy.scope is not PolicyScope.DEFAULT:
        check_line("name", policy.name, LONGEST_OWNER, empty=False)
    if policy.members and policy.scope is not PolicyScope.GROUP:
        raise Invalid("members", "none but for a group")
    if len(policy.members) > MOST_MEMBERS or len(set(policy.members)) != len(policy.members):
        raise Invalid("members", f"at most {MOST_MEMBERS}, each once")
    for member in policy.members:
        check_line("members", member, LONGEST_OWNER, empty=False)
    most = policy.choices.max_participants
    if most is not None and not 1 <= most <= LARGEST_ROOM:
        raise Invalid("max_participants", f"1 to {LARGEST_ROOM}, or none")


def check_meeting(meeting: PlannedMeeting) -> None:
    """Refuse a meeting whose texts could not be sent; its times it checks itself."""
    if UID.fullmatch(meeting.uid) is None:
        raise Invalid("uid", "1 to 255 letters, digits or @._-")
    check_line("title", meeting.title, LONGEST_TITLE, empty=False)
    check_text("description", meeting.description, LONGEST_DESCRIPTION)
    check_line("organiser_name", meeting.organiser_name, LONGEST_NAME)
    if meeting.organiser_address:
        check_address("organiser_address", meeting.organiser_address)
    if len(meeting.excluded) > MOST_EXCLUDED:
        raise Invalid("excluded", f"at most {MOST_EXCLUDED}")
    check_language(meeting.language)


def check_invitees(invitees: tuple[Invitee, ...]) -> None:
    """Refuse a list that has somebody twice, is too long, or holds what is no address."""
    if len(invitees) > MOST_INVITEES:
        raise Invalid("invitees", f"at most {MOST_INVITEES}")
    if len({each.address.lower() for each in invitees}) != len(invitees):
        raise Invalid("invitees", "every address once")
    for each in invitees:
        check_address("invitees", each.address)
        check_line("invitees", each.name, LONGEST_NAME)
        check_language(each.language)


def check_address(field: str, address: str) -> None:
    """Refuse what is no plain e-mail address (RFC 5321, ASCII, no quoted local part)."""
    if len(address) > LONGEST_ADDRESS or MAIL_ADDRESS.fullmatch(address) is None:
        raise Invalid(field, "an e-mail address such as zoe@example.com")


def check_language(language: str) -> None:
    """Refuse what nothing is written or spoken in."""
    if language not in LANGUAGES:
        raise Invalid("language", " or ".join(LANGUAGES))


def check_line(field: str, text: str, length: int, *, empty: bool = True) -> None:
    """Refuse what is not one printable line."""
    if len(text) > length or not text.isprintable() or (not empty and not text.strip()):
        raise Invalid(field, f"{'at most' if empty else '1 to'} {length} characters on one line")


def check_text(field: str, text: str, length: int) -> None:
    """Refuse a text with control characters other than line ends."""
    if len(text) > length or not text.replace("\n", "").isprintable():
        raise Invalid(field, f"at most {length} characters, printable, and line feeds")
