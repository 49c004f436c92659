"""A time zone as calendars exchange it: VTIMEZONE (RFC 5545 section 3.6.5), for the years a meeting needs.

Every change of the clock is written out (RDATE), since the zone database has no rules to copy; the onset of each is
on the wall clock it ends, as section 3.6.5 asks. The `icalendar` package has a generator of its own, which puts the
beginning of summer time an hour late (7.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from icalendar import Component, Timezone

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Change:
    """The clocks change at the instant ``at`` (aware, UTC). name: what the new time is called (CEST)."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str
    is_summer: bool

    @property
    def onset(self) -> datetime:
        """When it is on the clock that is about to change, naive."""
        return (self.at + self.before).replace(tzinfo=None)


def changes(zone: ZoneInfo, first: datetime, last: datetime) -> list[Change]:
    """Every change from ``first`` to ``last``, aware and in UTC, to the minute. Two within a day count as one."""
    found = []
    day = first
    while day < last:
        if _offset(zone, day) != _offset(zone, day + _DAY):
            found.append(_change(zone, _instant(zone, day, day + _DAY)))
        day += _DAY
    return found


def vtimezone(zone: ZoneInfo, first: datetime, last: datetime) -> Timezone:
    """The component for a meeting between ``first`` and ``last``, aware and in UTC."""
    from icalendar import Timezone  # with its parser and property tables: 10 MB

    component = Timezone()
    component.add("TZID", zone.key)
    begins = _change(zone, first)
    midnight = begins.at.astimezone(zone).replace(hour=0, minute=0, second=0, tzinfo=None)
    component.add_component(_observance(begins, [midnight], begins.after))
    kinds: dict[tuple[timedelta, timedelta, str], list[Change]] = {}
    for change in changes(zone, first, last):
        kinds.setdefault((change.before, change.after, change.name), []).append(change)
    for alike in kinds.values():
        onsets = [each.onset for each in alike]
        component.add_component(_observance(alike[0], onsets, alike[0].before))
    return component


def _observance(change: Change, onsets: list[datetime], before: timedelta) -> Component:
    from icalendar import TimezoneDaylight, TimezoneStandard

    observance = TimezoneDaylight() if change.is_summer else TimezoneStandard()
    observance.add("DTSTART", onsets[0])
    for onset in onsets[1:]:
        observance.add("RDATE", onset)
    observance.add("TZOFFSETFROM", before)
    observance.add("TZOFFSETTO", change.after)
    observance.add("TZNAME", change.name)
    return observance


def _change(zone: ZoneInfo, at: datetime) -> Change:
    local = at.astimezone(zone)
    name = local.tzname() or zone.key
    return Change(at, _offset(zone, at - _MINUTE), _offset(zone, at), name, bool(local.dst()))


def _instant(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first minute of the new offset, which ``after`` has and ``before`` has not."""
    new = _offset(zone, after)
    low, high = 0, (after - before) // _MINUTE
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, before + middle * _MINUTE) == new else (middle, high)
    return before + high * _MINUTE


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None, "every zone of the database has one"
    return offset
