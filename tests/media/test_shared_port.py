"""A port many legs share: who is heard on it, who is not, and what happens to those who do not fit."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import control
from media.datagrams import AVAILABLE
from media.rtcp import ReceiverReport, SenderReport, parse_compound
from media.rtp import FRAME, Integers, Octets
from media.shared_port import MOST_ROUNDS, SharedPort, _fill_holes, _turns
from tests.media.test_worker import frames, loudest, tone
from tests.media.worker_process import Phone, WorkerProcess, pace
from tests.port_share import port_share

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="recvmmsg is not to be had here")

Taken = list[tuple[int, bytes]]


def bound() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 0))
    opened.setblocking(False)
    return opened


@pytest.fixture
def phones() -> Iterator[list[socket.socket]]:
    made = [bound() for _ in range(4)]
    yield made
    for each in made:
        each.close()


@pytest.fixture
def port() -> Iterator[SharedPort]:
    rtp = bound()
    made = SharedPort(rtp, bound(), rtp.getsockname()[1])
    yield made
    made.close()


def taker() -> tuple[list[Taken], Callable[[Integers, Octets, Integers], None]]:
    """What is handed on, a list a call."""
    calls: list[Taken] = []

    def take(slots: Integers, raw: Octets, sizes: Integers) -> None:
        assert len(set(slots.tolist())) == len(slots), "the plane takes one packet a leg at a time"
        found = zip(slots.tolist(), sizes.tolist(), strict=True)
        calls.append([(slot, raw[row, :size].tobytes()) for row, (slot, size) in enumerate(found)])

    return calls, take


def seat(port: SharedPort, slot: int, phone: socket.socket, rtcp_port: int = 9) -> None:
    assert port.claim(slot, phone.getsockname())
    port.hear(slot, phone.getsockname(), rtcp_port)


def test_sources_are_told_apart_and_strangers_dropped(port: SharedPort, phones: list[socket.socket]) -> None:
    """Each packet goes to the leg of its source; one from elsewhere is nobody's, wherever in the batch it came (F1)."""
    seat(port, 7, phones[0])
    seat(port, 3, phones[1])
    for phone, text in ((2, b"no"), (0, b"a"), (2, b"no"), (1, b"b"), (3, b"no")):
        phones[phone].sendto(text, ("127.0.0.1", port.port))
    calls, take = taker()
    port.receive(take)
    assert [sorted(each) for each in calls] == [[(3, b"b"), (7, b"a")]]
    assert port.counters["shared_port_strangers"] == 3


def test_a_backlog_is_handed_on_in_order(port: SharedPort, phones: list[socket.socket]) -> None:
    """Several packets of one source in a batch come one after the other, those of others with the first."""
    seat(port, 0, phones[0])
    seat(port, 1, phones[1])
    for text in (b"1", b"2", b"3"):
        phones[0].sendto(text, ("127.0.0.1", port.port))
    phones[1].sendto(b"x", ("127.0.0.1", port.port))
    calls, take = taker()
    port.receive(take)
    assert [sorted(each) for each in calls] == [[(0, b"1"), (1, b"x")], [(0, b"2")], [(0, b"3")]]


def test_one_abused_source_costs_the_others_nothing(port: SharedPort, phones: list[socket.socket]) -> None:
    """Of a flood a batch hands on so many turns and no more; the others are all heard (F8)."""
    seat(port, 0, phones[0])
    seat(port, 1, phones[1])
    for _ in range(200):
        phones[0].sendto(b"flood", ("127.0.0.1", port.port))
    phones[1].sendto(b"x", ("127.0.0.1", port.port))
    calls, take = taker()
    port.receive(take)
    assert len(calls) == MOST_ROUNDS
    assert (1, b"x") in calls[0]
    assert port.counters["shared_port_flooded"] == 200 - MOST_ROUNDS


def test_a_source_is_one_legs(port: SharedPort, phones: list[socket.socket]) -> None:
    """A second leg with the same source does not fit, nor can one move to another's; a freed one may be taken."""
    seat(port, 0, phones[0])
    assert not port.claim(1, phones[0].getsockname())
    seat(port, 1, phones[1])
    with pytest.raises(OSError, match="another leg"):
        port.hear(1, phones[0].getsockname(), 9)
    port.release(0)
    port.hear(1, phones[0].getsockname(), 9)
    phones[0].sendto(b"a", ("127.0.0.1", port.port))
    phones[1].sendto(b"former", ("127.0.0.1", port.port))
    calls, take = taker()
    port.receive(take)
    assert calls == [[(1, b"a")]]
    assert len(port) == 1


