"""Rooms over several workers: planes that share memory as workers do, on virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.coding import Pcm, Terms
from media.plane import Plane
from media.rooms import RoomSettings
from tests.media.room_wire import Participant, Samples, converse, lines

ROOM = "8000"
WIDE = Terms("L16", 16000, 16000)


class Workers:
    """Some planes, and the parties of each."""

    def __init__(self, count: int, room: str = ROOM) -> None:
        self.planes = [Plane(lambda bits: 0) for _ in range(count)]
        self.parties: list[list[Participant]] = [[] for _ in range(count)]
        self.ticks = 0
        self.room = room

    def share(self) -> None:
        """Make the room one of all of them."""
        memories = [plane.mixer.cascade.share(self.room, 1) for plane in self.planes]
        for plane in self.planes:
            plane.mixer.cascade.hear(self.room, memories)

    def party(
        self,
        worker: int,
        frequency_hz: float | None = None,
        codec: str | Terms = "PCMU",
        amplitude: float = 3000.0,
    ) -> Participant:
        return self.add(worker, Participant(self.planes[worker], codec, frequency_hz, amplitude))

    def add(self, worker: int, party: Participant) -> Participant:
        party.plane.join(party.slot, self.room)
        self.parties[worker].append(party)
        return party

    def run(self, ticks: int, misses: Callable[[int, int], bool] = lambda worker, tick: False) -> None:
        """Time for all; ``misses``: which workers leave which ticks out."""
        for _ in range(ticks):
            self.ticks += 1
            for worker, (plane, parties) in enumerate(zip(self.planes, self.parties, strict=True)):
                if misses(worker, self.ticks):
                    plane.skip(1)
                    plane.mixer.number += 1
                else:
                    converse(plane, parties, 1, self.ticks * 0.02)


@dataclass
class Noise(Participant):
    """Says something that is like nothing else."""

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._generator = np.random.default_rng(self.seed)

    def wave(self) -> Pcm:
        return self._generator.normal(0, 3000, self.rate // 50).astype(np.int16)


def tones(sound: Samples, *frequencies: float, rate: int = 8000) -> list[int]:
    """Amplitudes in the last second, in hundreds."""
    spectrum = lines(sound, rate)
    return [round(float(spectrum[round(each)]) / 100) for each in frequencies]


def likeness(one: Samples, other: Samples) -> float:
    return float(np.corrcoef(one[-8000:], other[-8000:])[0, 1])


class TestMix:
    def test_everybody_hears_everybody_else_once(self) -> None:
        """On three workers, talkers on each: all tones, each at its own strength, and never one's own."""
        workers = Workers(3)
        talkers = [workers.party(at % 3, 310.0 + 170 * at) for at in range(6)]
        listeners = [workers.party(at) for at in range(3)]
        workers.share()
        workers.run(100)
        frequencies = [each.frequency_hz or 0 for each in talkers]
        for listener in listeners:
            assert tones(listener.heard(), *frequencies) == [30] * 6
        for at, talker in enumerate(talkers):
            expected = [30] * 6
            expected[at] = 0
            assert tones(talker.heard(), *frequencies) == expected

    def test_listeners_on_different_workers_hear_the_same(self) -> None:
        """Octet by octet, with talkers on both and the sum so loud that it is limited: 20 of them, eight of each
        worker's are mixed."""
        workers = Workers(2)
        for at in range(20):
            workers.party(at % 2, 300.0 + 37 * at, amplitude=2000.0 + 150 * at)
        one, other = workers.party(0), workers.party(1)
        workers.share()
        workers.run(80)
        assert one.payloads[4:] == other.payloads[4:]
        assert np.abs(one.heard()).max() > 28000

    def test_noise_arrives_alike(self) -> None:
        """No tone that could be alike by chance: correlation above 0.99 without any shift between two listeners."""
        workers = Workers(2)
        for worker in (0, 1):
            workers.add(worker, Noise(workers.planes[worker], "PCMU", 1.0, seed=worker))
        one, other = workers.party(0), workers.party(1)
        workers.share()
        workers.run(80)
        assert likeness(one.heard(), other.heard()) > 0.99

    def test_nobody_else_is_delayed(self) -> None:
        """Another room of the same workers is mixed as ever; so is this one until it is shared."""
        workers, alone = Workers(2), Workers(1)
        for each in (workers, alone):
            each.party(0, 440.0)
            each.add(0, Participant(each.planes[0], "PCMA", 600.0)).plane.join(
                each.parties[0][1].slot, "8001"
            )
            each.add(0, Participant(each.planes[0], "PCMA")).plane.join(each.parties[0][2].slot, "8001")
        workers.share()
        workers.run(40)
        alone.run(40)
        assert workers.parties[0][2].payloads == alone.parties[0][2].payloads


