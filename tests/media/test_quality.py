"""The E-model against published figures, and bursts against the packet-by-packet algorithm of RFC 3611."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.bursts import DEPTH, GMIN, Bursts
from media.quality import (
    IMPAIRMENTS,
    QualityLog,
    delay_impairment,
    loss_impairment,
    mos,
    one_way_delay_ms,
    rating,
)

ONE = np.array([0])


class TestEModel:
    @pytest.mark.parametrize(
        ("r", "score"), [(93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1)]
    )
    def test_mos_of_r(self, r: float, score: float) -> None:
        """G.107 annex B, table B.1."""
        assert mos(r) == pytest.approx(score, abs=0.01)

    @pytest.mark.parametrize(
        ("delay", "lost"), [(0, 0), (100, 0), (150, 0.15), (200, 3.04), (250, 8.9), (300, 14.8), (400, 24.1)]
    )
    def test_delay(self, delay: float, lost: float) -> None:
        """Idd by the formula of G.107 section 7.4: nothing to 100 ms, hardly anything to 150, then steeply."""
        assert delay_impairment(delay) == pytest.approx(lost, abs=0.05)

    def test_loss(self) -> None:
        """Ie,eff: none without loss, G.711 with concealment 15.8 at 5 %, worse in bursts, bounded by 95."""
        assert loss_impairment("PCMU", 0.0) == 0
        assert loss_impairment("PCMU", 0.05) == pytest.approx(95 * 5 / 30.1)
        assert loss_impairment("PCMU", 0.05, 2.0) > loss_impairment("PCMU", 0.05)
        assert loss_impairment("G729", 0.0) == 11
        assert loss_impairment("unheard of", 1.0) < 95

    @given(
        st.sampled_from([*IMPAIRMENTS, "?"]),
        st.floats(0, 1),
        st.floats(0, 5000),
        st.floats(1, 20),
        st.floats(0, 0.5),
    )
    def test_worse_is_never_better(
        self, codec: str, loss: float, delay: float, ratio: float, more: float
    ) -> None:
        """More loss or delay never raises R; MOS stays within 1 to 4.5."""
        r = rating(codec, loss, delay, ratio)
        assert rating(codec, min(1.0, loss + more), delay, ratio) <= r + 1e-9
        assert rating(codec, loss, delay + 1000 * more, ratio) <= r + 1e-9
        assert 0 <= r <= 93.2
        assert 1.0 <= mos(r) <= 4.5

    def test_a_good_call_and_a_poor_one(self) -> None:
        """Clean G.711 is 4.4; 5 % loss at 300 ms leaves 3.3."""
        assert mos(rating("PCMA", 0, 40)) == pytest.approx(4.41, abs=0.01)
        assert mos(rating("PCMA", 0.05, 300)) == pytest.approx(3.3, abs=0.1)

    def test_delay_from_what_is_known(self) -> None:
        """Half the round trip, a packet and the buffers at both ends."""
        assert one_way_delay_ms(None, 20) == 40
        assert one_way_delay_ms(100, 40, 30) == 140

    def test_the_log(self) -> None:
        """Lowest, average and most of all intervals."""
        log = QualityLog()
        assert (log.average, log.jitter_ms) == (0, 0)
        for r, jitter in ((93.2, 1), (60, 21), (93.2, 2)):
            log.add(r, jitter)
        assert log.lowest == pytest.approx(3.10, abs=0.01)
        assert log.average == pytest.approx((4.41 * 2 + 3.10) / 3, abs=0.01)
        assert (log.most_jitter_ms, log.jitter_ms) == (21, 8)


def by_the_letter(received: list[bool]) -> dict[str, int]:
    """RFC 3611 appendix A.2, a packet at a time; the first loss begins a gap's count and no burst's."""
    c = dict.fromkeys(("c11", "c13", "c14", "c22", "c23", "c33", "losses"), 0)
    packets = run = 0
    for came in received:
        if came:
            packets += 1
            continue
        c["losses"] += 1
        if packets >= GMIN or c["losses"] == 1:
            if run:
                c["c14" if run == 1 else "c13"] += 1
            run = 1
            c["c11"] += packets
        else:
            run += 1
            if packets == 0:
                c["c33"] += 1
            else:
                c["c23"] += 1
                c["c22"] += packets - 1
        packets = 0
    return c


def fed(received: list[bool]) -> Bursts:
    """What is found when those packets come in order; enough follow that all are decided."""
    bursts = Bursts(1)
    step = 0
    for came in [*received, *[True] * DEPTH]:
        step += 1
        if came:
            bursts.advance(ONE, np.array([step]))
            step = 0
    return bursts


class TestBursts:
    @given(st.lists(st.sampled_from([True] * 9 + [False]), max_size=300))
    @settings(max_examples=200)
    def test_against_the_letter(self, received: list[bool]) -> None:
        """Any pattern of loss gives the counts of the RFC's own program."""
        bursts = fed(received)
        expected = by_the_letter(received)
        assert {name: int(getattr(bursts, name)[0]) for name in expected} == expected

    def test_out_of_order_is_not_lost(self) -> None:
        """Packets that change places within the last sixteen."""
        bursts = Bursts(1)
        bursts.advance(ONE, np.array([1]))
        for _ in range(40):
            bursts.advance(ONE, np.array([3]))
            bursts.late(ONE, np.array([1]))
            bursts.late(ONE, np.array([2]))
            bursts.advance(ONE, np.array([1]))
        assert bursts.losses[0] == 0

    def test_a_repeated_packet_changes_nothing(self) -> None:
        """Step 0."""
        bursts = fed([True] * 50)
        bursts.advance(ONE, np.array([0]))
        assert (bursts.steps[0], bursts.losses[0]) == (50, 0)

    def test_random_loss_has_no_bursts_to_speak_of(self) -> None:
        """2 % at random: the ratio is about 1; in tens at once: about 10, and dense bursts."""
        rng = np.random.default_rng(1)
        scattered = fed((rng.random(20_000) > 0.02).tolist()).report(0)
        assert scattered.burst_ratio == pytest.approx(1, abs=0.1)
        in_tens = [True] * 490 + [False] * 10
        report = fed(in_tens * 20).report(0)
        assert report.burst_ratio == pytest.approx(9.8, abs=0.3)
        assert report.burst_density > 0.9
        assert report.gap_density == 0
        assert report.gap_packets == pytest.approx(490, rel=0.05)
        assert report.burst_packets == pytest.approx(10, abs=2)

    def test_nothing_lost(self) -> None:
        """All gap."""
        report = fed([True] * 100).report(0)
        assert (report.burst_density, report.gap_density, report.burst_ratio) == (0, 0, 1)

    def test_one_lost(self) -> None:
        """A single loss is no burst."""
        report = fed([True] * 100 + [False] + [True] * 100).report(0)
        assert (report.burst_density, report.burst_packets) == (0, 0)
        assert 0 < report.gap_density < 0.02

    def test_many_legs_apart(self) -> None:
        """What one leg loses is no other's; a new stream begins with nothing missing."""
        bursts = Bursts(3)
        slots = np.array([2, 0])
        for number in range(100):
            bursts.advance(slots, np.array([1, 2 if number % 10 == 0 else 1]))
        assert (bursts.losses[2], bursts.losses[1]) == (0, 0)
        assert bursts.losses[0] > 5
        bursts.begin(np.array([0]))
        before = int(bursts.losses[0])
        for _ in range(50):
            bursts.advance(np.array([0]), np.array([1]))
        assert bursts.losses[0] == before
        bursts.grow(6)
        bursts.clear(4)
        bursts.advance(np.array([4]), np.array([1]))
        assert bursts.losses[4] == 0
