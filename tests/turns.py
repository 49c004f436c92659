"""Tests that run beside each other, and those that need the machine to themselves.

With pytest-xdist several processes run tests. A test marked ``alone`` measures, or takes all of the processor: it waits
until the tests under way are over, and the others wait for it. Two files locked by the system, which frees them when
a process dies: everybody passes the door with its share of the room, and who wants all of the room holds the door
until the room is empty, so that nobody new comes in.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LONGEST_LAST = ("interop", "hostile", "bench")
"""Folders whose tests wait in real time or need the machine: after those that reckon, so that neither disturbs."""


class Turns:
    """Who may run now, among the processes of one run."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._door = (folder / "door").open("wb")
        self._room = (folder / "room").open("wb")

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Wait for it, and have it."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    def close(self) -> None:
        """Have no part in it any more."""
        self._door.close()
        self._room.close()


def folder_of(config: pytest.Config) -> Path | None:
    """Where the processes of this run meet; None: there is only this one."""
    run = getattr(config, "workerinput", {}).get("testrunuid")
    return None if run is None else folder_named(run)


def folder_named(run: str) -> Path:
    """That of a run."""
    return Path(tempfile.gettempdir()) / f"polyphony-turns-{run}"


def place(path: Path) -> int:
    """Where a file stands in the order of the run; those of one place keep theirs."""
    return max((number for number, name in enumerate(LONGEST_LAST, 1) if name in path.parts), default=0)
