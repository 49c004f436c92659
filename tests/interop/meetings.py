"""Meetings on a running engine: rooms in its store, their lists and events, and verbs done in them."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conference.commands import Command
from conference.definition import RoomDefinition
from engine.config.sections import StoreSection
from engine.store.conferences.records import ConferenceRoom
from engine.store.store import Store
from tests.interop.driven_engine import DOOR
from tests.interop.engine_process import Engine

PATIENCE = 30.0
"""Seconds after which something will not come any more; long, for the machine may be busy with much else."""
CONSOLE = "console"
"""The name verbs are done in when no participant does them."""


def eventually(
    condition: Callable[[], Any], what: Callable[[], object] | str, patience: float = PATIENCE
) -> Any:
    """Wait until it is true; what it gave. what: told when it does not come true."""
    end = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Told:
    """A room at a moment: the list, its switches and all its events since the engine has started."""

    refused: str | None
    defined: bool
    people: list[dict[str, Any]]
    locked: bool
    recording: bool
    events: list[dict[str, Any]]

    def one(self, number: str) -> dict[str, Any] | None:
        """The entry of a number."""
        return next((each for each in self.people if each["number"] == number), None)


class MeetingEngine(Engine):
    """An engine with a door for tests."""

    program = (sys.executable, "-m", "tests.interop.driven_engine")

    def __init__(
        self, folder: Path, rooms: Iterable[RoomDefinition], settings: Mapping[str, str | None] | None = None
    ) -> None:
        super().__init__(folder, settings)
        self._rooms = list(rooms)
        self._door: socket.socket | None = None

    def define(self, *rooms: RoomDefinition) -> None:
        """Rooms that callers can reach from now on."""
        store = Store(StoreSection().url_in(self.data))
        store.open()
        try:
            for each in rooms:
                store.rooms.add(ConferenceRoom(definition=each))
        finally:
            store.close()
        self.reload()
        for each in rooms:
            eventually(lambda each=each: self.told(each.number).defined, f"room {each.number}")

    def __enter__(self) -> MeetingEngine:
        super().__enter__()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.settimeout(PATIENCE)
        self._door.connect(str(self.data / DOOR))
        self.define(*self._rooms)
        return self

    def __exit__(self, *failure: Any) -> None:
        if self._door is not None:
            self._door.close()
        super().__exit__(*failure)

    def told(self, room: str, **more: object) -> Told:
        """How a room is now."""
        assert self._door is not None
        self._door.sendall(json.dumps({"room": room, **more}).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += self._door.recv(1 << 20)
        return Told(**json.loads(answer))

    def act(self, room: str, command: Command, by: int | str = CONSOLE) -> Told:
        """Do a verb."""
        return self.told(room, verb=command.verb.value, fields=asdict(command), by=by)
