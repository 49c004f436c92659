"""RTCP compound packets."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    SenderReport,
    SourceDescription,
    parse_compound,
    serialise_compound,
)

words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock,
    words,
    st.integers(0, 255),
    st.integers(-0x800000, 0x7FFFFF),
    words,
    words,
    words,
    words,
)
some_blocks = st.lists(blocks, max_size=3).map(tuple)
reports = st.builds(
    SenderReport, words, st.integers(0, 2**64 - 1), words, words, words, some_blocks
) | st.builds(ReceiverReport, words, some_blocks)
others = st.builds(SourceDescription, words, st.text(max_size=40)) | st.builds(
    Goodbye, st.lists(words, max_size=4).map(tuple)
)


@given(reports, st.lists(reports | others, max_size=4))
def test_round_trip(first: SenderReport, rest: list[SenderReport]) -> None:
    """What we write we read back, in order."""
    assert parse_compound(serialise_compound([first, *rest])) == [first, *rest]


@given(st.binary(max_size=120), st.sampled_from([b"", b"\x80\xc9\x00\x01abcd", b"\x81\xca", b"\xa0\xc8"]))
def test_junk_is_typed(data: bytes, head: bytes) -> None:
    """Any octets are packets or an RtcpError."""
    with contextlib.suppress(RtcpError):
        parse_compound(head + data)


RR = b"\x80\xc9\x00\x01\x00\x00\x00\x07"


def test_golden_sender_report() -> None:
    """The layout of RFC 3550 section 6.4.1."""
    block = ReportBlock(0x11223344, 0x40, -2, 0x00010005, 16, 0xAABBCCDD, 0x00010000)
    report = SenderReport(0x01020304, 0xE0000000_80000000, 160, 2, 320, (block,))
    expected = (
        "81c8000c" + "01020304" + "e000000080000000" + "000000a0" + "00000002" + "00000140"
        "11223344" + "40fffffe" + "00010005" + "00000010" + "aabbccdd" + "00010000"
    )
    assert report.serialise().hex() == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "length"),
        (RR[:4], "length"),
        (RR + b"\x00", "length"),
        (b"\x40" + RR[1:], "version"),
        (b"\x81\xcb\x00\x01\x00\x00\x00\x07", "not_a_report"),
        (b"\x80\xc9\x00\x02" + RR[4:], "truncated"),
        (b"\x81" + RR[1:], "truncated"),
        (b"\x80\xc8\x00\x01" + RR[4:], "truncated"),
        (b"\x80\xc9\x00\x00" + RR, "truncated"),
        (RR + b"\x81\xca\x00\x00", "truncated"),
        (RR + b"\x81\xca\x00\x01abcd", "truncated"),
        (RR + b"\x81\xca\x00\x02abcd\x01\x05ab", "truncated"),
        (RR + b"\x82\xcb\x00\x01abcd", "truncated"),
        (b"\xa0" + RR[1:] + RR, "padding"),
        (b"\xa0\xc9\x00\x02" + RR[4:] + b"\x00\x00\x00\x03", "padding"),
        (b"\xa0\xc9\x00\x02" + RR[4:] + b"\x00\x00\x00\x0c", "padding"),
    ],
)
def test_each_check_of_appendix_a2(data: bytes, reason: str) -> None:
    """Version, first type, lengths and padding are checked before anything is used."""
    with pytest.raises(RtcpError) as caught:
        parse_compound(data)
    assert caught.value.reason == reason


def test_what_we_do_not_know_is_read_over() -> None:
    """APP packets, SDES items other than CNAME and last padding do not disturb."""
    app = b"\x80\xcc\x00\x02\x00\x00\x00\x07name"
    sdes = b"\x81\xca\x00\x04\x00\x00\x00\x07" + b"\x02\x02me\x01\x02ab\x00\x00\x00\x00"
    padded = b"\xa1\xcb\x00\x02\x00\x00\x00\x07\x00\x00\x00\x04"
    found = parse_compound(RR + app + sdes + padded)
    assert found == [ReceiverReport(7), SourceDescription(7, "ab"), Goodbye((7,))]


def test_more_than_the_count_field_holds_is_our_mistake() -> None:
    """32 blocks cannot be said in five bits."""
    with pytest.raises(ValueError, match="32"):
        Goodbye(tuple(range(32))).serialise()
