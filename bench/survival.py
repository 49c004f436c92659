"""How long calls are silent when a worker, and when the control process, is killed: ``python -m bench.survival``.

100 calls on two workers, all talking: echo and rooms. Prints one line of JSON; gaps in ms, as the phones saw them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.interop.crowd import Crowd
from tests.interop.engine_process import Engine
from tests.interop.ports import free_port
from tests.interop.wire_phone import WirePhone

CALLS = 100
NUMBERS = ("5000", "8000", "8001", "8002")


def spread(gaps: list[float]) -> dict[str, float]:
    """The median and the longest, in ms."""
    ordered = sorted(1000 * gap for gap in gaps)
    return {"median_ms": round(ordered[len(ordered) // 2], 1), "longest_ms": round(ordered[-1], 1)}


def main() -> None:
    """Set up, kill one and then the other, hang up."""
    settings = {"sip.port": str(free_port(pair=True)), "media.workers": "2", "log.level": "info"}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        engine = stack.enter_context(Engine(Path(folder), settings))
        phones = [stack.enter_context(WirePhone(engine.ready.address())) for _ in range(CALLS)]
        for index, phone in enumerate(phones):
            assert phone.call(NUMBERS[index % 4]).status == 200
        found: dict[str, object] = {"calls": CALLS}
        with Crowd(phones) as crowd:
            time.sleep(2)
            quiet = time.monotonic()
            time.sleep(3)
            found["undisturbed"] = spread(crowd.gaps(quiet))
            killed_at = time.monotonic()
            engine.kill()
            engine.start()
            found["control_back_s"] = round(time.monotonic() - killed_at, 2)
            time.sleep(1)
            found["control_killed"] = spread(crowd.gaps(killed_at))
            killed_at = time.monotonic()
            os.kill(engine.ready.workers[0], signal.SIGKILL)
            time.sleep(4)
            gaps = crowd.gaps(killed_at)
            found["worker_killed"] = spread([gap for gap in gaps if gap > 0.1])
            found["calls_touched"] = sum(gap > 0.1 for gap in gaps)
        found["requests_of_the_engine"] = sum(len(phone.asked) for phone in phones)
        found["hung_up"] = sum(phone.hang_up().status == 200 for phone in phones)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
