"""Descriptors served directly: at once when there is little to do, once a quantum when there is much."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import cast

import pytest
from twisted.internet.interfaces import IReadDescriptor

from engine.reactor import QUANTUM, DirectReading


class Reader:
    """Takes what comes to a socket, and remembers when the loop let it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ours, self.peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.setblocking(False)
        self.loop = loop
        self.turns: list[int] = []

    def fileno(self) -> int:
        return self.ours.fileno()

    def doRead(self) -> None:
        taken = 0
        while True:
            try:
                self.ours.recv(100)
            except BlockingIOError:
                break
            taken += 1
        self.turns.append(taken)

    def close(self) -> None:
        self.ours.close()
        self.peer.close()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def reader(loop: asyncio.AbstractEventLoop) -> Iterator[Reader]:
    made = Reader(loop)
    yield made
    made.close()


def test_a_single_message_is_served_in_the_same_turn(loop: asyncio.AbstractEventLoop, reader: Reader) -> None:
    reading = DirectReading(loop)
    reading.add(cast(IReadDescriptor, reader))
    reader.peer.send(b"x")
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    assert reader.turns == [1]
    reading.close()


def test_many_messages_are_served_several_at_once_and_none_is_lost(
    loop: asyncio.AbstractEventLoop, reader: Reader
) -> None:
    reading = DirectReading(loop)
    reading.add(cast(IReadDescriptor, reader))

    async def send() -> None:
        for _ in range(200):
            reader.peer.send(b"x")
            await asyncio.sleep(QUANTUM / 20)
        await asyncio.sleep(3 * QUANTUM)

    loop.run_until_complete(send())
    assert sum(reader.turns) == 200
    assert len(reader.turns) < 100
    reading.close()


def test_a_reader_that_could_not_read_all_is_called_again_at_once(
    loop: asyncio.AbstractEventLoop, reader: Reader
) -> None:
    """A flood: the socket's queue must be empty long before a quantum is over."""
    reading = DirectReading(loop)

    class Sipping(Reader):
        drained = True

        def doRead(self) -> None:
            self.ours.recv(100)
            self.turns.append(1)
            self.drained = len(self.turns) == 50

    sipping = Sipping(loop)
    reading.add(cast(IReadDescriptor, sipping))
    for _ in range(50):
        sipping.peer.send(b"x")
    loop.run_until_complete(asyncio.sleep(2 * QUANTUM))
    assert len(sipping.turns) == 50
    reading.close()
    sipping.close()


def test_after_a_rush_messages_are_served_at_once_again(
    loop: asyncio.AbstractEventLoop, reader: Reader
) -> None:
    reading = DirectReading(loop)
    reading.add(cast(IReadDescriptor, reader))

    async def rush() -> None:
        for _ in range(20):
            reader.peer.send(b"x")
            await asyncio.sleep(0)
        await asyncio.sleep(25 * QUANTUM)

    loop.run_until_complete(rush())
    reader.turns.clear()
    reader.peer.send(b"x")
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    assert reader.turns == [1]
    reading.close()


def test_a_reader_removed_by_another_is_not_called(loop: asyncio.AbstractEventLoop, reader: Reader) -> None:
    reading = DirectReading(loop)
    other = Reader(loop)

    class Closing(Reader):
        def doRead(self) -> None:
            super().doRead()
            reading.remove(cast(IReadDescriptor, other))

    closing = Closing(loop)
    for each in (closing, other):
        reading.add(cast(IReadDescriptor, each))
        each.peer.send(b"x")
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    assert closing.turns == [1]
    assert other.turns == []
    assert reading.readers() == [closing]
    reading.close()
    closing.close()
    other.close()


def test_a_part_is_told_when_a_turn_begins_and_when_it_is_over(
    loop: asyncio.AbstractEventLoop, reader: Reader
) -> None:
    told: list[str] = []

    class Part:
        def begin_turn(self) -> None:
            told.append(f"begin after {len(reader.turns)}")

        def end_turn(self) -> None:
            told.append(f"end after {len(reader.turns)}")

    reading = DirectReading(loop)
    reading.join_turns(Part())
    reading.add(cast(IReadDescriptor, reader))
    reader.peer.send(b"x")
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    assert told == ["begin after 0", "end after 1"]
    reading.close()
