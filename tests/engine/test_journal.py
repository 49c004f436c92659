"""The journal: what is written can be read, however its writer ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from engine import journal as journals
from engine.call.call_state import ConversationState
from engine.journal import BATCH_SECONDS, Journal, read

BOOT = "this-boot"


class Talk:
    """A conversation of which only the number counts."""

    def __init__(self, number: str, *, up: bool = True) -> None:
        self.number = number
        self.up = up

    def state(self) -> ConversationState | None:
        if not self.up:
            return None
        return ConversationState(
            number=self.number, application="echo", range_id=1, parameters={}, memory={"n": 1}, parties=[]
        )


class Desk:
    """A journal in a folder, on a clock turned by hand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "calls.journal"
        self.clock = Clock()
        self.journal = Journal(self.path, self.clock, lambda talk: talk.state(), BOOT)  # type: ignore[attr-defined, arg-type]

    def change(self, *talks: Talk) -> None:
        for talk in talks:
            self.journal.changed(talk)  # type: ignore[arg-type]
        self.clock.advance(BATCH_SECONDS)

    @property
    def numbers(self) -> list[str]:
        return [each.number for each in read(self.path, BOOT)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.journal.start([])
    return made


def test_what_is_up_can_be_read(desk: Desk) -> None:
    """The last word on each; not what rings, nor what has ended; nobody else may read it."""
    one, two, ringing = Talk("1"), Talk("2"), Talk("3", up=False)
    desk.change(one, two, ringing)
    one.number = "11"
    desk.change(one, one)
    desk.journal.over(two)  # type: ignore[arg-type]
    assert desk.numbers == ["11"]
    assert desk.path.stat().st_mode & 0o777 == 0o600
    assert desk.clock.getDelayedCalls() == []


def test_a_change_that_is_none_costs_nothing(desk: Desk) -> None:
    """The same state is not written again, nor the end of what was never kept."""
    one = Talk("1")
    desk.change(one)
    size = desk.path.stat().st_size
    desk.change(one)
    desk.journal.over(Talk("2"))  # type: ignore[arg-type]
    assert desk.path.stat().st_size == size


def test_cut_anywhere(desk: Desk) -> None:
    """What was whole before the cut is read, and nothing raises."""
    desk.change(*[Talk(str(number)) for number in range(5)])
    data = desk.path.read_bytes()
    for size in range(len(data)):
        desk.path.write_bytes(data[:size])
        assert desk.numbers == [str(number) for number in range(len(desk.numbers))]
    desk.path.write_bytes(data[:-3] + bytes(3))
    assert desk.numbers == ["0", "1", "2", "3"]


def test_of_another_boot_or_format(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its times and records mean nothing."""
    desk.change(Talk("1"))
    assert read(desk.path, "another boot") == []
    monkeypatch.setattr(journals, "FORMAT", 2)
    assert desk.numbers == []
    assert read(desk.path.with_name("none"), BOOT) == []


def test_it_does_not_grow_for_ever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written anew when most of it is past; what is up stays in it."""
    monkeypatch.setattr(journals, "LEAST_COMPACTED", 1000)
    stays = Talk("stays")
    desk.change(stays)
    for number in range(200):
        talk = Talk(str(number))
        desk.change(talk)
        desk.journal.over(talk)  # type: ignore[arg-type]
    assert desk.path.stat().st_size < 2000
    assert desk.numbers == ["stays"]


def test_an_orderly_end_leaves_none(desk: Desk) -> None:
    """And no timer."""
    desk.journal.changed(Talk("1"))  # type: ignore[arg-type]
    desk.journal.stop()
    assert not desk.path.exists()
    assert desk.clock.getDelayedCalls() == []
    desk.change(Talk("2"))
    assert not desk.path.exists()