def test_a_leg_that_is_deaf_hears_and_sends_nothing(port: SharedPort, phones: list[socket.socket]) -> None:
    """Claimed and not yet negotiated, or deafened: its packets are a stranger's, and none go to it."""
    source = phones[0].getsockname()
    assert port.claim(0, source)
    calls, take = taker()
    for prepare in (lambda: None, lambda: port.hear(0, source, 9), lambda: port.deafen(0)):
        prepare()
        phones[0].sendto(b"a", ("127.0.0.1", port.port))
        port.receive(take)
        port.send_datagram(0, b"b")
        port.send_rtcp(0, b"c", muxed=True)
    assert (calls, port.counters["shared_port_strangers"]) == ([[(0, b"a")]], 2)
    assert [phones[0].recv(9), phones[0].recv(9)] == [b"b", b"c"]
    with pytest.raises(BlockingIOError):
        phones[0].recv(9)


def test_no_more_legs_than_the_buffer_holds(port: SharedPort, phones: list[socket.socket]) -> None:
    """What all legs send between two ticks must fit into the kernel's buffer; who would be too many does not share."""
    port.most_legs = 1
    seat(port, 0, phones[0])
    assert not port.claim(1, phones[1].getsockname())


def test_reports_find_their_legs(port: SharedPort, phones: list[socket.socket]) -> None:
    """RTCP is told apart by its own source address; a stranger's is not read (F2)."""
    seat(port, 4, phones[0], rtcp_port=phones[1].getsockname()[1])
    port.send_rtcp(4, b"report", muxed=False)
    data, ours = phones[1].recvfrom(16)
    for phone in (2, 1):
        phones[phone].sendto(data, ours)
    assert [(slot, data) for slot, data, _ in port.receive_rtcp()] == [(4, b"report")]
    assert port.counters["shared_port_strangers"] == 1


def test_a_tick_goes_out_of_the_arrays(port: SharedPort, phones: list[socket.socket]) -> None:
    """Rows of the array, and packets protected elsewhere, reach their own peers."""
    for slot in range(3):
        seat(port, slot, phones[slot])
    packets = np.arange(3 * 8, dtype=np.uint8).reshape(3, 8)
    port.aim(packets, np.array([2, 0]), [(1, memoryview(bytearray(b"sealed")))])
    port.send()
    assert [each.recv(16) for each in phones[:3]] == [packets[0].tobytes(), b"sealed", packets[2].tobytes()]
    assert not port.counters


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_holes_are_filled(known: list[bool]) -> None:
    """What is kept is exactly what was known, each row with its slot and size."""
    numbers = np.arange(len(known))
    data, slots, sizes = numbers.astype(np.uint8)[:, None].copy(), numbers.copy(), numbers.copy()
    kept = _fill_holes(np.array(known), data, slots, sizes)
    wanted = np.flatnonzero(known).tolist()
    assert sorted(slots[:kept].tolist()) == wanted
    assert slots[:kept].tolist() == sizes[:kept].tolist() == data[:kept, 0].tolist()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_turns_count_what_came_before(slots: list[int]) -> None:
    """The turn of a packet is how many of its leg came before it; none at all when no leg has two."""
    turns = _turns(np.array(slots))
    oracle = [slots[:at].count(slot) for at, slot in enumerate(slots)]
    assert (turns is None) == (len(set(slots)) == len(slots))
    assert turns is None or turns.tolist() == oracle


# ---- in a worker


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    process = WorkerProcess()
    yield process
    process.close()


