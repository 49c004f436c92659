"""Users listed, searched and edited by many clients while calls are up: ``python -m bench.api_load [CALLS [SECONDS]]``.

8,000 users in one domain; 20 clients on connections of their own, each asking again as soon as it was answered: half
of the requests are pages of a list, three in ten searches, two in ten edits with If-Match. 200 calls from sipp listen
in three rooms meanwhile. Prints one line of JSON: what each kind took, and the share of the workers' late ticks.
"""

from __future__ import annotations

import base64
import http.client
import json
import multiprocessing
import random
import secrets
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from bench.api_fuzz import ask_locally
from engine.bench.engine_under_test import EngineUnderTest, running_engine

USERS = 8000
CLIENTS = 20
PROCESSES = 2
"""That the clients are threads of: one alone would measure itself."""
ROOMS = ("8000", "8001", "8002")
FIRST = ("Anne", "Bruno", "Chloé", "Denis", "Élise", "Farid", "Gaëlle", "Hugo", "Inès", "Jérôme")
LAST = ("Martin", "Bernard", "Lefèvre", "Moreau", "Garçon", "Dubois", "Muñoz", "Noël", "Petit", "Roux")
SETTINGS = (
    "http.source_rate=0",
    "limits.guess_failures=1000",
    "limits.stranger_rate=10000",
    "limits.global_rate=100000",
)


