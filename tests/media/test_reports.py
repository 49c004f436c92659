"""The RTCP conversation of a leg."""

from __future__ import annotations

import math

import pytest

from media.reception import LossReport
from media.reports import LegReports, Sent, ntp_time
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

WALL = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
HEARD = LossReport(ssrc=9, fraction_lost=1, cumulative_lost=2, highest_sequence=3, jitter=4)
US, PEER = 5, 9


def reports(draw: float = 0.5, now: float = 0.0) -> LegReports:
    return LegReports(US, "name", lambda: draw, now)


def test_ntp_time() -> None:
    """The epoch is 1900; the fraction is of 2^32."""
    assert ntp_time(0) == 2_208_988_800 << 32
    assert ntp_time(SECOND // 2) & 0xFFFFFFFF == 1 << 31


def test_a_leg_that_sent_reports_as_a_sender_else_as_a_receiver() -> None:
    """SR, SDES after sending; RR, SDES when nothing was sent since; no block before anything was heard."""
    leg = reports()
    first = parse_compound(leg.report(Sent(10, 1600, 777), HEARD, WALL, 1.0))
    block = ReportBlock(9, 1, 2, 3, 4, 0, 0)
    assert first == [
        SenderReport(US, ntp_time(WALL), 777, 10, 1600, (block,)),
        SourceDescription(US, "name"),
    ]
    second = parse_compound(leg.report(Sent(10, 1600, 900), None, WALL, 6.0))
    assert second == [ReceiverReport(US), SourceDescription(US, "name")]


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_intervals_are_drawn(draw: float) -> None:
    """RFC 3550 section 6.3.1: 5 s times 0.5 to 1.5 over e - 3/2; the first half of that."""
    interval = 5 * (0.5 + draw) / (math.e - 1.5)
    leg = reports(draw, now=100.0)
    assert leg.deadline == pytest.approx(100.0 + interval / 2)
    leg.report(Sent(0, 0, 0), None, WALL, 200.0)
    assert leg.deadline == pytest.approx(200.0 + interval)


def test_round_trip() -> None:
    """Section 6.4.1: arrival less last report less the delay there; two legs that talk agree on it."""
    us, peer = LegReports(US, "a", lambda: 0.5, 0), LegReports(PEER, "b", lambda: 0.5, 0)
    about_us = LossReport(US, 0, 7, 0, 0)
    peer.receive(us.report(Sent(1, 160, 0), None, WALL, 0), WALL + 30_000_000)
    answer = peer.report(Sent(1, 160, 0), about_us, WALL + 2 * SECOND, 0)
    us.receive(answer, WALL + 2 * SECOND + 40_000_000)
    assert us.round_trip == pytest.approx(0.07, abs=0.001)
    assert us.remote_lost == 7
    assert peer.round_trip is None


def test_a_clock_that_was_set_gives_no_round_trip() -> None:
    """A trip below zero or of more than a minute is not believed."""
    us = reports()
    for elapsed in (-5 * SECOND, 3600 * SECOND):
        last = (ntp_time(WALL) >> 16) & 0xFFFFFFFF
        report = ReceiverReport(PEER, (ReportBlock(US, 0, 0, 0, 0, last, 0),))
        us.receive(report.serialise(), WALL + elapsed)
    assert us.round_trip is None


def test_blocks_about_others_and_goodbyes_change_nothing() -> None:
    """F2: nothing a packet says of another SSRC, and no BYE or SDES for ours, has an effect."""
    us = reports()
    before = {name: getattr(us, name) for name in ("remote_lost", "round_trip", "deadline")}
    other = ReceiverReport(PEER, (ReportBlock(77, 255, 99, 0, 0, 1, 1),))
    us.receive(serialise_compound([other, SourceDescription(US, "x"), Goodbye((US, PEER))]), WALL)
    assert {name: getattr(us, name) for name in before} == before


def test_junk_is_typed() -> None:
    """What is not RTCP is the caller's to count."""
    with pytest.raises(RtcpError):
        reports().receive(b"junk", WALL)


def test_goodbye() -> None:
    """The last packet of a leg is a report, its name and BYE."""
    packets = parse_compound(reports().goodbye(Sent(1, 160, 0), None, WALL))
    assert [type(packet) for packet in packets] == [SenderReport, SourceDescription, Goodbye]
    assert packets[-1] == Goodbye((US,))
