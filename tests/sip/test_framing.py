"""Framing a stream: splits, keep-alives, doubtful lengths, slow peers, bounds (security rules A3, B1-B3)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.framing import BODY_SECONDS, HEAD_SECONDS, SILENCE_SECONDS, Bad, Frame, KeepAlive, StreamFramer
from sip.message import MAX_BODY, MAX_HEAD, Request, parse_message


def message(number: int = 1, body: bytes = b"", length: str | None = None, *more: str) -> bytes:
    """Write a request with a body and what is said of its length."""
    said = [f"Content-Length: {len(body)}"] if length is None else [length] if length else []
    lines = [
        "MESSAGE sip:b@h SIP/2.0",
        f"Via: SIP/2.0/TCP h;branch=z9hG4bK{number}",
        "From: <sip:a@h>;tag=1",
        "To: <sip:b@h>",
        "Call-ID: x",
        f"CSeq: {number} MESSAGE",
        *more,
        *said,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


STREAM = (
    b"\r\n\r\n" + message(1, b"\r\n\r\nnot the end") + message(2) + b"\r\n" + message(3, b"x" * 70, "l :  70")
)
FRAMES = ["ping", message(1, b"\r\n\r\nnot the end"), message(2), message(3, b"x" * 70, "l :  70")]


def outcome(framer: StreamFramer) -> list[bytes | str]:
    """Return frames as bytes, keep-alives and failures by name."""
    return [
        output.data
        if isinstance(output, Frame)
        else output.kind
        if isinstance(output, KeepAlive)
        else output.error.label
        for output in framer.take_outputs()
    ]


def feed(*pieces: bytes, accepted: bool = True) -> StreamFramer:
    """Give pieces to a new framer."""
    framer = StreamFramer(0.0, accepted=accepted)
    for piece in pieces:
        framer.receive(piece, 0.0)
    return framer


def fail(*pieces: bytes) -> Bad:
    """Give pieces that must end the stream, and return why."""
    framer = feed(*pieces)
    output = framer.take_outputs()[-1]
    assert isinstance(output, Bad)
    assert framer.closed
    return output


def cost(size: int) -> float:
    """Return the least time of several readings of a header block without end, byte by byte."""
    best = 1e9
    for _ in range(3):
        framer = StreamFramer(0.0)
        start = time.thread_time()
        for _ in range(size):
            framer.receive(b"a", 0.0)
        best = min(best, time.thread_time() - start)
        assert framer.pending == size
    return best


class TestSplits:
    """B2: the segments make no difference."""

    @pytest.mark.parametrize("at", range(len(STREAM) + 1))
    def test_at_every_byte(self, at: int) -> None:
        """Two segments, cut anywhere."""
        assert outcome(feed(STREAM[:at], STREAM[at:])) == FRAMES

    @pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 10000])
    def test_in_equal_segments(self, size: int) -> None:
        """Byte by byte up to all at once."""
        pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
        framer = feed(*pieces)
        assert outcome(framer) == FRAMES
        assert (framer.deadline, framer.pending) == (None, 0)

    @given(st.lists(st.integers(0, len(STREAM)), max_size=10).map(sorted))
    def test_anywhere(self, cuts: list[int]) -> None:
        """Any segments."""
        pieces = [STREAM[start:end] for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
        assert outcome(feed(*pieces)) == FRAMES

    def test_pipelining(self) -> None:
        """A hundred messages in one segment come out in order."""
        sent = [message(number, b"body") for number in range(100)]
        assert outcome(feed(b"".join(sent))) == sent

    def test_what_is_framed_is_parsed(self) -> None:
        """A frame is what the parser takes for a message of a stream."""
        for output in feed(STREAM).take_outputs()[1:]:
            assert isinstance(output, Frame)
            assert parse_message(output.data, stream=True).call_id == "x"

    def test_byte_by_byte_is_linear(self) -> None:
        """Eight times the bytes, one at a time, cost about eight times the work: no search begins anew."""
        for _ in range(3):  # a busy machine may spoil a measurement, not three
            small, large = cost(MAX_HEAD // 8), cost(MAX_HEAD)
            if large <= 16 * small:
                return
        pytest.fail(f"{MAX_HEAD // 8} bytes took {small:.3f} s, {MAX_HEAD} bytes {large:.3f} s")


class TestKeepAlives:
    """RFC 5626 section 4.4.1."""

    @pytest.mark.parametrize(
        "pieces", [(b"\r\n\r\n",), (b"\r\n", b"\r\n"), (b"\r", b"\n", b"\r", b"\n"), (b"\r\n\r", b"\n")]
    )
    def test_ping(self, pieces: tuple[bytes, ...]) -> None:
        """Two CRLFs on a connection the peer opened."""
        framer = feed(*pieces)
        assert (outcome(framer), framer.pending, framer.deadline) == (["ping"], 0, None)

    def test_pong(self) -> None:
        """One CRLF on a connection we opened, at once."""
        framer = feed(b"\r\n", accepted=False)
        assert outcome(framer) == ["pong"]
        framer.receive(b"\r\n" + message(), 0.0)
        assert outcome(framer) == ["pong", message()]

    def test_padding(self) -> None:
        """A lone CRLF before a message is nothing (RFC 3261 section 7.5), nor are two around one."""
        assert outcome(feed(b"\r\n" + message(1) + b"\r\n" + message(2) + b"\r\n")) == [
            message(1),
            message(2),
        ]

    def test_a_lone_cr_is_no_keep_alive(self) -> None:
        """It belongs to a message, which the parser will refuse."""
        assert outcome(feed(b"\r", message())) == [b"\r" + message()]


class TestDoubtfulLengths:
    """B1: nothing after a message whose end is doubtful is read."""

    HIDDEN = message(9)

    @pytest.mark.parametrize(
        ("length", "label"),
        [
            ("", "missing_content_length"),
            ("Content-Length: 5\r\nContent-Length: 5", "repeated_content_length"),
            ("Content-Length: 5\r\nl: 300", "repeated_content_length"),
            ("l: 5\r\nL : 5", "repeated_content_length"),
            ("Content-Length: 5, 5", "content_length"),
            ("Content-Length: +5", "content_length"),
            ("Content-Length: -1", "content_length"),
            ("Content-Length:", "content_length"),
            ("Content-Length: 5 5", "content_length"),
            ("Content-Length: 0x5", "content_length"),
            ("Content-Length: \xb2", "content_length"),
            ("Content-Length: 5\r\n 0", "content_length"),
            (f"Content-Length: {MAX_BODY + 1}", "body_length"),
            ("Content-Length: 99999999999999999999", "content_length"),
        ],
    )
    def test_doubt_ends_the_stream(self, length: str, label: str) -> None:
        """The request is answered, the connection closed, a request in its body has no effect."""
        framer = feed(message(1, b"12345" + self.HIDDEN, length) + message(2))
        outputs = framer.take_outputs()
        assert len(outputs) == 1
        assert isinstance(outputs[0], Bad)
        error = outputs[0].error
        assert (error.label, error.status in (400, 413)) == (label, True)
        assert isinstance(error.message, Request)
        assert error.message.headers.get("cseq") == "1 MESSAGE"
        framer.receive(message(3), 1.0)
        assert (framer.take_outputs(), framer.deadline, framer.pending) == ([], None, 0)

    def test_a_folded_length_is_one(self) -> None:
        """A fold before the number changes nothing; the parser reads the same."""
        data = message(1, b"12345", "Content-Length:\r\n \t5")
        assert outcome(feed(data)) == [data]
        assert parse_message(data, stream=True).body == b"12345"

    def test_junk_is_never_answered(self) -> None:
        """Without a readable request there is nothing to answer, only a connection to close."""
        assert fail(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n").error.message is None
        assert fail(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP h\r\n\r\n").error.message is None
        assert fail(message(1, length="").replace(b"MESSAGE", b"ACK")).error.message is None


class TestSlowPeers:
    """B3: who is slow is left."""

    def test_silence(self) -> None:
        """A connection that never says anything has 30 s."""
        framer = StreamFramer(100.0)
        assert framer.deadline == 100.0 + SILENCE_SECONDS
        framer.handle_timer(100.0 + SILENCE_SECONDS - 0.001)
        assert outcome(framer) == []
        framer.handle_timer(100.0 + SILENCE_SECONDS)
        assert outcome(framer) == ["silence"]
        framer.handle_timer(999.0)
        assert outcome(framer) == []

    def test_a_header_block(self) -> None:
        """10 s from its first byte, whatever drips in."""
        framer = StreamFramer(0.0)
        for second in range(9):
            framer.receive(b"a", 20.0 + second)
        assert framer.deadline == 20.0 + HEAD_SECONDS
        framer.handle_timer(20.0 + HEAD_SECONDS)
        assert outcome(framer) == ["slow_head"]

    def test_a_body(self) -> None:
        """30 s from the end of its header block."""
        data = message(1, b"12345")
        framer = StreamFramer(0.0)
        framer.receive(data[:-5], 5.0)
        assert framer.deadline == 5.0 + BODY_SECONDS
        framer.receive(b"123", 20.0)
        assert framer.deadline == 5.0 + BODY_SECONDS
        framer.handle_timer(5.0 + BODY_SECONDS)
        assert outcome(framer) == ["slow_body"]

    def test_keep_alives_do_not_help(self) -> None:
        """CRLFs within a half-sent message give it no more time; a lone CR starts the clock."""
        framer = StreamFramer(0.0)
        framer.receive(b"MESSAGE sip:b@h SIP/2.0", 1.0)
        framer.receive(b"\r\n", 9.0)
        assert framer.deadline == 1.0 + HEAD_SECONDS
        framer = StreamFramer(0.0)
        framer.receive(b"\r", 1.0)
        assert framer.deadline == 1.0 + HEAD_SECONDS
        framer.handle_timer(1.0 + HEAD_SECONDS)
        assert outcome(framer) == ["slow_head"]

    def test_each_message_has_its_time(self) -> None:
        """The next message's time begins with its first byte; there is no deadline between messages."""
        framer = StreamFramer(0.0)
        framer.receive(message(1)[:-1], 1.0)
        framer.receive(message(1)[-1:] + b"MES", 8.0)
        assert (framer.deadline, outcome(framer)) == (8.0 + HEAD_SECONDS, [message(1)])
        framer.receive(message(2)[3:], 9.0)
        assert (framer.deadline, outcome(framer)) == (None, [message(2)])
        framer.handle_timer(1e9)
        assert not framer.closed


