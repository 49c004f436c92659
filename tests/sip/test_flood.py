"""Flood limits (security rule D2)."""

from __future__ import annotations

from sip.counters import Counters
from sip.flood import Bucket, FloodGate, FloodLimits, Rate, prefix_of
from sip.flow import Address

STRANGER = Address("udp", "203.0.113.5", 5060)
PHONE = Address("udp", "198.51.100.7", 40123)


def passed(gate: FloodGate, source: Address, peer_class: str | None, times: int, now: float) -> int:
    return sum(gate.admit(source, peer_class, now) is None for _ in range(times))


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    """At the edge: 200 at once, the 201st not; 50 a second later."""
    bucket = Bucket(Rate(50, 200), 0.0)
    assert sum(bucket.take(0.0) for _ in range(300)) == 200
    assert sum(bucket.take(1.0) for _ in range(300)) == 50
    assert sum(bucket.take(1000.0) for _ in range(300)) == 200


def test_a_flooding_source_is_held_to_its_share() -> None:
    """20,000 in a second: 200 + 50 get through, whatever the ports."""
    gate = FloodGate(FloodLimits(), 0.0)
    count = 0
    for index in range(20_000):
        count += gate.admit(STRANGER._replace(port=1024 + index % 60_000), None, index / 20_000) is None
    assert 245 <= count <= 251
    assert gate.admit(STRANGER, None, 1.0) == "flood_source"


def test_a_registered_phone_and_a_link_do_not_feel_strangers() -> None:
    """Even when all strangers together are over their limit."""
    gate = FloodGate(FloodLimits(all_strangers=Rate(10, 10)), 0.0)
    sources = [STRANGER._replace(host=f"203.0.113.{index}") for index in range(20)]
    labels = [gate.admit(source, None, 0.0) for source in sources]
    assert labels == [None] * 10 + ["flood_strangers"] * 10
    assert gate.admit(PHONE, "registered", 0.0) is None
    assert gate.admit(PHONE, "link:pbx", 0.0) is None
    assert gate.admit(PHONE, "loopback", 0.0) is None


def test_each_registered_source_has_a_bucket() -> None:
    """One phone's flood is not its neighbour's, even behind one NAT."""
    gate = FloodGate(FloodLimits(), 0.0)
    assert passed(gate, PHONE, "registered", 300, 0.0) == 200
    assert gate.admit(PHONE, "registered", 0.0) == "flood_registered"
    assert gate.admit(PHONE._replace(port=40124), "registered", 0.0) is None


def test_a_link_has_the_limit_it_was_given() -> None:
    """By settings or later; others keep the common one."""
    gate = FloodGate(FloodLimits(peers=Rate(1, 100), named=(("link:a", Rate(1, 5)),)), 0.0)
    assert passed(gate, PHONE, "link:a", 200, 0.0) == 5
    assert passed(gate, PHONE, "link:b", 200, 0.0) == 100
    gate.set_rate("link:b", Rate(1, 7), 0.0)
    assert passed(gate, PHONE, "link:b", 200, 0.0) == 7
    assert gate.admit(PHONE, "link:b", 0.0) == "flood_peer"


def test_sources_are_bounded_and_forgotten_when_quiet() -> None:
    """No memory for ever new addresses: over the bound they share a bucket; the quiet make room."""
    gate = FloodGate(FloodLimits(max_sources=100, all_strangers=Rate(1e9, 1e9)), 0.0)
    for index in range(1000):
        gate.admit(STRANGER._replace(host=f"10.0.{index // 250}.{index % 250}"), None, 0.0)
    assert len(gate) == 100
    assert passed(gate, STRANGER, None, 300, 0.5) == 25  # the 900 have emptied the bucket they share
    assert gate.admit(STRANGER, None, 60.0) is None
    assert len(gate) == 1


def test_an_ipv6_sender_is_its_64() -> None:
    """Else every packet could come from another source."""
    assert prefix_of("2001:db8:0:1::1") == prefix_of("2001:db8:0:1:ffff::2")
    assert prefix_of("2001:db8:0:1::1") != prefix_of("2001:db8:0:2::1")
    assert prefix_of("fe80::1%eth0") == prefix_of("fe80::2")
    assert prefix_of("192.0.2.1") == "192.0.2.1"


def test_counters_count_by_label() -> None:
    """A snapshot is a copy."""
    counters = Counters()
    counters.count("a")
    counters.count("a", 2)
    taken = counters.snapshot()
    counters.count("b")
    assert (taken, counters["a"], counters["b"], counters["c"]) == ({"a": 3}, 3, 1, 0)
