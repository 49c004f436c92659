"""The playout queue against a per-sample oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.playout import FRAMES, LATE_RUN, MOST_AHEAD, RING, TARGET, TRIM_TICKS, PlayoutQueue
from media.rtp import FRAME

ROOM = 1088
SLOT = 2
STARTS = [0, 160, (1 << 15) - 320, (1 << 16) - 320, (1 << 31) - 320, (1 << 32) - 320, (1 << 32) - 77]
SILENCE = b"\xff"


class Line:
    """One leg's queue, fed with bytes; a test's view of it."""

    def __init__(self, start: int = 0, capacity: int = 4) -> None:
        self.queue = PlayoutQueue(capacity)
        for slot in range(capacity):
            self.queue.clear(slot)
        self.start = start

    def put(self, at: int, payload: bytes, *, begins: bool = False, begin: int = 12) -> None:
        """A packet whose timestamp lies ``at`` samples after the stream's start."""
        raw = np.zeros((1, ROOM), np.uint8)
        raw[0, begin : begin + len(payload)] = np.frombuffer(payload, np.uint8)
        self.queue.insert(
            np.array([SLOT]),
            raw,
            np.array([0]),
            np.array([(self.start + at) & 0xFFFFFFFF]),
            np.array([begin]),
            np.array([len(payload)]),
            np.array([begins]),
        )

    def read(self, frames: int = 1) -> bytes:
        return b"".join(self.queue.read(np.array([SLOT])).tobytes() for _ in range(frames))


def sound(samples: int, seed: int = 0) -> bytes:
    """Octets none of which is silence."""
    return bytes((7 * (i + seed) % 251) + 1 for i in range(samples))


def frame(number: int) -> bytes:
    return bytes([number % 251 + 1]) * FRAME


LEAD = SILENCE * TARGET


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60, 7])
def test_any_packet_length_comes_out_whole(start: int, ptime: int) -> None:
    """Packets of 10 to 60 ms, sent in time, are heard after 40 ms without a gap, over every wrap."""
    line, size = Line(start), ptime * 8
    voice = sound(9600)
    heard, sent = b"", 0
    for tick in range(1, 61):
        while sent + size <= min(tick * FRAME, len(voice)):
            line.put(sent, voice[sent : sent + size])
            sent += size
        heard += line.read()
    begin = heard.index(voice[:FRAME])
    length = len(voice) - TARGET - 2 * size
    assert heard[begin : begin + length] == voice[:length]
    assert begin <= TARGET + size


@pytest.mark.parametrize("start", STARTS)
def test_reordered_packets_fall_into_place(start: int) -> None:
    """A packet that was overtaken within the delay is heard where it belongs; a repeated one once."""
    line = Line(start)
    for number in (0, 2, 1, 1, 3):
        line.put(number * FRAME, frame(number))
    assert line.read(6) == LEAD + b"".join(frame(i) for i in range(4))


def test_what_is_missing_is_silent() -> None:
    """Loss and silence suppression are gaps, and time goes on; what was heard is not heard again."""
    line = Line()
    line.put(0, frame(0))
    line.put(2 * FRAME, frame(2))
    assert line.read(6) == LEAD + frame(0) + SILENCE * FRAME + frame(2) + SILENCE * FRAME
    assert line.read(FRAMES) == SILENCE * RING


def test_a_law_is_silent_in_its_own_way() -> None:
    """Silence is 0xD5 on a PCMA leg, also where sound has been."""
    line = Line()
    line.queue.set_law(SLOT, 1)
    line.put(0, frame(0))
    assert line.read(3) == b"\xd5" * TARGET + frame(0)
    assert line.read(FRAMES) == b"\xd5" * RING


def test_late_packets_are_dropped_and_counted() -> None:
    """What comes after its turn is not heard."""
    line = Line()
    line.put(0, frame(0))
    line.read(5)
    line.put(FRAME, frame(1))
    assert line.queue.late[SLOT] == 1
    assert line.read(FRAMES) == SILENCE * RING


def test_a_packet_half_late_is_half_heard() -> None:
    """Of a long packet the part whose turn has not passed is still good."""
    line = Line()
    line.put(0, frame(0))
    line.read(4)
    line.put(FRAME, frame(1) + frame(2))
    assert line.read() == frame(2)


def test_packets_that_keep_coming_late_set_the_reader_back() -> None:
    """A path that became longer costs a gap, not the rest of the call."""
    line = Line()
    line.put(0, frame(0))
    line.read(8)
    for number in range(1, 1 + LATE_RUN):
        line.put(number * FRAME, frame(number))
    assert line.read(3) == LEAD + frame(LATE_RUN)


