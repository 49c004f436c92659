"""Recurrence rules (RFC 5545 section 3.3.10): which a planned meeting may have, and the days they give.

The days come from python-dateutil, on the wall clock; what is checked before is what could not be expanded in bounded
time, or means nothing for a meeting: a rule by the hour, one whose first occurrence is not the meeting's start.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST_RULE = 255
MOST_OCCURRENCES = 1000
"""COUNT at most; a rule without an end has no such limit."""
MOST_INTERVAL = 99
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")  # as datetime.weekday counts

_NUMBERS = r"[+-]?[0-9]{1,3}(,[+-]?[0-9]{1,3}){0,30}"
_DAYS = r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)"
_PARTS = {
    "FREQ": re.compile(r"DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": re.compile(r"[0-9]{1,2}"),
    "COUNT": re.compile(r"[0-9]{1,4}"),
    "UNTIL": re.compile(r"[0-9]{8}T[0-9]{6}Z"),
    "BYDAY": re.compile(rf"{_DAYS}(,{_DAYS}){{0,20}}"),
    "BYMONTHDAY": re.compile(_NUMBERS),
    "BYMONTH": re.compile(r"(0?[1-9]|1[0-2])(,(0?[1-9]|1[0-2])){0,11}"),
    "BYSETPOS": re.compile(r"[+-]?[1-4]"),
    "WKST": re.compile(r"MO|TU|WE|TH|FR|SA|SU"),
}
# Which parts a frequency takes beside those every one has. A day of the month with DAILY, or numbered days with
# WEEKLY, can be said by another frequency; so a rule finds its next day within a few steps.
_EVERY = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH"}
_MORE = {
    "DAILY": set[str](),
    "WEEKLY": set[str](),
    "MONTHLY": {"BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {"BYMONTHDAY"},
}
_STEPS = {"DAILY": 1, "WEEKLY": 7}
"""Days after which a rule without COUNT begins anew; months and years are not of equal length."""


class RecurrenceError(ValueError):
    """The rule cannot be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A checked rule. until: the last instant an occurrence may begin, aware, in UTC."""

    rule: str
    until: datetime | None

    def starts(self, first: datetime, after: datetime | None = None) -> Iterator[datetime]:
        """When it begins, on the wall clock and from ``first`` on, which is naive.

        after: naive; those before may be left out, so that a daily meeting of many years costs no more than a new one.
        ``until`` is the caller's to heed: it is an instant, and this knows no zone.
        """
        from dateutil.rrule import rrulestr  # only where something recurs

        parts = dict(each.split("=") for each in self.rule.split(";"))
        parts.pop("UNTIL", None)
        step = _STEPS.get(parts["FREQ"], 0) * int(parts.get("INTERVAL", "1"))
        if after is not None and step and "COUNT" not in parts:
            first += timedelta(days=step) * max(0, (after - first).days // step - 1)
        yield from rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=first)


def parse_recurrence(text: str, first: datetime) -> Recurrence:
    """Check an RRULE value (without ``RRULE:``) for a meeting that begins at ``first``, naive.

    Raises RecurrenceError.
    """
    parts = _parts(text)
    frequency = parts["FREQ"]
    for name in parts:
        if name not in _EVERY | _MORE[frequency]:
            raise RecurrenceError(f"{name} is not taken with FREQ={frequency}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise RecurrenceError("COUNT or UNTIL, not both")
    if not 1 <= int(parts.get("INTERVAL", "1")) <= MOST_INTERVAL:
        raise RecurrenceError(f"INTERVAL from 1 to {MOST_INTERVAL}")
    if not 1 <= int(parts.get("COUNT", "1")) <= MOST_OCCURRENCES:
        raise RecurrenceError(f"COUNT from 1 to {MOST_OCCURRENCES}")
    _refuse_numbered_days(frequency, parts)
    _refuse_never(parts)
    found = Recurrence(text, _until(parts.get("UNTIL")))
    if not _first_is_one(parts, first) or next(found.starts(first), None) != first:
        raise RecurrenceError("a rule that the start is the first occurrence of")
    return found


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_RULE:
        raise RecurrenceError(f"at most {LONGEST_RULE} characters")
    parts: dict[str, str] = {}
    for each in text.split(";"):
        name, _, value = each.partition("=")
        pattern = _PARTS.get(name)
        if pattern is None:
            raise RecurrenceError(
                "FREQ with INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS or WKST"
            )
        if name in parts:
            raise RecurrenceError(f"{name} once")
        if pattern.fullmatch(value) is None:
            raise RecurrenceError(
                f"a {name} of RFC 5545 section 3.3.10, UNTIL as UTC and no more often than daily"
            )
        parts[name] = value
    if "FREQ" not in parts:
        raise RecurrenceError("FREQ")
    return parts


def _refuse_numbered_days(frequency: str, parts: dict[str, str]) -> None:
    """A number before a weekday means nothing by the day or the week, RFC 5545 section 3.3.10."""
    numbered = any(character.isdigit() for character in parts.get("BYDAY", ""))
    if numbered and frequency in ("DAILY", "WEEKLY"):
        raise RecurrenceError("numbered days with FREQ=MONTHLY or YEARLY only")
    if numbered and any(abs(int(each[:-2])) > 5 or int(each[:-2]) == 0 for each in _numbered(parts)):
        raise RecurrenceError("numbered days from 1 to 5 or -1 to -5")


def _refuse_never(parts: dict[str, str]) -> None:
    """What may have no day at all, and would be sought until the year 9999."""
    numbered = any(character.isdigit() for character in parts.get("BYDAY", ""))
    if numbered and "BYMONTHDAY" in parts:
        raise RecurrenceError("numbered days or BYMONTHDAY, not both")
    if "BYSETPOS" in parts and ("BYMONTHDAY" in parts or numbered or "," not in parts.get("BYDAY", "")):
        raise RecurrenceError("BYSETPOS with a BYDAY of several days without numbers, and without BYMONTHDAY")


def _numbered(parts: dict[str, str]) -> list[str]:
    return [each for each in parts["BYDAY"].split(",") if len(each) > 2]


def _until(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RecurrenceError("an UNTIL that is in the calendar") from None


def _first_is_one(parts: dict[str, str], first: datetime) -> bool:
    """Whether ``first`` can be an occurrence, found without going through the calendar: one that is none could be
    sought until the year 9999."""
    if "BYMONTH" in parts and first.month not in map(int, parts["BYMONTH"].split(",")):
        return False
    if "BYDAY" in parts and WEEKDAYS[first.weekday()] not in {
        each[-2:] for each in parts["BYDAY"].split(",")
    }:
        return False
    if "BYMONTHDAY" not in parts:
        return True
    return any(
        int(each) == first.day or int(each) == first.day - _days_in_month(first) - 1
        for each in parts["BYMONTHDAY"].split(",")
    )


def _days_in_month(day: datetime) -> int:
    return calendar.monthrange(day.year, day.month)[1]
