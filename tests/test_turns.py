"""The turns of tests that run in several processes, each with its own files, as here each ``Turns`` has."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

import pytest

from tests.turns import Turns, place


def door_is_held(folder: Path) -> bool:
    with (folder / "door").open("wb") as door:
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_who_is_alone_waits_for_the_others_and_they_for_him(tmp_path: Path) -> None:
    """Two run beside each other; the third waits for both, and the fourth for the third."""
    order: list[str] = []
    one, two, alone, later = (Turns(tmp_path) for _ in range(4))

    def run(turns: Turns, name: str, *, by_himself: bool) -> None:
        with turns.turn(alone=by_himself):
            order.append(name)

    waiting = [
        threading.Thread(target=run, args=(alone, "alone"), kwargs={"by_himself": True}),
        threading.Thread(target=run, args=(later, "later"), kwargs={"by_himself": False}),
    ]
    with one.turn(alone=False):
        with two.turn(alone=False):
            waiting[0].start()
            while not door_is_held(tmp_path):
                time.sleep(0.01)
            waiting[1].start()
            order.append("two")
        order.append("one")
    for thread in waiting:
        thread.join()
    assert order == ["two", "one", "alone", "later"]
    for each in (one, two, alone, later):
        each.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [("tests/sip/test_uri.py", 0), ("tests/interop/test_pbx.py", 1), ("tests/engine/bench/test_heard.py", 3)],
)
def test_the_order_of_files(path: str, expected: int) -> None:
    """Those that reckon come first."""
    assert place(Path(path)) == expected
