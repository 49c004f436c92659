"""RTP packets, one at a time and a tick's worth at once."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import RtpError, RtpPacket, read_headers

ROOM = 1600

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
)

# near enough to RTP that every branch is met
likely = st.builds(
    lambda first, second, rest: bytes([first, second]) + rest,
    st.sampled_from([0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0, 0xB1, 0x00, 0x40, 0xC0]),
    st.integers(0, 255),
    st.binary(max_size=120),
)


@given(packets)
def test_round_trip(packet: RtpPacket) -> None:
    """What we write we read back."""
    assert RtpPacket.parse(packet.serialise()) == packet


@given(st.binary(max_size=64) | likely)
def test_junk_is_typed(data: bytes) -> None:
    """Any octets are a packet or an RtpError."""
    with contextlib.suppress(RtpError):
        RtpPacket.parse(data)


@given(st.lists(st.binary(max_size=ROOM) | likely, min_size=1, max_size=8))
def test_whole_array_reading_agrees_with_one_at_a_time(datagrams: list[bytes]) -> None:
    """read_headers says of every datagram what RtpPacket.parse says."""
    raw = np.full((len(datagrams), ROOM), 0xA5, np.uint8)
    for row, data in enumerate(datagrams):
        raw[row, : len(data)] = np.frombuffer(data, np.uint8)
    headers = read_headers(raw, np.array([len(data) for data in datagrams]))
    for row, data in enumerate(datagrams):
        try:
            expected = RtpPacket.parse(data)
        except RtpError:
            assert not headers.valid[row]
            continue
        if len(data) == ROOM:
            assert not headers.valid[row]  # it may have been cut
            continue
        assert headers.valid[row]
        begin, length = headers.begin[row], headers.length[row]
        assert raw[row, begin : begin + length].tobytes() == expected.payload
        found = (headers.payload_type[row], headers.marker[row], headers.sequence[row])
        assert found == (expected.payload_type, expected.marker, expected.sequence)
        assert (headers.timestamp[row], headers.ssrc[row]) == (expected.timestamp, expected.ssrc)


def test_an_error_on_the_socket_is_no_packet() -> None:
    """Size -1, which stands for a failed read, is not valid whatever the row holds."""
    raw = np.zeros((1, ROOM), np.uint8)
    raw[0, 0] = 0x80
    assert not read_headers(raw, np.array([-1])).valid[0]


HEAD = RtpPacket(0, 1, 2, 3, b"").serialise()[1:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "length"),
        (b"\x80" + HEAD[:10], "length"),
        (b"\x40" + HEAD, "version"),
        (b"\x82" + HEAD + bytes(7), "csrc"),
        (b"\x90" + HEAD + bytes(3), "extension"),
        (b"\x90" + HEAD + b"\xbe\xde\x00\x02" + bytes(7), "extension"),
        (b"\xa0" + HEAD + b"abc\x00", "padding"),
        (b"\xa0" + HEAD + b"abc\x05", "padding"),
    ],
)
def test_each_check_of_f3(data: bytes, reason: str) -> None:
    """Version, length, CSRC list, extension and padding are checked against the packet's size."""
    with pytest.raises(RtpError) as caught:
        RtpPacket.parse(data)
    assert caught.value.reason == reason


def test_csrc_extension_and_padding_are_read_over() -> None:
    """The payload is what is left between them; padding of all the rest leaves none."""
    data = b"\xb1" + HEAD + b"CSRC" + b"\xbe\xde\x00\x01EXT." + b"payload" + b"\x00\x00\x03"
    assert RtpPacket.parse(data).payload == b"payload"
    assert RtpPacket.parse(b"\xa0" + HEAD + b"\x00\x00\x03").payload == b""
