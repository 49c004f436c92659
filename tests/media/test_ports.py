"""Port pairs of a worker."""

from __future__ import annotations

from media.ports import REST_SECONDS, PortPool


def first(_count: int) -> int:
    return 0


def test_ports_are_even_and_leave_room_for_rtcp() -> None:
    """An odd first port is passed over, and no pair reaches past the last one."""
    pool = PortPool(40001, 40006, first)
    assert sorted(filter(None, (pool.take(0.0) for _ in range(4)))) == [40002, 40004]


def test_the_pick_decides() -> None:
    """Which port is taken is up to the injected random number."""
    pool = PortPool(40000, 40009, lambda count: count - 1)
    assert pool.take(0.0) == 40008


def test_a_freed_port_rests() -> None:
    """F7: a freed port is not handed out again for five seconds, even when it is the only one."""
    pool = PortPool(40000, 40001, first)
    port = pool.take(0.0)
    assert port == 40000
    pool.give_back(port, now=10.0)
    assert pool.take(10.0 + REST_SECONDS - 0.01) is None
    assert pool.take(10.0 + REST_SECONDS) == 40000


def test_who_has_a_pair_is_counted() -> None:
    """Those that rest, or wait for whoever had them, are nobody's; of another worker's share none is counted."""
    pool = PortPool(40000, 40009, first, resting=[40004], kept=[40006])
    assert pool.taken == 0
    port = pool.take(0.0)
    assert (pool.claim(40006), pool.claim(50000), pool.taken) == (True, True, 2)
    assert port is not None
    pool.give_back(port, now=0.0)
    pool.give_back(50000, now=0.0)
    pool.give_back(40006, now=0.0)
    assert pool.taken == 0


def test_ports_of_a_dead_worker_rest_first() -> None:
    """A new worker is told which ports its predecessor had in use."""
    pool = PortPool(40000, 40003, first, resting=[40000, 50000], now=1.0)
    assert pool.free == 1
    assert (pool.take(1.0), pool.take(1.0), pool.take(1.0 + REST_SECONDS)) == (40002, None, 40000)


def test_ports_of_calls_that_go_on() -> None:
    """They are handed out to nobody but who claims them, once; given back they rest like any other."""
    pool = PortPool(40000, 40003, first, kept=[40000, 50000])
    assert (pool.take(0.0), pool.take(0.0)) == (40002, None)
    assert (pool.claim(40000), pool.claim(40000)) == (True, False)
    pool.give_back(40000, now=0.0)
    assert pool.take(REST_SECONDS) == 40000


def test_a_port_some_of_whose_calls_go_on_is_kept() -> None:
    """A shared port may be named both as resting and as kept: it waits for those that come back."""
    pool = PortPool(40000, 40003, lambda n: 0, resting=[40000], now=0.0, kept=[40000, 40000])
    assert pool.take(10.0) == 40002
    assert pool.take(10.0) is None
    assert pool.claim(40000)


def test_a_port_that_is_free_or_not_ours() -> None:
    """A leg of a process that is gone may have either; another worker's is never handed out to anybody else."""
    pool = PortPool(40000, 40003, first)
    assert (pool.claim(40000), pool.claim(50000)) == (True, True)
    pool.give_back(50000, now=0.0)
    assert (pool.take(REST_SECONDS), pool.take(REST_SECONDS)) == (40002, None)
