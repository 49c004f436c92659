"""The RTCP conversation of one leg (RFC 3550 section 6): when to report, what, and what the peer reported.

A leg is a session of two, so the interval is the fixed minimum of 5 s, drawn anew each time between half
and one and a half of it and divided by e - 3/2 (section 6.3.1). Does no I/O.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from media.reception import LossReport
from media.rtcp import (
    ExtendedReport,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    parse_compound,
    serialise_compound,
)
from media.rtcp_xr import VoipMetrics

INTERVAL_SECONDS = 5.0
_COMPENSATION = math.e - 1.5
_NTP_EPOCH = 2_208_988_800  # from 1900 to 1970
_NS = 1_000_000_000


def ntp_time(wall_ns: int) -> int:
    """Nanoseconds since 1970 as a 64-bit NTP timestamp (RFC 3550 section 4)."""
    return (((wall_ns + _NTP_EPOCH * _NS) << 32) // _NS) & 0xFFFFFFFFFFFFFFFF


def _middle(ntp: int) -> int:
    """The middle 32 bits, in 1/65536 s."""
    return (ntp >> 16) & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Sent:
    """The leg's sending half as it stands: totals, and the timestamp of this moment."""

    packets: int
    octets: int
    timestamp: int


class LegReports:
    """RTCP state of one leg. ``draw`` gives a random number from 0 to 1."""

    def __init__(self, ssrc: int, cname: str, draw: Callable[[], float], now: float) -> None:
        self._ssrc = ssrc
        self._cname = cname
        self._draw = draw
        self._reported_packets = 0
        self._last_report = 0
        self._last_report_at = 0
        self.remote_lost = 0
        self.remote_fraction_lost = 0.0
        """Of our packets since the report before, 0 to 1."""
        self.round_trip: float | None = None
        """Seconds, from the last report block about us that answered one of ours."""
        self.remote_metrics: VoipMetrics | None = None
        """What the peer last said of what it hears of us (RFC 3611)."""
        self.deadline = now + self._interval() / 2  # the first one sooner, section 6.2

    def _interval(self) -> float:
        return INTERVAL_SECONDS * (0.5 + self._draw()) / _COMPENSATION

    def receive(self, data: bytes, wall_ns: int) -> None:
        """Read a compound packet from the peer. Raises RtcpError. A BYE or SDES changes nothing (F2)."""
        for packet in parse_compound(data):
            if isinstance(packet, SenderReport):
                self._last_report, self._last_report_at = _middle(packet.ntp), wall_ns
            if isinstance(packet, ExtendedReport):
                for metrics in packet.metrics:
                    if metrics.ssrc == self._ssrc:
                        self.remote_metrics = metrics
            if isinstance(packet, SenderReport | ReceiverReport):
                for block in packet.blocks:
                    if block.ssrc == self._ssrc:
                        self._read_block(block, wall_ns)

    def _read_block(self, block: ReportBlock, wall_ns: int) -> None:
        self.remote_lost = block.cumulative_lost
        self.remote_fraction_lost = block.fraction_lost / 256
        if block.last_report:
            elapsed = (_middle(ntp_time(wall_ns)) - block.last_report) & 0xFFFFFFFF
            trip = elapsed - block.delay_since_last_report
            if 0 <= trip < 60 * 65536:  # anything else: a clock was set meanwhile
                self.round_trip = trip / 65536

    def report(
        self,
        sent: Sent,
        heard: LossReport | None,
        wall_ns: int,
        now: float,
        metrics: VoipMetrics | None = None,
    ) -> bytes:
        """The compound packet that is due: SR if anything was sent since the last one, else RR; XR with ``metrics``."""
        self.deadline = now + self._interval()
        packets = [self._own_report(sent, heard, wall_ns), self._description()]
        if metrics is not None:
            packets.append(ExtendedReport(self._ssrc, (metrics,)))
        return serialise_compound(packets)

    def goodbye(self, sent: Sent, heard: LossReport | None, wall_ns: int) -> bytes:
        """The last compound packet of a leg."""
        last = self._own_report(sent, heard, wall_ns)
        return serialise_compound([last, self._description(), Goodbye((self._ssrc,))])

    def _description(self) -> SourceDescription:
        return SourceDescription(self._ssrc, self._cname)

    def _own_report(self, sent: Sent, heard: LossReport | None, wall_ns: int) -> RtcpPacket:
        blocks = () if heard is None else (self._block(heard, wall_ns),)
        if sent.packets == self._reported_packets:
            return ReceiverReport(self._ssrc, blocks)
        self._reported_packets = sent.packets
        ntp = ntp_time(wall_ns)
        packets, octets = sent.packets & 0xFFFFFFFF, sent.octets & 0xFFFFFFFF
        return SenderReport(self._ssrc, ntp, sent.timestamp, packets, octets, blocks)

    def _block(self, heard: LossReport, wall_ns: int) -> ReportBlock:
        since = 0
        if self._last_report:
            since = max(0, (wall_ns - self._last_report_at) * 65536 // _NS) & 0xFFFFFFFF
        return ReportBlock(
            heard.ssrc,
            heard.fraction_lost,
            heard.cumulative_lost,
            heard.highest_sequence,
            heard.jitter,
            self._last_report,
            since,
        )