def test_two_phones_on_one_port_and_one_that_does_not_fit(worker: WorkerProcess) -> None:
    """Two phones share a port and each hears itself; a third leg with the first one's source has a port of its own."""
    one, other = Phone(), Phone()
    ports = [worker.open(1, one.spec(symmetric=True)), worker.open(2, other.spec(symmetric=True))]
    assert ports[0] == ports[1]
    apart = worker.open(3, one.spec(symmetric=True))
    assert apart != ports[0]
    worker.send(control.Echo(1, on=True), control.Echo(2, on=True))
    low, high = frames(tone(500, 50 * FRAME)), frames(tone(1100, 50 * FRAME))

    def say(tick: int) -> None:
        one.say(low[tick], ports[0])
        other.say(high[tick], ports[0])

    pace(50, say)
    for phone, said in ((one, 500), (other, 1100)):
        frequency, level = loudest(phone.sound())
        assert abs(frequency - said) < 10
        assert abs(20 * math.log10(level / (6000 / math.sqrt(2)))) < 0.5
    time.sleep(0.05)
    for leg in (1, 2):
        worker.send(control.CloseLeg(leg))
        final = worker.wait_for(control.LegStatistics, lambda event, leg=leg: event.leg == leg)  # type: ignore[misc]
        assert (final.packets_received, final.lost) == (50, 0)
    again = worker.open(4, other.spec(symmetric=True))
    assert again not in (ports[0], apart), "the shared port was shut with its last leg, and rests"
    one.close()
    other.close()


def test_a_stranger_on_a_shared_port_is_not_heard(worker: WorkerProcess) -> None:
    """Another port of the same host, before and after the first honest packet: none of it returns to anybody (F1)."""
    phone, stranger = Phone(), Phone()
    port = worker.open(1, phone.spec(symmetric=True))
    worker.send(control.Echo(1, on=True))
    honest, alien = frames(tone(500, 60 * FRAME)), frames(tone(2100, 60 * FRAME))

    def say(tick: int) -> None:
        stranger.say(alien[tick], port)
        if tick >= 5:
            phone.say(honest[tick], port)

    pace(60, say)
    frequency, _ = loudest(phone.sound())
    assert abs(frequency - 500) < 10
    stranger.listen()
    assert stranger.heard == []
    phone.close()
    stranger.close()


def test_a_shared_leg_reports_and_moves(worker: WorkerProcess) -> None:
    """RTCP goes to its peer's port; a re-INVITE with a new source is followed, one with another leg's is not."""
    one, other, third = Phone(), Phone(), Phone()
    port = worker.open(1, one.spec(symmetric=True))
    assert worker.open(2, other.spec(symmetric=True)) == port
    kinds = {type(packet) for packet in parse_compound(one.rtcp.recv(2048))}
    assert kinds & {SenderReport, ReceiverReport}
    worker.send(control.ModifyLeg(1, third.spec(symmetric=True)), control.Echo(1, on=True))
    time.sleep(0.05)
    said = frames(tone(900, 20 * FRAME))
    pace(20, lambda tick: third.say(said[tick], port))
    assert third.sound()
    worker.send(control.ModifyLeg(1, other.spec(symmetric=True)))
    failed = worker.wait_for(control.LegFailed)
    assert (failed.leg, failed.reason) == (1, "eaddrinuse")
    for phone in (one, other, third):
        phone.close()


def test_shared_legs_come_back_to_their_port(worker: WorkerProcess) -> None:
    """After a loss all that shared a port ask for it again: the first opens it, the others join."""
    phones, port = [Phone(), Phone()], port_share().engines[500]
    for leg, phone in enumerate(phones):
        worker.send(control.OpenLeg(leg, phone.spec(symmetric=True), port=port))
        opened = worker.wait_for(control.LegOpened, lambda event, leg=leg: event.leg == leg)  # type: ignore[misc]
        assert opened.local_port == port
        phone.close()


def test_a_shared_port_has_two_sockets_and_no_more(worker: WorkerProcess) -> None:
    """However many legs share it; and they are gone with the last one."""

    def descriptors() -> int:
        return sum(1 for _ in Path(f"/proc/{worker.process.pid}/fd").iterdir())

    worker.wait_for(control.Started)
    before = descriptors()
    phones = [Phone() for _ in range(5)]
    assert len({worker.open(leg, phone.spec(symmetric=True)) for leg, phone in enumerate(phones)}) == 1
    assert descriptors() == before + 2
    for leg in range(5):
        worker.send(control.CloseLeg(leg))
        worker.wait_for(control.LegClosed, lambda event, leg=leg: event.leg == leg)  # type: ignore[misc]
    assert descriptors() == before
    for phone in phones:
        phone.close()