class Client:
    """One connection that stays."""

    def __init__(self, api: str, name: str, password: str) -> None:
        parts = urlsplit(api)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        token = base64.b64encode(f"{name}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The answer's headers and JSON."""
        self._connection.request(method, f"/api/v1/{path}", body, self._headers | headers)
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status in (200, 412), (answer.status, data[:300])
        return answer, json.loads(data)


def fill(client: Client) -> list[str]:
    """Make the users, a thousand at a time; returns their identities."""
    kind = {"Content-Type": "application/x-ndjson"}
    found = []
    for first in range(0, USERS, 1000):
        rows = [
            {
                "login": f"user{number:05}",
                "first_name": FIRST[number % 10],
                "last_name": f"{LAST[number // 10 % 10]} {number:05}",
                "email": f"user{number:05}@example.com",
            }
            for number in range(first, first + 1000)
        ]
        body = "\n".join(json.dumps(row) for row in rows).encode()
        _, done = client.ask("POST", "users/bulk", body, **kind)
        assert done["failed"] == 0, done["rows"][0]
        found += [row["uid"] for row in done["rows"]]
    return found


def one_request(client: Client, uids: list[str], draw: random.Random) -> tuple[str, float]:
    """Ask something; returns what, and the seconds it took (of an edit: those of the PATCH)."""
    which = draw.random()
    if which < 0.5:
        order = draw.choice(("last_name", "login", "-email"))
        if draw.random() < 0.5:
            return "list", _timed(client, "GET", f"users?limit=50&order={order}")
        _, page = client.ask("GET", f"users?limit=50&order={order}")
        return "list", _timed(client, "GET", f"users?limit=50&order={order}&cursor={page['next']}")
    if which < 0.8:
        word = draw.choice(
            (draw.choice(LAST)[:4].lower(), f"{draw.randrange(USERS):05}", draw.choice(FIRST).lower())
        )
        return "search", _timed(client, "GET", f"users?limit=50&q={quote(word)}")
    uid = draw.choice(uids)
    answer, _ = client.ask("GET", f"users/{uid}")
    body = json.dumps({"custom_1": secrets.token_hex(4)}).encode()
    headers = {"Content-Type": "application/json", "If-Match": answer.headers["ETag"]}
    return "edit", _timed(client, "PATCH", f"users/{uid}", body, **headers)


def _timed(client: Client, method: str, path: str, body: bytes | None = None, **headers: str) -> float:
    before = time.perf_counter()
    client.ask(method, path, body, **headers)
    return time.perf_counter() - before


def client_process(
    engine: tuple[str, str, str], uids: list[str], clients: int, until: float, told: Any, seed: int
) -> None:
    """Some of the clients, each in a thread."""
    from concurrent.futures import ThreadPoolExecutor

    def run(index: int) -> list[tuple[str, float]]:
        client, draw, found = Client(*engine), random.Random(seed * 100 + index), []
        while time.monotonic() < until:
            found.append(one_request(client, uids, draw))
        return found

    with ThreadPoolExecutor(clients) as pool:
        told.put([each for found in pool.map(run, range(clients)) for each in found])


@contextmanager
def calls_up(engine: EngineUnderTest, calls: int, seconds: float) -> Iterator[None]:
    """Calls that listen in rooms, placed by sipp at 60 a second."""
    command = ["sipp", "-sn", "uac", "-i", "127.0.0.1", "-r", "20", "-nostdin"]
    running = []
    for index, room in enumerate(ROOMS if calls else ()):
        share = calls // len(ROOMS) + (index < calls % len(ROOMS))
        more = ["-s", room, "-m", str(share), "-d", str(int(1000 * seconds)), f"127.0.0.1:{engine.sip_port}"]
        running.append(
            subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
    try:
        yield
    finally:
        for each in running:
            each.terminate()
            each.wait()


def ticks(client: Client) -> tuple[float, float, float]:
    """All ticks of the workers so far, the late ones, and the calls that are up."""
    client._connection.request("GET", "/metrics", headers=client._headers)
    text = client._connection.getresponse().read().decode()
    found: dict[str, float] = defaultdict(float)
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.partition("{")[0]] += float(value)
    return (
        found["polyphony_worker_ticks_total"],
        found["polyphony_worker_late_ticks_total"],
        found["polyphony_calls"],
    )


def measure(
    engine: EngineUnderTest, client: Client, who: tuple[str, str, str], calls: int, seconds: float
) -> Any:
    """The figures."""
    began = time.monotonic()
    uids = fill(client)
    found: dict[str, Any] = {"users": len(uids), "fill_s": round(time.monotonic() - began, 1)}
    with calls_up(engine, calls, seconds + 60):
        time.sleep(calls / 60 + 3)
        told: Any = multiprocessing.Queue()
        before, until = ticks(client), time.monotonic() + seconds
        workers = [
            multiprocessing.Process(
                target=client_process, args=(who, uids, CLIENTS // PROCESSES, until, told, seed)
            )
            for seed in range(PROCESSES)
        ]
        for each in workers:
            each.start()
        times: dict[str, list[float]] = defaultdict(list)
        for what, took in (each for _ in workers for each in told.get(timeout=seconds + 60)):
            times[what].append(took)
        for each in workers:
            each.join()
        after = ticks(client)
    found |= {"clients": CLIENTS, "calls": int(after[2])}
    for what, each_took in sorted(times.items()):
        cuts = statistics.quantiles(each_took, n=100)
        found[what] = {
            "requests": len(each_took),
            "p50_ms": round(1000 * cuts[49], 1),
            "p95_ms": round(1000 * cuts[94], 1),
            "p99_ms": round(1000 * cuts[98], 1),
        }
    found["requests_per_s"] = round(sum(map(len, times.values())) / seconds, 1)
    found["late_ticks_percent"] = round(100 * (after[1] - before[1]) / max(1, after[0] - before[0]), 3)
    return found


def main() -> None:
    """Set up and measure."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    name, password = "bench", secrets.token_urlsafe(16)
    with running_engine(more=SETTINGS) as engine:
        administrator = {"name": name, "password": password, "role": "super", "companies": None}
        ask_locally(engine.data, "POST", "administrators", administrator)
        who = (engine.api, name, password)
        sys.stdout.write(json.dumps(measure(engine, Client(*who), who, calls, seconds)) + "\n")


if __name__ == "__main__":
    main()
