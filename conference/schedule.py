"""Planned meetings: when each begins and ends, in its own time zone, and which one a room is open for.

A meeting recurs on the wall clock of its zone, so 10:00 stays 10:00 when clocks change. A time the clocks skip, or
have twice, is understood as RFC 5545 section 3.3.5 has it: by the offset before the gap, and the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conference.recurrence import Recurrence, RecurrenceError, parse_recurrence

LONGEST = timedelta(hours=24)
MOST_EARLY_MINUTES = 240
YEARS = range(2000, 2200)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time a meeting is held. Aware, in the meeting's zone; ``opens``: when one may come in."""

    opens: datetime
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMeeting:
    """A meeting with a time. Raises ValueError, its text the field's name and what was expected.

    room: its number. start, end: of the first occurrence, naive, on the wall clock of ``time_zone`` (an IANA name).
    recurrence: an RRULE value (``conference.recurrence``); empty: it is held once. excluded: starts that are left
    out (EXDATE). early_minutes: how long before the start one may come in. uid, sequence: what calendars know it by
    (RFC 5545 sections 3.8.4.7 and 3.8.7.4). language: of what is sent to the organiser.
    """

    uid: str
    room: str
    title: str
    start: datetime
    end: datetime
    time_zone: str
    recurrence: str = ""
    excluded: tuple[datetime, ...] = ()
    early_minutes: int = 15
    description: str = ""
    organiser_name: str = ""
    organiser_address: str = ""
    language: str = "en"
    sequence: int = 0
    cancelled: bool = False
    id: int = 0

    def __post_init__(self) -> None:
        for name, at in (
            ("start", self.start),
            ("end", self.end),
            *(("excluded", at) for at in self.excluded),
        ):
            if at.tzinfo is not None or at.microsecond or at.year not in YEARS:
                raise ValueError(
                    f"{name}: a date and time in whole seconds, without an offset, {YEARS[0]}-{YEARS[-1]}"
                )
        if _ZONE.fullmatch(self.time_zone) is None:
            raise ValueError("time_zone: a name of the IANA time zone database such as Europe/Paris")
        try:
            zone = self.zone
        except (ZoneInfoNotFoundError, OSError, ValueError):  # also what a folder of the database raises
            raise ValueError(
                "time_zone: a name of the IANA time zone database such as Europe/Paris"
            ) from None
        if not timedelta(0) < _instant(self.end, zone) - _instant(self.start, zone) <= LONGEST:
            raise ValueError("end: after the start, by 24 hours at most")
        if not 0 <= self.early_minutes <= MOST_EARLY_MINUTES:
            raise ValueError(f"early_minutes: 0 to {MOST_EARLY_MINUTES}")
        try:
            rule = self._rule
        except RecurrenceError as error:
            raise ValueError(f"recurrence: {error}") from None
        if rule is not None and rule.until is not None and rule.until < _instant(self.start, zone):
            raise ValueError("recurrence: an UNTIL that is not before the start")

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def duration(self) -> timedelta:
        """How long each occurrence is, exactly: with DTEND, all are as long as the first (RFC 5545 section 3.8.5.3)."""
        return _instant(self.end, self.zone) - _instant(self.start, self.zone)

    @property
    def _rule(self) -> Recurrence | None:
        return parse_recurrence(self.recurrence, self.start) if self.recurrence else None

    def occurrences(self, after: datetime) -> Iterator[Occurrence]:
        """Those that are not over at ``after`` (aware), in order; without end where the rule has none."""
        if self.cancelled:
            return
        zone, duration, early = self.zone, self.duration, timedelta(minutes=self.early_minutes)
        excluded = frozenset(self.excluded)
        # a day before, so that no change of the clocks leaves one out
        wall = after.astimezone(zone).replace(tzinfo=None) - duration - timedelta(days=1)
        for start in self._starts(wall):
            begins = _instant(start, zone)
            ends = begins + duration
            if ends > after and start not in excluded:
                yield Occurrence(*(each.astimezone(zone) for each in (begins - early, begins, ends)))

    def _starts(self, after: datetime | None = None) -> Iterator[datetime]:
        rule = self._rule
        if rule is None:
            return iter((self.start,))
        starts = takewhile(lambda each: each.year in YEARS, rule.starts(self.start, after))
        until, zone = rule.until, self.zone
        if until is None:
            return starts
        return takewhile(lambda each: _instant(each, zone) <= until, starts)

    def last_start(self, limit: datetime) -> datetime:
        """When the last occurrence that begins up to ``limit`` begins, left-out and cancelled ones included; UTC."""
        last = _instant(self.start, self.zone)
        for start in self._starts():
            begins = _instant(start, self.zone)
            if begins > limit:
                break
            last = begins
        return last

    def next(self, now: datetime) -> Occurrence | None:
        """The one that is being held, or the next to be; None when it is over for good."""
        return next(self.occurrences(now), None)


class Agenda:
    """The meetings of all rooms; remembers when each is next held, so that a call costs no search."""

    def __init__(self, meetings: Iterable[PlannedMeeting] = ()) -> None:
        self._of: dict[str, list[PlannedMeeting]] = {}
        self._next: dict[str, Occurrence | None] = {}
        for each in meetings:
            self._of.setdefault(each.room, []).append(each)

    def open(self, room: str, now: datetime) -> tuple[PlannedMeeting, Occurrence] | None:
        """For which of a room's meetings one may come in now (aware), if for any.

        Where the early entry of one overlaps the other's time, it is the one that is being held; of two that are held
        at once, the one that began last.
        """
        found = [each for each in self._coming(room, now) if each[1].opens <= now]
        return max(found, key=lambda each: (each[1].start <= now, _nearness(each[1], now)), default=None)

    def coming(self, room: str, now: datetime) -> tuple[PlannedMeeting, Occurrence] | None:
        """Which of a room's meetings comes next, one that is being held first."""
        return min(self._coming(room, now), key=lambda each: each[1].start, default=None)

    def planned(self, room: str) -> bool:
        """Whether any meeting was ever planned for the room."""
        return room in self._of

    def _coming(self, room: str, now: datetime) -> Iterator[tuple[PlannedMeeting, Occurrence]]:
        for meeting in self._of.get(room, ()):
            known = self._next.get(meeting.uid)
            if meeting.uid not in self._next or (known is not None and known.end <= now):
                known = self._next[meeting.uid] = meeting.next(now)
            if known is not None:
                yield meeting, known


def _nearness(occurrence: Occurrence, now: datetime) -> timedelta:
    """More for what begins, or began, nearer to now."""
    return -abs(occurrence.start - now)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant, in UTC: aware times of one zone are compared by the wall clock, not by time."""
    return local.replace(tzinfo=zone).astimezone(UTC)
