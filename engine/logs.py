"""Logging: one event a line, to standard error or a file, as text or JSON, control characters escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    globalLogBeginner,
)
from zope.interface import implementer

from engine.config.sections import LogSection

_KEPT = ("call_id", "trace", "link", "number", "worker", "room")
"""Fields a JSON line carries as fields of their own."""


@implementer(ILogObserver)
class LineObserver:
    """Writes each event as one line. Text from the network cannot begin a second one (security reference G5)."""

    def __init__(self, out: IO[str], form: str) -> None:
        self._out = out
        self._line = _json_line if form == "json" else _text_line

    def __call__(self, event: LogEvent) -> None:
        """Write ``event``."""
        self._out.write(self._line(event) + "\n")
        self._out.flush()


class Logging:
    """The observer with a level that can change while it runs."""

    def __init__(self, section: LogSection) -> None:
        self._predicate = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(section.level))
        # Twisted tells of each port it opens and each request it serves; that is for its own developers.
        for namespace in ("twisted", "log_legacy", "-"):
            self._predicate.setLogLevelForNamespace(namespace, LogLevel.warn)
        self._section = section

    def begin(self) -> None:
        """Send everything logged from now on (and what was buffered before) to the configured place.

        Raises:
            OSError: the file cannot be opened.
        """
        out: IO[str] = sys.stderr
        if self._section.file:
            out = Path(self._section.file).open("a", encoding="utf-8")  # noqa: SIM115  # as long as the process
        globalLogBeginner.beginLoggingTo([self.observer(out)], redirectStandardIO=False)

    def observer(self, out: IO[str]) -> ILogObserver:
        """What writes to ``out`` the events of the level of the moment."""
        return FilteringLogObserver(LineObserver(out, self._section.format), [self._predicate])

    def set_level(self, level: str) -> None:
        """Change the least severe level that is written."""
        self._predicate.setLogLevelForNamespace("", LogLevel.levelWithName(level))


def _message(event: LogEvent) -> str:
    text = _formatted(event)
    failure = event.get("log_failure")
    if failure is not None:
        text += " | " + " | ".join(failure.getTraceback().strip().splitlines())
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def _formatted(event: LogEvent) -> str:
    """The event's text. Twisted's formatter can call and look into what it formats and takes ten times as long."""
    form = event.get("log_format")
    if type(form) is str and "(" not in form:
        try:
            return form.format_map(event)
        except Exception:  # whatever an object's own words raise, Twisted's formatter tells of it
            return formatEvent(event)
    return formatEvent(event)


def _level(event: Mapping[str, object]) -> str:
    level = event.get("log_level")
    return str(getattr(level, "name", "info"))


def _time(event: LogEvent) -> float:
    when = event.get("log_time", 0.0)
    return float(when)


def _text_line(event: LogEvent) -> str:
    when = datetime.fromtimestamp(_time(event), UTC).isoformat(timespec="milliseconds")[:-6]
    return f"{when}Z {_level(event):5} {_message(event)}"


def _json_line(event: LogEvent) -> str:
    fields: dict[str, object] = {
        "time": round(_time(event), 3),
        "level": _level(event),
        "logger": event.get("log_namespace", ""),
        "message": _message(event),
    }
    fields.update({name: str(event[name]) for name in _KEPT if name in event})
    return json.dumps(fields, ensure_ascii=True)
