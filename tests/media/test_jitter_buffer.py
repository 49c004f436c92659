"""The jitter buffer, on virtual time: what is heard of what was said, when, and what fills the gaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.g711 import ulaw_decode, ulaw_encode
from media.jitter_buffer import FRAMES, LATE_RUN, MOST_AHEAD, MOST_DELAY, REST_TICKS, RING, JitterBuffer
from media.rtp import FRAME
from tests.media.speech import voice

ROOM = 1088
SLOT = 2
STARTS = [0, 160, (1 << 15) - 320, (1 << 16) - 320, (1 << 31) - 320, (1 << 32) - 320, (1 << 32) - 77]
TICK = 0.02


class Line:
    """One leg's buffer, fed with bytes; a test's view of it."""

    def __init__(self, start: int = 0, capacity: int = 4) -> None:
        self.buffer = JitterBuffer(capacity)
        for slot in range(capacity):
            self.buffer.clear(slot)
        self.start = start

    def put(self, at: int, payload: bytes, *, begins: bool = False, begin: int = 12) -> None:
        """A packet whose timestamp lies ``at`` samples after the stream's start."""
        raw = np.zeros((1, ROOM), np.uint8)
        raw[0, begin : begin + len(payload)] = np.frombuffer(payload, np.uint8)
        self.buffer.insert(
            np.array([SLOT]),
            raw,
            np.array([0]),
            np.array([(self.start + at) & 0xFFFFFFFF]),
            np.array([begin]),
            np.array([len(payload)]),
            np.array([begins]),
        )

    def read(self, frames: int = 1) -> bytes:
        return b"".join(self.buffer.read(np.array([SLOT])).tobytes() for _ in range(frames))

    def talk(self, numbers: range) -> list[bytes]:
        """A frame put and one read, a tick each."""
        heard = []
        for number in numbers:
            self.put(number * FRAME, frame(number))
            heard.append(self.read())
        return heard

    @property
    def delay(self) -> int:
        return int(self.buffer.delay[SLOT])


def sound(samples: int, seed: int = 0) -> bytes:
    """Octets none of which is silence."""
    return bytes((7 * (i + seed) % 251) + 1 for i in range(samples))


def frame(number: int) -> bytes:
    """A frame that says which it is: two samples of it, again and again."""
    return bytes([number % 125 + 1, number // 125 % 125 + 129]) * (FRAME // 2)


def number_of(heard: bytes) -> int | None:
    """Which frame this is, None when it is not one as it was said."""
    number = heard[0] - 1 + 125 * (heard[1] - 129)
    return number if heard == frame(number) else None


class TestOrder:
    @pytest.mark.parametrize("start", STARTS)
    @pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60, 7])
    def test_any_packet_length_comes_out_whole(self, start: int, ptime: int) -> None:
        """Packets of 10 to 60 ms, sent in time, are heard without a gap soon, over every wrap."""
        line, size = Line(start), ptime * 8
        said = sound(9600)
        heard, sent = b"", 0
        for tick in range(1, 61):
            while sent + size <= min(tick * FRAME, len(said)):
                line.put(sent, said[sent : sent + size])
                sent += size
            heard += line.read()
        middle = said[4800:4960]
        place = heard.index(middle)
        assert heard[place : place + 3000] == said[4800:7800]
        assert place - 4800 <= max(FRAME, 2 * size)

    @pytest.mark.parametrize("start", STARTS)
    def test_what_comes_before_its_tick_is_played_in_it(self, start: int) -> None:
        """The floor: octet for octet, with no frame of waiting."""
        line = Line(start)
        assert line.talk(range(50)) == [frame(number) for number in range(50)]
        assert line.delay == 0

    @pytest.mark.parametrize("start", STARTS)
    def test_reordered_packets_fall_into_place(self, start: int) -> None:
        """Whatever comes before its turn is heard in order; a repeated packet once."""
        line = Line(start)
        for number in (0, 2, 1, 1, 3):
            line.put(number * FRAME, frame(number))
        assert line.read(4) == b"".join(frame(i) for i in range(4))

    def test_a_packet_half_late_is_half_heard(self) -> None:
        """Of a long packet the part whose turn has not passed is still good, though later ones are there."""
        line = Line()
        line.put(0, frame(0))
        line.put(4 * FRAME, frame(4))
        line.read(2)
        line.put(FRAME, frame(1) + frame(2))
        assert line.read()[80:] == frame(2)[80:]  # it follows a gap, so its begin is led over

    def test_payload_behind_an_extension(self) -> None:
        """A whole frame that does not begin at octet 12 is found all the same."""
        line = Line()
        line.put(0, sound(FRAME), begin=20)
        assert line.read() == sound(FRAME)

    def test_rows_do_not_touch_each_other(self) -> None:
        """What one leg queues no other leg hears, before and after growing."""
        line = Line()
        line.put(0, frame(0))
        line.buffer.grow(8)
        line.buffer.clear(5)
        everybody = np.array([0, 1, 2, 3, 5])
        heard = line.buffer.read(everybody)
        assert heard[2].tobytes() == frame(0)
        assert np.delete(heard, 2).tobytes() == b"\xff" * 4 * FRAME

    def test_nobody_to_read(self) -> None:
        """A worker without listening legs: time passes all the same."""
        buffer = JitterBuffer(4)
        assert len(buffer.read(np.zeros(0, np.int64))) == 0
        assert buffer.ticks == 1