class TestRates:
    def test_the_best_codec_on_any_worker_decides(self) -> None:
        """Nobody wide is on the first worker; what its talker's peers say wide comes to the second one's wide legs."""
        workers = Workers(2)
        narrow, wide = workers.party(0, 700.0), workers.party(1, 5000.0, WIDE)
        listener, narrow_listener = workers.party(1, codec=WIDE), workers.party(0, codec="PCMA")
        workers.share()
        workers.run(100)
        assert tones(listener.heard(), 700, 5000, rate=16000) == [30, 30]
        assert tones(narrow_listener.heard(), 700) == [30]
        assert tones(wide.heard(), 700, 5000, rate=16000) == [30, 0]
        assert tones(narrow.heard(), 700) == [0]
        assert {plane.mixer.cascade.rooms[ROOM].rate for plane in workers.planes} == {16000}

    def test_a_better_codec_that_comes_later(self) -> None:
        """The room is mixed at its rate from then on, on every worker, and after it is gone as well."""
        workers = Workers(2)
        workers.party(0, 700.0)
        listener = workers.party(1)
        workers.share()
        workers.run(20)
        wide = workers.party(0, 5000.0, WIDE)
        other = workers.party(1, codec=WIDE)
        workers.run(80)
        assert tones(listener.heard(), 700) == [30]
        assert tones(other.heard(), 700, 5000, rate=16000) == [30, 30]
        wide.plane.close(wide.slot)
        workers.parties[0].remove(wide)
        workers.run(80)
        assert tones(other.heard(), 700, 5000, rate=16000) == [30, 0]

    def test_no_room_is_better_than_it_may_be(self) -> None:
        """What was set for it holds on each worker."""
        workers = Workers(2)
        for plane in workers.planes:
            plane.set_room(ROOM, RoomSettings(max_rate_hz=8000))
        workers.party(0, 700.0, WIDE)
        listener = workers.party(1, codec=WIDE)
        workers.share()
        workers.run(80)
        assert tones(listener.heard(), 700, rate=16000) == [30]
        assert [int(plane.mixer.rooms.rate.max()) for plane in workers.planes] == [8000, 8000]


