"""Telephone events in and out (RFC 4733)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.dtmf import (
    DIGITS,
    END_REPEATS,
    LOST_END_SECONDS,
    MOST_DURATION,
    PAUSE_TICKS,
    TONE_TICKS,
    DigitBegan,
    DigitEnded,
    EventPayload,
    EventReceiver,
    EventSender,
)

STARTS = [0, (1 << 31) - 400, (1 << 32) - 400]


def event(digit: str, duration: int, *, end: bool = False) -> bytes:
    return EventPayload(DIGITS.index(digit), end, 10, duration).serialise()


def test_payload_layout() -> None:
    """RFC 4733 section 2.3: event, E R volume, duration."""
    assert EventPayload(11, True, 10, 800).serialise().hex() == "0b8a0320"
    assert EventPayload.parse(bytes.fromhex("0b8a0320ffff")) == EventPayload(11, True, 10, 800)


@given(st.binary(max_size=8), st.integers(0, 0xFFFFFFFF))
def test_junk_is_dropped(payload: bytes, timestamp: int) -> None:
    """Any payload is an event of ours or nothing; whatever it is, digits are DIGITS."""
    for output in EventReceiver().receive(payload, timestamp, 0.0):
        assert output.digit in DIGITS


class TestReceiving:
    @pytest.mark.parametrize("start", STARTS)
    def test_one_digit_an_event(self, start: int) -> None:
        """However often packets are repeated, a digit begins once and ends once, over any wrap."""
        receiver = EventReceiver()
        found = []
        for digit, at in (("5", start), ("5", start + 1440)):
            for duration in (160, 320, 320, 480):
                found += receiver.receive(event(digit, duration), at & 0xFFFFFFFF, 1.0)
            for _ in range(3):
                found += receiver.receive(event(digit, 640, end=True), at & 0xFFFFFFFF, 1.0)
        assert found == [DigitBegan("5"), DigitEnded("5", 80)] * 2

    def test_end_packets_lost(self) -> None:
        """Without its end an event is over when nothing more of it came."""
        receiver = EventReceiver()
        assert receiver.receive(event("#", 480), 1000, 1.0) == [DigitBegan("#")]
        assert receiver.deadline == 1.0 + LOST_END_SECONDS
        assert receiver.handle_timer(1.0 + LOST_END_SECONDS - 0.01) == []
        assert receiver.handle_timer(1.0 + LOST_END_SECONDS) == [DigitEnded("#", 60)]
        assert receiver.handle_timer(99.0) == []
        assert receiver.receive(event("#", 640, end=True), 1000, 2.0) == []

    def test_end_lost_and_the_next_digit_comes(self) -> None:
        """The next event ends the one before."""
        receiver = EventReceiver()
        receiver.receive(event("1", 480), 1000, 1.0)
        found = receiver.receive(event("2", 160), 2000, 1.1)
        assert found == [DigitEnded("1", 60), DigitBegan("2")]

    def test_only_the_end_arrives(self) -> None:
        """One packet of an event is enough for its digit."""
        assert EventReceiver().receive(event("9", 800, end=True), 7, 0.0) == [
            DigitBegan("9"),
            DigitEnded("9", 100),
        ]

    def test_a_late_packet_of_an_older_event(self) -> None:
        """Reordered: it is not a new digit."""
        receiver = EventReceiver()
        receiver.receive(event("1", 160), 5000, 1.0)
        assert receiver.receive(event("0", 160), 4000, 1.0) == []

    def test_events_that_are_no_digits(self) -> None:
        """Flash (16) and what lies above are ignored (F3)."""
        assert EventReceiver().receive(bytes([16, 0, 0, 160]), 1, 0.0) == []


class TestSending:
    def test_one_digit(self) -> None:
        """100 ms of growing duration, three end packets, then a pause; one timestamp throughout."""
        sender = EventSender()
        sender.send("7")
        packets = []
        for tick in range(TONE_TICKS + END_REPEATS):
            packet = sender.tick()
            assert packet is not None
            assert packet.age == 160 * tick
            assert packet.marker == (tick == 0)
            packets.append(EventPayload.parse(packet.payload))
        assert [p.duration for p in packets if p] == [160, 320, 480, 640, 800, 800, 800, 800]
        assert [p.end for p in packets if p] == [False] * TONE_TICKS + [True] * END_REPEATS
        assert [sender.tick() for _ in range(PAUSE_TICKS)] == [None] * PAUSE_TICKS
        assert not sender.busy

    def test_what_is_no_digit_is_left_out(self) -> None:
        """Pauses and letters of a dial string do not become events."""
        sender = EventSender()
        sender.send("x ,")
        assert not sender.busy

    def test_our_receiver_reads_our_sender(self) -> None:
        """Every digit, lower case too, with every second packet lost."""
        sender, receiver = EventSender(), EventReceiver()
        sender.send("0123456789*#abcd")
        digits, now, clock, lost = "", 0.0, 0, False
        while sender.busy:
            packet = sender.tick()
            now, clock, lost = now + 0.02, clock + 160, not lost
            outputs = receiver.handle_timer(now)
            if packet is not None and not lost:
                outputs += receiver.receive(packet.payload, clock - packet.age, now)
            digits += "".join(o.digit for o in outputs if isinstance(o, DigitEnded))
        assert digits == DIGITS

    def test_a_digit_held_across_a_bridge(self) -> None:
        """It lasts until it is released, and as long as it lasted there."""
        sender = EventSender()
        sender.press("3")
        for _ in range(20):
            sender.tick()
        sender.release(duration_ms=500)
        while (packet := sender.tick()) is not None:
            last = EventPayload.parse(packet.payload)
        assert last == EventPayload(3, True, 10, 25 * 160)

    def test_a_digit_never_released(self) -> None:
        """The duration field has 16 bits; the event ends before it overflows."""
        sender = EventSender()
        sender.press("3")
        durations = []
        while (packet := sender.tick()) is not None:
            read = EventPayload.parse(packet.payload)
            assert read is not None
            durations.append(read.duration)
        assert max(durations) <= MOST_DURATION
        sender.release(20)  # comes too late, and is absorbed
        for _ in range(PAUSE_TICKS):
            sender.tick()
        assert not sender.busy
