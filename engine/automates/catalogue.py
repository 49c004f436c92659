"""The applications an automate range can name."""

from __future__ import annotations

from collections.abc import Callable

from engine.automates.announcement import Announcement
from engine.automates.application import Application, AutomateContext
from engine.automates.conference import Conference
from engine.automates.echo import Echo
from engine.automates.readback import Readback
from engine.automates.recorder import Recorder
from engine.automates.room import Room

APPLICATIONS: dict[str, Callable[[AutomateContext], Application]] = {
    "echo": Echo,
    "announcement": Announcement,
    "readback": Readback,
    "recorder": Recorder,
    "room": Room,
    "conference": Conference,
}
"""Name in the store to what it does."""

HEAR_DIGITS = frozenset({"readback", "conference"})
"""Those that do something with keys: only their callers' sound is searched for digits."""