class TestGaps:
    @pytest.mark.parametrize(("law", "silence"), [(0, b"\xff"), (1, b"\xd5")])
    def test_silence_before_and_long_after(self, law: int, silence: bytes) -> None:
        """Of the leg's own law; what was heard is not heard again when the ring comes round."""
        line = Line()
        line.buffer.set_law(SLOT, law)
        assert line.read() == silence * FRAME
        line.put(0, frame(0))
        line.read(5)
        assert line.read(2 * FRAMES) == silence * 2 * RING

    def test_a_lost_frame_is_made_up(self) -> None:
        """Of a voice: what fills the gap is no silence and has no step, and time goes on."""
        line = Line()
        said = voice(0.2)
        octets = ulaw_encode(said).tobytes()
        heard = b""
        for at in range(0, len(octets), FRAME):
            if at != 5 * FRAME:
                line.put(at, octets[at : at + FRAME])
            heard += line.read()
        assert heard[: 5 * FRAME] == octets[: 5 * FRAME]
        assert heard[7 * FRAME :] == octets[7 * FRAME :]
        pcm = ulaw_decode(np.frombuffer(heard, np.uint8)).astype(float)
        gap = pcm[5 * FRAME : 6 * FRAME]
        assert np.sqrt((gap**2).mean()) > 0.4 * np.sqrt((pcm[4 * FRAME : 5 * FRAME] ** 2).mean())
        assert np.abs(np.diff(pcm)).max() < 1.2 * np.abs(np.diff(said.astype(float))).max()
        assert line.buffer.concealed[SLOT] == 1
        assert line.delay == 0

    def test_half_a_frame_lost(self) -> None:
        """Of packets of 10 ms one is lost: the other half of its frame is as it was said."""
        line = Line()
        octets = ulaw_encode(voice(0.2)).tobytes()
        heard = b""
        for at in range(0, len(octets), 80):
            if at != 880:
                line.put(at, octets[at : at + 80])
            if at % FRAME:
                heard += line.read()
        heard = heard[80:]  # the first one was the end of a frame
        assert heard[:880] == octets[:880]
        assert heard[960 + 80 :] == octets[960 + 80 : len(heard)]
        assert b"\xff" * 20 not in heard[880:960]

    def test_an_end_without_a_click(self) -> None:
        """After a gap of any length what comes first is led over to."""
        loud = ulaw_encode(np.full(FRAME, 8000, np.int16)).tobytes()
        for gap in (1, 2, 3, 10, 100):
            line, heard = Line(), b""
            for number in range(12 + gap):
                if number not in range(5, 5 + gap):
                    line.put(number * FRAME, loud)
                heard += line.read()
            pcm = ulaw_decode(np.frombuffer(heard, np.uint8)).astype(int)
            assert np.abs(np.diff(pcm)).max() < 1500
            assert heard.endswith(loud * 6)

    def test_nobody_listened(self) -> None:
        """Whoever begins to listen hears what comes then, unchanged, and nothing old."""
        line = Line()
        line.talk(range(5))
        line.buffer.stop(np.array([SLOT]))
        line.put(50 * FRAME, frame(50))
        assert line.read() == frame(50)