def test_a_single_very_late_packet_does_not() -> None:
    """One straggler, seconds old, disturbs nothing."""
    line = Line()
    line.put(100 * FRAME, frame(0))
    line.read(2)
    line.put(0, frame(9))
    assert line.read() == frame(0)


def test_a_backlog_is_dropped_down_to_the_delay() -> None:
    """After a stall 25 packets come at once: the newest are heard within 120 ms, not half a second later."""
    line = Line()
    for number in range(25):
        line.put(number * FRAME, frame(number))
    heard = line.read(MOST_AHEAD // FRAME + 1)
    assert frame(24) in heard
    played = [heard[i : i + 1] for i in range(0, len(heard), FRAME)]
    numbers = [octet[0] - 1 for octet in played if octet != SILENCE]
    assert numbers == list(range(numbers[0], 25))


def test_a_jump_of_the_timestamp_starts_afresh() -> None:
    """Far ahead of everything: the old is dropped, the new heard after the usual delay."""
    line = Line()
    line.put(0, frame(0))
    line.put(1 << 20, frame(7))
    assert line.read(3) == LEAD + frame(7)


def test_a_new_stream_starts_afresh() -> None:
    """When the sequence checks say so, whatever its timestamp."""
    line = Line()
    line.put(0, frame(0))
    line.put(FRAME, frame(5), begins=True)
    assert line.read(3) == LEAD + frame(5)


def test_delay_that_is_never_needed_is_cut() -> None:
    """Packets that are a frame early for two seconds cost the line one frame of its delay, once."""
    line = Line()
    line.put(0, frame(0))
    for number in range(1, 4):
        line.put(number * FRAME, frame(number))
    assert line.queue.trim(np.array([SLOT])) == 0  # the first packet had no more than the delay
    for number in range(4, 4 + TRIM_TICKS):
        before = line.read()
        line.put(number * FRAME, frame(number))
    assert line.queue.trim(np.array([SLOT])) == 1
    after = line.read()
    assert (after[0] - before[0]) % 251 == 2
    assert line.queue.trim(np.array([SLOT])) == 0


def test_payload_behind_an_extension() -> None:
    """A whole frame that does not begin at octet 12 is found all the same."""
    line = Line()
    line.put(0, sound(FRAME), begin=20)
    assert line.read(3) == LEAD + sound(FRAME)


def test_rows_do_not_touch_each_other() -> None:
    """What one leg queues no other leg hears, before and after growing."""
    line = Line()
    line.put(0, frame(0))
    line.queue.grow(8)
    line.queue.clear(5)
    others = np.array([0, 1, 3, 5])
    assert line.queue.read(others).tobytes() == SILENCE * 4 * FRAME
    assert line.read(3) == LEAD + frame(0)


def test_nobody_to_read() -> None:
    """A worker without listening legs."""
    assert len(PlayoutQueue(4).read(np.zeros(0, np.int64))) == 0


@settings(max_examples=30)
@given(
    st.sampled_from(STARTS),
    st.sampled_from([80, 160, 240, 320, 480]),
    st.lists(st.integers(0, 2), min_size=20, max_size=40),
    st.sets(st.integers(0, 60)),
)
def test_against_the_oracle(start: int, size: int, delays: list[int], lost: set[int]) -> None:
    """With delays under 40 ms and any loss, each sample is heard exactly TARGET after it was said."""
    line = Line(start)
    arrivals: dict[int, list[int]] = {}
    for number, delay in enumerate(delays):
        if number and number in lost:
            continue
        ready = number * size // FRAME
        arrivals.setdefault(ready + (0 if number == 0 else delay), []).append(number)
    expected = bytearray(SILENCE * (len(delays) * size + RING))
    heard = b""
    for tick in range((len(delays) * size) // FRAME + 4):
        for number in arrivals.get(tick, []):
            line.put(number * size, sound(size, seed=number))
            at = number * size + TARGET
            for i in range(size):
                if at + i >= tick * FRAME:
                    expected[at + i] = sound(size, seed=number)[i]
        heard += line.read()
    assert heard == bytes(expected[: len(heard)])


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 1500 - 12), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_hostile_timestamps_and_lengths(packets: list[tuple[int, int, bool]]) -> None:
    """F9: any length at any timestamp neither raises nor grows anything; reading goes on."""
    line = Line()
    for timestamp, length, begins in packets:
        line.put(timestamp, bytes(min(length, ROOM - 12)), begins=begins)
        assert len(line.read()) == FRAME
