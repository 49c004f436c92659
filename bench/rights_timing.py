"""How long it takes to be told that a thing is not there: ``python -m bench.rights_timing [ROUNDS]``.

The administrator of one company asks by turns for another company's thing and for one that never was, on every route of
one thing. No route may take 10 % longer for the one than for the other, by the median, or the time would tell what the
answer does not. The status is 1 when one does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from engine.domain.identity import new_uid
from tests.admin_api.served import Served
from tests.admin_api.two_companies import API, WRITTEN_BY_THE_ENGINE, TwoCompanies

ROUNDS = 300
MOST = 1.10


def routes_of_one(scene: TwoCompanies) -> list[tuple[str, str, str]]:
    """Noun, method and path of every route of one thing."""
    return [
        (path.split("/")[3], method.upper(), path)
        for path, methods in scene.paths.items()
        for method in methods
        if "{uid}" in path and path.split("/")[3] in set(scene.nouns) - WRITTEN_BY_THE_ENGINE
    ]


def times(scene: TwoCompanies, noun: str, method: str, path: str, rounds: int) -> tuple[float, float]:
    """The medians in seconds: for what is another company's, and for what never was."""
    theirs, token = scene.theirs.things[noun], scene.ours.tokens["administrator"]
    found: tuple[list[float], list[float]] = ([], [])
    for index in range(2 * rounds):
        which = (index + index // 2) % 2  # neither is always the second of a pair
        uid = (theirs, new_uid(theirs[:3]))[which]
        begun = perf_counter()
        scene.ask(token, method, path.replace("{uid}", uid))
        found[which].append(perf_counter() - begun)
    return median(found[0]), median(found[1])


def main(rounds: int) -> int:
    """Print a line a route; 1 when one tells by its time."""
    worst = 1.0
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder), "http.source_rate=0", "http.token_rate=0")
        try:
            scene = TwoCompanies(served)
            for noun, method, path in routes_of_one(scene):
                there, nowhere = times(scene, noun, method, path, rounds)
                ratio = max(there / nowhere, nowhere / there)
                worst = max(worst, ratio)
                print(
                    f"{method:6} {path.removeprefix(API):40} {there * 1e3:6.2f} ms {nowhere * 1e3:6.2f} ms"
                    f" {100 * (there / nowhere - 1):+5.1f} %"
                )
        finally:
            served.close()
    print(f"worst: {100 * (worst - 1):.1f} %, at most {100 * (MOST - 1):.0f} %")
    return int(worst > MOST)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
