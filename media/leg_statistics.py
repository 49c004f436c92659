"""What is known of each leg: its totals, and its quality an interval of RTCP reports at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from media.bursts import BurstReport
from media.control import LegQuality, LegSpec, LegStatistics
from media.quality import PACKET_MS, QualityLog, mos, one_way_delay_ms, rating
from media.rtcp_xr import VoipMetrics

if TYPE_CHECKING:
    from media.leg_sockets import LegSockets
    from media.plane import Plane
    from media.reception import LossReport
    from media.reports import LegReports

_FEWEST = 25
"""Packets of an interval that say something of its quality: half a second."""


@dataclass(slots=True)
class Observation:
    """One leg's quality so far, and what had been counted when its last interval ended."""

    log: QualityLog = field(default_factory=QualityLog)
    packets: int = 0
    late: int = 0
    discard_rate: float = 0.0
    delay_ms: float = 0.0


class LegObserver:
    """Reads the arrays of a plane."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def late(self, slot: int) -> int:
        """Packets that came after their turn."""
        return int(self._plane.jitter_buffer.late[slot]) + self._plane.coded.late(slot)

    def jitter_ms(self, slot: int) -> float:
        """RFC 3550 appendix A.8."""
        reception = self._plane.reception
        return 1000 * float(reception.jitter[slot] / reception.clock[slot])

    def observe(
        self, slot: int, spec: LegSpec, seen: Observation, heard: LossReport | None, reports: LegReports
    ) -> VoipMetrics | None:
        """End an interval: rate it, and say it as the peer is told; None when hardly anything was heard in it."""
        plane = self._plane
        packets = int(plane.reception.packets[slot])
        new = packets - seen.packets
        if heard is None or new < _FEWEST or spec.codec is None:
            return None
        late = self.late(slot)
        seen.discard_rate = min(1.0, (late - seen.late) / new)
        seen.packets, seen.late = packets, late
        loss = heard.fraction_lost / 256
        bursts = plane.reception.bursts.report(slot)
        buffered = plane.buffered_ms(slot)
        trip = 1000 * (reports.round_trip or 0.0)
        remote = reports.remote_metrics
        seen.delay_ms = one_way_delay_ms(trip, buffered, 0.0 if remote is None else remote.buffer_ms)
        r = rating(spec.codec, loss + seen.discard_rate, seen.delay_ms, bursts.burst_ratio)
        seen.log.add(r, self.jitter_ms(slot))
        listening = mos(rating(spec.codec, loss + seen.discard_rate, 0.0, bursts.burst_ratio))
        return VoipMetrics(
            ssrc=heard.ssrc,
            loss_rate=loss,
            discard_rate=seen.discard_rate,
            burst_density=bursts.burst_density,
            gap_density=bursts.gap_density,
            burst_ms=PACKET_MS * bursts.burst_packets,
            gap_ms=PACKET_MS * bursts.gap_packets,
            round_trip_ms=trip,
            end_system_delay_ms=PACKET_MS + buffered,
            r_factor=r,
            mos_listening=listening,
            mos_conversational=mos(r),
            buffer_ms=buffered,
            buffer_most_ms=buffered,
        )

    def quality(self, slot: int, seen: Observation, reports: LegReports) -> LegQuality | None:
        """All intervals together; None while nothing was rated."""
        log = seen.log
        if not log.intervals:
            return None
        bursts: BurstReport = self._plane.reception.bursts.report(slot)
        remote = reports.remote_metrics
        return LegQuality(
            mos=mos(log.last_r),
            mos_lowest=log.lowest,
            mos_average=log.average,
            r_factor=log.last_r,
            jitter_average_ms=log.jitter_ms,
            jitter_most_ms=log.most_jitter_ms,
            delay_ms=seen.delay_ms,
            burst_density=bursts.burst_density,
            gap_density=bursts.gap_density,
            burst_ms=PACKET_MS * bursts.burst_packets,
            gap_ms=PACKET_MS * bursts.gap_packets,
            remote_mos=None if remote is None else remote.mos_conversational,
        )

    def totals(
        self,
        leg: int,
        slot: int,
        seen: Observation,
        reports: LegReports,
        sockets: LegSockets,
        *,
        strangers: int,
        final: bool,
    ) -> LegStatistics:
        """All that is told the engine of a leg."""
        plane = self._plane
        return LegStatistics(
            leg=leg,
            packets_sent=int(plane.transmission.sent[slot]),
            octets_sent=int(plane.transmission.octets[slot]),
            packets_received=int(plane.reception.packets[slot]),
            octets_received=int(plane.reception.octets[slot]),
            lost=plane.reception.lost(slot),
            late=self.late(slot),
            jitter_ms=self.jitter_ms(slot),
            round_trip_ms=None if reports.round_trip is None else 1000 * reports.round_trip,
            remote_lost=reports.remote_lost,
            strangers=strangers + sockets.strangers(slot),
            flooded=int(plane.legs.flooded[slot]),
            malformed=int(plane.legs.malformed[slot]),
            unauthentic=sockets.srtp.failed(slot),
            quality=self.quality(slot, seen, reports),
            final=final,
        )
