"""``polyphony`` with a door for tests: a Unix socket through which they do verbs in meetings and read their lists.

What it does is what a surface of the engine does: ``Conferences.open(...).act(...)`` in somebody's name, and a watcher
that is told of every event. One JSON object a line, either way. Run as ``python -m tests.interop.driven_engine``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver

import engine.server
from conference.commands import Command
from conference.refusals import Refused
from engine.cli.main import main
from engine.conferences.conferences import Conferences
from engine.parts import Parts

DOOR = "tests.socket"
COMMANDS = {each.verb.value: each for each in get_args(Command)}
_build = engine.server.build


class Door(LineReceiver):
    """One test's connection."""

    delimiter = b"\n"

    def __init__(self, conferences: Conferences, events: dict[str, list[Any]]) -> None:
        self._conferences = conferences
        self._events = events

    def lineReceived(self, line: bytes) -> None:
        """Do a verb if there is one, then tell how the room is."""
        asked = msgspec.json.decode(line)
        room, refused = asked["room"], None
        if "verb" in asked:
            command = msgspec.convert(asked["fields"], COMMANDS[asked["verb"]])
            try:
                self._conferences.open(room).act(command, asked["by"])
            except Refused as error:
                refused = error.reason.value
        live = self._conferences.live.get(room)
        answer = {
            "refused": refused,
            "defined": self._conferences.find(room) is not None,
            "people": [] if live is None else live.room.participants,
            "locked": live is not None and live.room.state.locked,
            "recording": live is not None and live.room.state.recording_on,
            "events": self._events.get(room, []),
        }
        self.sendLine(msgspec.json.encode(answer))


def build(reactor: Any, *rest: Any) -> Parts:
    """The engine's parts, and the door to them."""
    parts = _build(reactor, *rest)
    conferences = parts.services.conferences
    events: dict[str, list[Any]] = {}
    conferences.watch(lambda live, new: events.setdefault(live.room.definition.number, []).extend(new))
    folder = Path(sys.argv[sys.argv.index("--data") + 1])
    reactor.listenUNIX(str(folder / DOOR), Factory.forProtocol(lambda: Door(conferences, events)))
    return parts


if __name__ == "__main__":
    engine.server.build = build
    main()
