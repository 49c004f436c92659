"""Two wire phones that talk through the engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.interop.engine_process import Engine
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

PASSWORD = "a-long-enough-password"
SAYS_HZ, HEARS_HZ = 500, 700  # of the caller
NUMBER = "200"
PATIENCE = 30.0
"""Seconds after which something will not come any more; long, for the machine may be busy with much else."""


class BridgedPair(NamedTuple):
    """The voices of both sides."""

    caller: Voice
    called: Voice

    def kept(self) -> tuple[float, float]:
        """The shares of the other's tone that the caller and the called have heard."""
        return self.caller.kept(HEARS_HZ), self.called.kept(SAYS_HZ)


@contextmanager
def bridged_pair(engine: Engine) -> Iterator[BridgedPair]:
    """One calls the other's line and both talk; at the end the caller hangs up, and the BYE must reach the other."""
    engine.add_line(NUMBER, PASSWORD)
    address = engine.ready.address()
    with WirePhone(address, user=NUMBER, password=PASSWORD) as called, WirePhone(address) as caller:
        assert called.register().status == 200
        called.picks_up = True
        with _listening(called, "ACK"):
            assert caller.call(NUMBER).status == 200
        with Voice(caller, SAYS_HZ) as says, Voice(called, HEARS_HZ) as hears:
            yield BridgedPair(says, hears)
        with _listening(called, "BYE"):
            assert caller.hang_up().status == 200
        assert called.ended_by_engine is not None


@contextmanager
def _listening(phone: WirePhone, until: str) -> Iterator[None]:
    """A phone that answers what it is asked, until that request."""
    thread = threading.Thread(target=phone.listen, args=(PATIENCE, until))
    thread.start()
    try:
        yield
    finally:
        thread.join()