class TestLateness:
    def test_what_comes_late_alone_is_heard_late(self) -> None:
        """Nothing else was there to be played: the reader goes back to it, and no frame is lost."""
        line = Line()
        line.talk(range(10))
        line.read()
        heard = line.talk(range(10, 30))
        assert [number_of(each) for each in heard[1:]] == list(range(11, 30))
        assert line.delay == FRAME
        assert line.buffer.late[SLOT] == 0

    def test_the_delay_is_cut_when_it_is_not_needed(self) -> None:
        """A frame that came late once delays nothing any more two seconds later, at most."""
        line = Line()
        line.talk(range(200))
        line.read()
        line.put(200 * FRAME, frame(200))
        heard = line.talk(range(201, 360))
        assert line.delay == 0
        numbers = [number_of(each) for each in heard]
        odd = [at for at, number in enumerate(numbers[1:], 1) if number is None]
        assert len(odd) == 1  # two frames faded into one
        assert odd[0] >= REST_TICKS
        assert numbers[odd[0] + 1] == numbers[odd[0] - 1] + 3  # type: ignore[operator]
        assert numbers[-1] == 359

    def test_a_stall_of_the_sender_is_one_delay(self) -> None:
        """Five packets held up and sent at once: every one is heard, and four seconds later nothing is delayed."""
        line = Line()
        line.talk(range(200))
        line.read(5)
        for number in range(200, 205):
            line.put(number * FRAME, frame(number))
        heard = [number_of(each) for each in line.talk(range(205, 405))]
        assert heard[1:8] == list(range(201, 208))
        assert line.delay == 0
        assert heard[-1] == 404

    def test_it_is_cut_in_silence_if_there_is_some(self) -> None:
        """A silent frame is left out, so that nothing is changed of what is said."""
        line = Line()
        line.talk(range(200))
        line.read()
        line.put(200 * FRAME, frame(200))
        heard = line.talk(range(201, 240))
        for number in range(240, 400):
            line.put(number * FRAME, frame(number) if number % 20 else b"\xff" * FRAME)
            heard.append(line.read())
        assert line.delay == 0
        numbers = [number_of(each) for each in heard[1:] if each != b"\xff" * FRAME]
        assert numbers == [number for number in range(201, 400) if number < 240 or number % 20]

    def test_late_packets_among_others_are_dropped_and_counted(self) -> None:
        """A straggler that others have overtaken is not heard, and sets nobody back."""
        line = Line()
        line.talk(range(10))
        line.read()  # 10 is late
        line.talk(range(11, 20))
        line.put(10 * FRAME, frame(10))
        assert line.buffer.late[SLOT] == 1
        assert [number_of(each) for each in line.talk(range(20, 25))] == list(range(20, 25))

    def test_a_peer_that_stops_and_goes_on_with_its_old_timestamps(self) -> None:
        """Silence of seconds that the peer's timestamps do not tell: every frame of it is heard at once."""
        line = Line()
        line.talk(range(10))
        line.read(200)
        assert [number_of(each) for each in line.talk(range(10, 20))[1:]] == list(range(11, 20))
        assert line.delay == 0

    def test_a_path_that_became_longer(self) -> None:
        """By more than the buffer may delay: a gap, and then every frame, not the rest of the call."""
        line = Line()
        line.talk(range(20))
        line.put(40 * FRAME, frame(40))
        line.read(20)
        for number in range(20, 20 + LATE_RUN):
            line.put(number * FRAME, frame(number))
            line.read()
        rest = [number_of(each) for each in line.talk(range(20 + LATE_RUN, 40))]
        assert rest[1:] == list(range(rest[1] or -1, 40))

    def test_a_single_very_late_packet_disturbs_nothing(self) -> None:
        """One straggler, seconds old."""
        line = Line()
        line.put(100 * FRAME, frame(0))
        line.read(2)
        line.put(104 * FRAME, frame(4))
        line.put(0, frame(9))
        line.read(2)
        assert number_of(line.read()) is None  # led over to
        assert line.buffer.late[SLOT] == 1

    def test_a_burst_is_dropped_down(self) -> None:
        """25 packets at once: the newest is heard within 240 ms; what is cut besides is cut later."""
        line = Line()
        for number in range(25):
            line.put(number * FRAME, frame(number))
        heard = [number_of(line.read()) for _ in range(MOST_AHEAD // FRAME + 1)]
        numbers = [number for number in heard if number is not None]
        assert numbers[-1] == 24
        assert numbers[:9] == list(range(numbers[0], numbers[0] + 9))

    def test_a_jump_of_the_timestamp_starts_afresh(self) -> None:
        """Far ahead of everything: the old is dropped, the new heard."""
        line = Line()
        line.talk(range(3))
        line.put(1 << 20, frame(7))
        line.read()
        line.put((1 << 20) + FRAME, frame(8))
        assert line.read() == frame(8)

    def test_a_new_stream_starts_afresh(self) -> None:
        """When the sequence checks say so, whatever its timestamp."""
        line = Line()
        line.put(0, frame(0))
        line.put(FRAME, frame(5), begins=True)
        assert line.read() == frame(5)

    def test_our_own_pause_delays_nothing(self) -> None:
        """After 50 ticks that could not be made their packets are there at once: they are dropped."""
        line = Line()
        line.talk(range(20))
        line.buffer.skip(50)
        line.buffer.punctual = False
        for number in range(20, 71):
            line.put(number * FRAME, frame(number))
        assert line.read()[80:] == frame(70)[80:]
        line.buffer.punctual = True
        assert [number_of(each) for each in line.talk(range(71, 150))] == list(range(71, 150))
        assert line.delay == 0

    def test_a_late_tick_of_ours_is_not_the_networks(self) -> None:
        """Three ticks made late: what they read is played in them, and the delay is as before."""
        line = Line()
        line.talk(range(20))
        line.buffer.punctual = False
        for number in range(20, 23):
            line.put(number * FRAME, frame(number))
        assert [number_of(line.read()) for _ in range(3)] == [20, 21, 22]
        line.buffer.punctual = True
        line.talk(range(23, 60))
        assert line.delay == 0


class Network:
    """Many senders on virtual time, each its own row, and one buffer; how it went."""

    def __init__(
        self,
        senders: int = 4,
        seconds: float = 30,
        ptime: int = 20,
        ppm: Sequence[float] = (0.0,),
        delays: Callable[[np.random.Generator, tuple[int, int]], Any] = lambda _, shape: np.zeros(shape),
        loss: float = 0.0,
    ) -> None:
        rng = np.random.default_rng(7)
        sent, size, ticks = int(seconds * 1000 / ptime), ptime * 8, int(seconds / TICK)
        clocks = 1 + np.resize(ppm, senders)[:, None] / 1e6
        when = rng.random((senders, 1)) * TICK + np.arange(sent) * clocks * ptime / 1000
        when += delays(rng, (senders, sent))
        taken = np.flatnonzero((rng.random((senders, sent)) >= loss) | (np.arange(sent) == 0))
        taken = taken[np.argsort(when.flat[taken], kind="stable")]
        slots, numbers = np.divmod(taken, sent)
        bounds = np.searchsorted(when.flat[taken], np.arange(1, ticks + 1) * TICK)
        self.buffer = JitterBuffer(senders)
        for slot in range(senders):
            self.buffer.clear(slot)
        raw = np.full((senders, ROOM), 77, np.uint8)
        every, waits = np.arange(senders), []
        for begin, end in itertools.pairwise([0, *bounds.tolist()]):
            at, left = begin, end - begin
            while left:  # as many at a time as are of different legs
                some = slots[at : at + left]
                count = left if len(set(some.tolist())) == left else int(np.argmax(_repeats(some)))
                self._insert(raw, some[:count], numbers[at : at + count] * size, size)
                at, left = at + count, left - count
            self.buffer.read(every)
            waits.append(self.buffer.delay.copy())
        self.delays_ms = np.array(waits) / 8
        self.late = self.buffer.late / sent
        self.concealed = self.buffer.concealed / ticks
        self.changes = (np.diff(np.array(waits), axis=0) != 0).sum(axis=0)

    def _insert(self, raw: Any, slots: Any, timestamps: Any, size: int) -> None:
        rows = np.arange(len(slots))
        self.buffer.insert(
            slots,
            raw,
            rows,
            timestamps & 0xFFFFFFFF,
            np.full(len(slots), 12),
            np.full(len(slots), size),
            np.zeros(len(slots), np.bool_),
        )


def _repeats(slots: Any) -> Any:
    """bool: this slot was there before."""
    seen: set[int] = set()
    return np.array([slot in seen or seen.add(slot) is not None for slot in slots.tolist()])


def uniform(most: float) -> Callable[[np.random.Generator, tuple[int, int]], Any]:
    return lambda rng, shape: rng.random(shape) * most


class TestAdaptation:
    def test_loss_alone_delays_nothing(self) -> None:
        """5 % lost, nothing late."""
        network = Network(loss=0.05)
        assert network.delays_ms.max() == 0
        assert 0.03 < network.concealed.mean() < 0.07

    def test_jitter_is_taken_in(self) -> None:
        """60 ms of it, with reordering: under 1 % is missing after the first seconds, delay below 90 ms."""
        network = Network(delays=uniform(0.06))
        assert (network.late + network.concealed).max() < 0.01
        assert 50 <= np.median(network.delays_ms) <= 80
        assert network.delays_ms.max() <= 90
        assert network.changes.max() < 12

    @pytest.mark.parametrize("ptime", [10, 30, 60])
    def test_jitter_and_loss_of_other_packets(self, ptime: int) -> None:
        """Hardly more is missing than is lost, whatever the packets' length."""
        network = Network(ptime=ptime, seconds=20, delays=uniform(0.06), loss=0.05)
        assert network.late.mean() < 0.01
        assert network.concealed.mean() < 0.09
        assert network.delays_ms.max() <= 110

    def test_a_little_jitter_costs_one_frame(self) -> None:
        """A clean network: a frame at most, and only for who arrives at the very time of our tick."""
        network = Network(senders=16, delays=lambda rng, shape: rng.exponential(0.001, shape))
        assert network.delays_ms.mean() < 10
        assert network.delays_ms.max() <= 40
        assert network.concealed.mean() < 0.002

    def test_clock_drift(self) -> None:
        """Ten minutes: a frame more or less now and then, and never more delay than two."""
        ppm = (100.0, -100.0, 500.0, -500.0)
        network = Network(seconds=600, ppm=ppm)
        frames_off = np.abs(ppm) / 1e6 * 600 / TICK
        assert network.delays_ms.max() <= 40
        assert (network.late == 0).all()
        assert (network.concealed * 600 / TICK <= frames_off + 17).all()  # 15 when the fast ones have ended
        assert (network.changes <= 4 * frames_off + 4).all()

    def test_a_path_that_became_shorter(self) -> None:
        """By 150 ms: the delay is gone within some seconds."""
        network = Network(delays=lambda _, shape: np.where(np.arange(shape[1]) < 250, 0.15, 0.0))
        assert network.delays_ms[-500:].max() <= 20


@settings(max_examples=60)
@given(
    st.sampled_from(STARTS),
    st.lists(st.integers(0, 6), min_size=20, max_size=60),
    st.sets(st.integers(1, 60)),
)
def test_in_order_and_once(start: int, delays: list[int], lost: set[int]) -> None:
    """With any delays and losses: what is heard is what was said, in order, nothing of it twice."""
    line = Line(start)
    arrivals: dict[int, list[int]] = {}
    for number, delay in enumerate(delays):
        if number not in lost:
            arrivals.setdefault(number + delay, []).append(number)
    heard = []
    for tick in range(len(delays) + 30):
        for number in arrivals.get(tick, []):
            line.put(number * FRAME, frame(number))
        heard.append(number_of(line.read()))
        assert line.delay <= MOST_DELAY + FRAME
    numbers = [number for number in heard if number is not None]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(range(len(delays))) - lost


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 1500 - 12), st.booleans(), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_hostile_timestamps_and_lengths(packets: list[tuple[int, int, bool, bool]]) -> None:
    """F9: any length at any timestamp neither raises nor grows anything; reading goes on."""
    line = Line()
    for timestamp, length, begins, punctual in packets:
        line.buffer.punctual = punctual
        line.put(timestamp, bytes(min(length, ROOM - 12)), begins=begins)
        assert len(line.read()) == FRAME
    assert 0 <= line.delay <= MOST_DELAY + RING
