"""VoIP metrics (RFC 3611 section 4.7): layout, round trip, junk, and what a leg makes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.reports import LegReports, Sent
from media.rtcp import ExtendedReport, ReceiverReport, RtcpError, parse_compound, serialise_compound
from media.rtcp_xr import VoipMetrics, voip_metrics

METRICS = VoipMetrics(
    ssrc=0x01020304,
    loss_rate=0.0625,
    discard_rate=0.03125,
    burst_density=0.5,
    gap_density=0.0,
    burst_ms=200,
    gap_ms=10000,
    round_trip_ms=120,
    end_system_delay_ms=60,
    r_factor=80.0,
    mos_listening=4.1,
    mos_conversational=4.0,
    buffer_ms=40,
    buffer_most_ms=80,
)
WIRE = bytes.fromhex("07000008 01020304 10088000 00c82710 0078003c 7f7f7f10 507f2928 f0000028 00500050")


def test_golden() -> None:
    """Field by field as the figure of section 4.7 has them."""
    assert METRICS.serialise() == WIRE
    assert voip_metrics(WIRE) == [METRICS]
    packet = ExtendedReport(0x0A0B0C0D, (METRICS,)).serialise()
    assert packet == bytes.fromhex("80cf000a 0a0b0c0d") + WIRE


def test_what_is_not_known() -> None:
    """127 both ways; what does not fit its field is cut."""
    unknown = replace(METRICS, r_factor=None, mos_listening=None, mos_conversational=None)
    assert voip_metrics(unknown.serialise()) == [unknown]
    assert unknown.serialise()[24:28] == b"\x7f\x7f\x7f\x7f"
    wide = replace(METRICS, gap_ms=1e9, loss_rate=2.0, round_trip_ms=-1.0)
    (read,) = voip_metrics(wide.serialise())
    assert (read.gap_ms, read.loss_rate, read.round_trip_ms) == (0xFFFF, 255 / 256, 0)


def test_other_blocks_are_read_over() -> None:
    """A receiver reference time (type 4), a block cut off."""
    other = b"\x04\x00\x00\x02" + bytes(8)
    assert voip_metrics(other + WIRE + other[:6]) == [METRICS]


@given(st.binary(max_size=200))
def test_junk_is_typed(data: bytes) -> None:
    """Any body is read, or refused as RTCP is."""
    voip_metrics(data)
    body = data[: len(data) // 4 * 4]
    packet = b"\x80\xcf" + (len(body) // 4).to_bytes(2, "big") + body
    report = ReceiverReport(7).serialise()
    if len(body) < 4:
        with pytest.raises(RtcpError):
            parse_compound(report + packet)
    else:
        assert parse_compound(report + packet)[0] == ReceiverReport(7)


def test_a_leg_takes_what_is_said_of_it() -> None:
    """Blocks about our stream are kept, others not; its own report carries one when there is one."""
    leg = LegReports(0x01020304, "name", lambda: 0.5, 0.0)
    about_other = replace(METRICS, ssrc=99)
    leg.receive(serialise_compound([ReceiverReport(7), ExtendedReport(7, (about_other,))]), 0)
    assert leg.remote_metrics is None
    leg.receive(serialise_compound([ReceiverReport(7), ExtendedReport(7, (about_other, METRICS))]), 0)
    assert leg.remote_metrics == METRICS
    sent = Sent(0, 0, 0)
    assert not [p for p in parse_compound(leg.report(sent, None, 0, 1.0)) if isinstance(p, ExtendedReport)]
    (said,) = [
        p for p in parse_compound(leg.report(sent, None, 0, 1.0, METRICS)) if isinstance(p, ExtendedReport)
    ]
    assert said == ExtendedReport(0x01020304, (METRICS,))
