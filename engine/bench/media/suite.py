"""Scenarios one after the other, each on an engine of its own or all on a server that runs already."""

from __future__ import annotations

from dataclasses import dataclass

from engine.bench.engine_under_test import BenchError, running_engine
from engine.bench.media.measure import MediaResult, Server, apart, kernel_share, measure
from engine.bench.media.scenarios import Scenario

KERNEL_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. ``address`` and ``pids``: a server that runs already; ``settings``: of an engine of our own."""

    seconds: float
    warm_up: float
    cpu: int | None
    address: str | None = None
    pids: tuple[int, ...] = ()
    settings: tuple[str, ...] = ()


def run_scenario(scenario: Scenario, options: Options) -> MediaResult:
    """Measure the kernel's share, then the server's. Raises BenchError."""
    with apart(options.cpu):
        kernel = kernel_share(scenario, seconds=KERNEL_SECONDS, cpu=options.cpu)
        if options.address is not None:
            host, _, port = options.address.rpartition(":")
            if not port.isdigit():
                raise BenchError(f"{options.address} is not HOST:PORT")
            return _measure(scenario, Server((host, int(port)), options.pids), options, kernel)
        sharing = ('media.symmetric_from=["127.0.0.0/8"]',) if scenario.shared_port else ()
        # the generator speaks SIP over UDP, where keys do not belong
        keyed = ("media.srtp_any_signalling=true",) if scenario.srtp else ()
        with running_engine(more=(*options.settings, *sharing, *keyed), cpu=options.cpu) as engine:
            server = Server(("127.0.0.1", engine.sip_port), (engine.pid,))
            return _measure(scenario, server, options, kernel)


def _measure(scenario: Scenario, server: Server, options: Options, kernel: float) -> MediaResult:
    return measure(scenario, server, seconds=options.seconds, warm_up=options.warm_up, kernel_cores=kernel)