class TestComingAndGoing:
    def test_a_room_that_comes_to_a_second_worker_pauses_without_a_step(self) -> None:
        """40 ms, once; nobody hears a jump larger than the voice makes."""
        workers = Workers(2)
        talker, listener = workers.party(0, 300.0), workers.party(0)
        workers.run(50)
        workers.share()
        far = workers.party(1)
        workers.run(60)
        sound = listener.heard()
        largest = 3000 * 2 * np.pi * 300 / 8000
        assert np.abs(np.diff(sound)).max() < 1.6 * largest
        quiet = np.flatnonzero(np.abs(sound.reshape(-1, 160)).max(axis=1) < 50)
        assert len(quiet[quiet > 5]) == 1  # between the tail of the last frame and the first that was delayed
        assert tones(far.heard(), 300) == [30]
        assert talker.plane.mixer.cascade.counters["room_parts_missed"] == 0

    def test_a_worker_that_dies_fades(self) -> None:
        """What the others hear of it ends softly, is counted once, and its successor is heard."""
        workers = Workers(2)
        workers.party(0, 300.0)
        gone = workers.party(1, 900.0)
        listener = workers.party(0)
        workers.share()
        workers.run(50)
        parties, workers.parties[1] = workers.parties[1], []
        dead = workers.planes[1]
        workers.planes[1] = Plane(lambda bits: 0)
        workers.planes[1].mixer.number = workers.planes[0].mixer.number
        workers.run(60)
        assert tones(listener.heard(), 300, 900) == [30, 0]
        assert workers.planes[0].mixer.cascade.counters["room_parts_missed"] == 1
        steps = np.abs(np.diff(listener.heard()))
        assert steps.max() < 1.6 * 3000 * 2 * np.pi * (300 + 900) / 8000
        successor = workers.planes[1]
        memories = [plane.mixer.cascade.share(ROOM, 1) for plane in workers.planes]
        for plane in workers.planes:
            plane.mixer.cascade.hear(ROOM, memories)
        workers.add(1, Participant(successor, "PCMU", 900.0))
        workers.run(60)
        assert tones(listener.heard(), 300, 900) == [30, 30]
        assert parties == [gone]
        assert dead is not successor

    def test_ticks_that_are_left_out(self) -> None:
        """By one worker: the others miss them, it misses none of theirs for long, and all hear alike again."""
        workers = Workers(2)
        workers.party(0, 300.0)
        workers.party(1, 900.0)
        one, other = workers.party(0), workers.party(1)
        workers.share()
        workers.run(90, lambda worker, tick: worker == 1 and 20 <= tick < 30)
        assert one.payloads[-30:] == other.payloads[-30:]
        assert tones(one.heard()[-8000:], 300, 900) == [30, 30]

    def test_who_leaves_in_mid_word(self) -> None:
        """Is heard to the end of what it said, and its slot may be another's at once: that one hears all."""
        workers = Workers(2)
        workers.party(1, 300.0)
        leaver = workers.party(0, 900.0)
        workers.share()
        workers.run(40)
        leaver.plane.close(leaver.slot)
        workers.parties[0].remove(leaver)
        successor = workers.party(0, 1300.0)
        workers.run(60)
        assert successor.slot == leaver.slot
        assert tones(successor.heard(), 300, 900, 1300) == [30, 0, 0]
        assert np.abs(np.diff(successor.heard())).max() < 3000 * 2 * np.pi * 3000 / 8000

    def test_a_room_that_is_shared_no_more(self) -> None:
        """Is this worker's alone, undelayed, and its memory is given up."""
        workers = Workers(2)
        talker, listener = workers.party(0, 440.0), workers.party(0)
        workers.share()
        workers.run(20)
        workers.planes[0].mixer.cascade.drop(ROOM)
        workers.planes[0].mixer.cascade.drop(ROOM)
        workers.run(60)
        assert tones(listener.heard(), 440) == [30]
        assert tones(talker.heard(), 440) == [0]
        assert not workers.planes[0].mixer.cascade.rooms


Move = tuple[int, int, bool]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6), st.booleans()), min_size=1, max_size=10),
)
def test_whoever_comes_and_goes_all_hear_alike(count: int, moves: list[Move]) -> None:
    """After any coming, going and missed ticks listeners on all workers hear the same, and all who talk."""
    workers = Workers(count)
    listeners = [workers.party(at) for at in range(count)]
    workers.share()
    present: list[tuple[int, Participant]] = []
    for number, (worker, ticks, leaves) in enumerate(moves):
        if leaves and present:
            where, party = present.pop(0)
            party.plane.close(party.slot)
            workers.parties[where].remove(party)
        else:
            present.append((worker % count, workers.party(worker % count, 300.0 + 110 * number)))
        late = worker % count
        workers.run(ticks, lambda each, tick, late=late: each == late and tick % 5 == 0)
    workers.run(60)
    assert all(each.payloads[-50:] == listeners[0].payloads[-50:] for each in listeners)
    frequencies = [party.frequency_hz or 0.0 for _, party in present]
    assert tones(listeners[0].heard(), *frequencies) == [30] * len(present)