class TestBounds:
    """A3 on a stream."""

    def test_header_block(self) -> None:
        """64 KiB to the byte; beyond it the request is answered if its beginning can be read."""
        fixed = len(message(1, b"", None, "Q: "))
        fits = message(1, b"", None, "Q: " + "a" * 8000, *["Q: " + "a" * 7000] * 8)
        filled = fits[:-4] + b"\r\nQ: " + b"a" * (MAX_HEAD - len(fits) - 1) + b"\r\n\r\n"
        assert fixed < len(fits) < MAX_HEAD
        assert len(filled) == MAX_HEAD + 4
        assert outcome(feed(filled)) == [filled]
        error = fail(filled[:-4] + b"a\r\n\r\n").error
        assert (error.label, error.status) == ("head_length", 513)
        assert isinstance(error.message, Request)

    def test_a_header_block_without_end(self) -> None:
        """It is not collected beyond the bound."""
        framer = StreamFramer(0.0)
        for _ in range(65):
            framer.receive(b"a" * 1024, 0.0)
        assert (outcome(framer), framer.pending) == (["head_length"], 0)

    def test_body(self) -> None:
        """256 KiB."""
        data = message(1, bytes(MAX_BODY))
        assert outcome(feed(data)) == [data]


@given(
    st.lists(
        st.binary(max_size=60) | st.sampled_from([b"\r\n", message(1, b"x"), b"l: 1\r\n\r\n"]), max_size=20
    )
)
@settings(max_examples=200)
def test_junk(pieces: list[bytes]) -> None:
    """Any bytes, in any segments, are framed alike or end the stream."""
    assert outcome(feed(*pieces)) == outcome(feed(b"".join(pieces)))
