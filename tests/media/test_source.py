"""Learning a source once (security F1)."""

from __future__ import annotations

import pytest

from media.rtp import RtpPacket
from media.source import CONSECUTIVE, PATIENCE_SECONDS, WINDOW_SECONDS, SourceLatch

SIGNALLED = ("192.0.2.1", 5000)
HONEST = ("192.0.2.1", 6000)
SIGNALLING = ("198.51.100.1", 7000)


def latch() -> SourceLatch:
    return SourceLatch(SIGNALLED, SIGNALLING[0], {0, 101}, now=100.0)


def packet(sequence: int, payload_type: int = 0, ssrc: int = 1) -> bytes:
    return RtpPacket(payload_type, sequence & 0xFFFF, 160 * sequence & 0xFFFFFFFF, ssrc, b"x").serialise()


@pytest.mark.parametrize("start", [0, 0x7FFE, 0xFFFD])
@pytest.mark.parametrize("source", [HONEST, SIGNALLING])
def test_five_good_packets_lock(start: int, source: tuple[str, int]) -> None:
    """The fifth in a row, over any wrap of the sequence, from either signalled address."""
    learning = latch()
    found = [learning.receive(packet(start + i), source, 100.1) for i in range(CONSECUTIVE)]
    assert found == [None] * 4 + [source]
    assert learning.strangers == 0


@pytest.mark.parametrize(
    "spoil",
    [
        (packet(4), ("203.0.113.9", 6000), 0),
        (packet(4, payload_type=8), HONEST, 0),
        (b"not rtp", HONEST, 0),
    ],
)
def test_what_does_not_count_changes_nothing(spoil: tuple[bytes, tuple[str, int], int]) -> None:
    """Another address, another payload type or junk neither counts nor disturbs the honest one."""
    learning = latch()
    for i in range(4):
        assert learning.receive(packet(i), HONEST, 101.0) is None
    assert learning.receive(spoil[0], spoil[1], 101.0) is None
    assert learning.strangers == 1
    assert learning.receive(packet(4), HONEST, 101.0) == HONEST


@pytest.mark.parametrize(
    "other",
    [
        (packet(4, ssrc=2), HONEST),
        (packet(4), ("192.0.2.1", 6002)),
        (packet(3), HONEST),
        (packet(2), HONEST),
        (packet(2000), HONEST),
    ],
)
def test_a_break_in_the_row_starts_it_anew(other: tuple[bytes, tuple[str, int]]) -> None:
    """Another SSRC, another port, a repeat, a step back or a jump: the count begins again."""
    learning = latch()
    for i in range(4):
        learning.receive(packet(i), HONEST, 101.0)
    assert learning.receive(*other, 101.0) is None
    assert learning.receive(packet(5), HONEST, 101.0) is None


def test_two_sources_at_once_are_nobodys() -> None:
    """A stranger on the same host who talks as much as the phone keeps both from being learned."""
    learning = latch()
    for i in range(50):
        assert learning.receive(packet(i), HONEST, 101.0) is None
        assert learning.receive(packet(i, ssrc=9), ("192.0.2.1", 9999), 101.0) is None


def test_after_the_window_nobody_is_learned() -> None:
    """Five seconds after the answer the best packets are a stranger's."""
    learning = latch()
    late = 100.0 + WINDOW_SECONDS + 0.01
    assert [learning.receive(packet(i), HONEST, late) for i in range(6)] == [None] * 6
    assert learning.strangers == 6


def test_the_signalled_port_needs_no_proof() -> None:
    """Its first packet locks, whoever else has been speaking; but it must be one of the call's."""
    learning = latch()
    for i in range(4):
        assert learning.receive(packet(i, ssrc=9), HONEST, 101.0) is None
    assert learning.receive(packet(0, payload_type=8), SIGNALLED, 101.0) is None
    assert learning.receive(packet(0), SIGNALLED, 101.0) == SIGNALLED


def test_without_a_nat_another_port_waits_for_the_signalled_one() -> None:
    """Signalling comes from the signalled address: for a second nobody else of that host is learned."""
    learning = SourceLatch(SIGNALLED, SIGNALLED[0], {0}, now=100.0)
    for i in range(40):
        assert learning.receive(packet(i, ssrc=9), HONEST, 100.0 + i / 50) is None
    assert learning.receive(packet(0), SIGNALLED, 100.9) == SIGNALLED


def test_a_port_that_was_never_used_is_waited_for_no_longer() -> None:
    """After that second five packets in a row are proof enough, those of the wait included."""
    learning = SourceLatch(SIGNALLED, SIGNALLED[0], {0}, now=100.0)
    for i in range(CONSECUTIVE):
        assert learning.receive(packet(i), HONEST, 100.5) is None
    assert learning.receive(packet(CONSECUTIVE), HONEST, 100.0 + PATIENCE_SECONDS) == HONEST
