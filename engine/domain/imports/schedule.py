"""When an import runs by itself: daily at hh:mm, every n minutes, every n hours, or never.

Written ``daily 03:30``, ``every 15 minutes``, ``every 2 hours``; empty: by hand only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

_DAILY = re.compile(r"daily (\d\d):(\d\d)", re.ASCII)
_EVERY = re.compile(r"every (\d{1,4}) (minute|hour)s?", re.ASCII)
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=7)


class ScheduleError(ValueError):
    """The text is no schedule."""


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day, at the wall clock's time."""

    at: time

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first time after ``moment``.

        A time that the clock leaves out in spring comes as much later; one it shows twice in autumn counts once.
        """
        day = moment.astimezone(zone).date()
        for days in range(3):
            found = datetime.combine(day + timedelta(days), self.at, zone).astimezone(UTC)
            if found > moment:
                return found
        raise AssertionError("a day has a time within two days")

    def __str__(self) -> str:
        return f"daily {self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, so long after the last start."""

    period: timedelta

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """So long after ``moment``, whatever the clock shows."""
        return moment.astimezone(UTC) + self.period

    def __str__(self) -> str:
        minutes = int(self.period.total_seconds()) // 60
        number, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
        return f"every {number} {unit}{'' if number == 1 else 's'}"


Schedule = Daily | Every


def parse_schedule(text: str) -> Schedule | None:
    """Read a schedule; None for an empty text. Raises ScheduleError."""
    if not text:
        return None
    if found := _DAILY.fullmatch(text):
        hour, minute = int(found[1]), int(found[2])
        if hour < 24 and minute < 60:
            return Daily(time(hour, minute))
    elif found := _EVERY.fullmatch(text):
        period = timedelta(**{f"{found[2]}s": int(found[1])})
        if SHORTEST <= period <= LONGEST:
            return Every(period)
    raise ScheduleError("daily hh:mm, every n minutes or hours (1 minute to 7 days), or nothing")
