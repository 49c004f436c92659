"""``GET /metrics``: the engine's figures in Prometheus' text format, version 0.0.4.

No label holds anything of one call: their number is bounded by the workers and the codecs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.call_journal import MOS_BOUNDS

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from engine.status import EngineMetrics

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


def render(metrics: EngineMetrics) -> bytes:
    """All of it as text."""
    # here, because few are ever asked for them and the library is not small
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(metrics))
    return generate_latest(registry)


class _Snapshot:
    """One moment, as a collector of the library."""

    def __init__(self, metrics: EngineMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        yield from self._engine()
        yield from self._workers()
        yield from self._calls()

    def _engine(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        of = self._metrics
        yield GaugeMetricFamily("polyphony_calls", "Conversations that are up.", of.calls)
        yield CounterMetricFamily("polyphony_calls_begun", "Conversations since the start.", of.calls_total)
        yield GaugeMetricFamily("polyphony_uptime_seconds", "Since the start.", of.uptime)
        yield CounterMetricFamily(
            "polyphony_process_cpu_seconds", "Processor time of the control process.", of.cpu_seconds
        )
        yield CounterMetricFamily(
            "polyphony_workers_lost", "Media workers that died.", of.counters.get("workers_lost", 0)
        )
        counted = CounterMetricFamily(
            "polyphony_events", "What was dropped or went wrong, by counter (operations).", labels=["counter"]
        )
        for label, count in sorted(of.counters.items()):
            counted.add_metric([label], count)
        yield counted

    def _workers(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        label = ["worker"]
        legs = GaugeMetricFamily("polyphony_worker_legs", "Legs a worker carries.", labels=label)
        load = CounterMetricFamily(
            "polyphony_worker_cpu_seconds", "Processor time of a worker.", labels=label
        )
        share = GaugeMetricFamily(
            "polyphony_worker_load_ratio", "How much of a core a worker uses.", labels=label
        )
        ticks = CounterMetricFamily("polyphony_worker_ticks", "Ticks of 20 ms.", labels=label)
        late = CounterMetricFamily("polyphony_worker_late_ticks", "Ticks more than 10 ms late.", labels=label)
        skipped = CounterMetricFamily(
            "polyphony_worker_skipped_ticks", "Ticks left out after a stall.", labels=label
        )
        for each in self._metrics.workers:
            name = [str(each.index)]
            legs.add_metric(name, each.legs)
            share.add_metric(name, each.load)
            load.add_metric(name, each.cpu_seconds)
            ticks.add_metric(name, each.ticks)
            late.add_metric(name, each.late_ticks)
            skipped.add_metric(name, each.skipped_ticks)
        yield from (legs, share, load, ticks, late, skipped)

    def _calls(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        totals = self._metrics.totals
        ended = CounterMetricFamily(
            "polyphony_calls_ended", "Answered calls that are over.", labels=["direction", "codec"]
        )
        for (direction, codec), count in sorted(totals.ended.items()):
            ended.add_metric([direction, codec], count)
        yield ended
        yield CounterMetricFamily("polyphony_call_seconds", "Their length in all.", totals.seconds)
        yield CounterMetricFamily(
            "polyphony_call_packets_received", "RTP packets of theirs that came.", totals.received
        )
        yield CounterMetricFamily("polyphony_call_packets_lost", "Those that did not.", totals.lost)
        yield CounterMetricFamily(
            "polyphony_call_packets_late", "Those that came after their turn.", totals.late
        )
        buckets, so_far = [], 0
        for bound, count in zip((*map(str, MOS_BOUNDS), "+Inf"), totals.mos, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        yield HistogramMetricFamily(
            "polyphony_call_mos",
            "Average mean opinion score of a call, by G.107.",
            buckets=buckets,
            sum_value=totals.mos_sum,
        )
