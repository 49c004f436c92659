"""Many rooms at once, and one room over two workers: what is lost, what is heard in each, and what it costs.

    python bench/large_rooms.py --generator callload.py many [--rooms 80 --members 5 --large 500]
    python bench/large_rooms.py --generator callload.py one  [--members 2000 --talkers 20 --silent]

The generator is a script that places calls and reports ``rx_ratio`` and its own share of a core as JSON; several run at
once (``--to URI --calls N --rate N --warmup S --seconds S --talk all|none --listen-only --pid PID``), whose n-th talker
says a tone of 300 + 20 n Hz. In ``many`` everybody talks, and a listener of ours in each room looks which tones it
hears. In ``one`` half of the talkers come to each worker, and two listeners of ours, one on each, hear a voice of ours
from the other and are compared; without ``--silent`` the others send nothing. Prints one JSON object: shares are of one
core, and the generators need theirs of the same machine.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.bench.engine_under_test import EngineUnderTest, running_engine
from engine.bench.media.caller import Call, Caller
from engine.bench.processor_time import exact_seconds, tree_seconds
from engine.cli.engine_client import read
from engine.data_directory import DataDirectory
from media.codecs.g711 import ulaw_decode, ulaw_encode
from media.rtp import FRAME, RtpPacket

TICK = 0.02
RATE = 100
"""Calls a second; the engine takes them, and nothing is measured meanwhile."""
FIRST_WARM_UP = 3.0
MOST_SHIFT = 4000
"""Samples by which the sound of one listener may be ahead of the other's: packets on their way."""
VOICE = 600.0
"""Amplitude of a talker of the generator's."""
Samples = npt.NDArray[np.float64]


@dataclass(eq=False)
class Listener:
    """One call of ours: what it is sent, by sequence number. ``seed``: it talks noise, different with each."""

    caller: Caller
    number: str
    seed: int | None = None
    call: Call | None = None
    packets: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((self.caller.host, 0))
        self.rtp.setblocking(False)
        self.call = self.caller.place(0, self.number, self._offer)
        self._noise = None if self.seed is None else np.random.default_rng(self.seed)
        self._said = 0

    def _offer(self) -> str:
        host, port = self.rtp.getsockname()
        head = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        return f"{head}m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

    def say(self) -> None:
        """The next 20 ms of noise."""
        if self._noise is None or self.call is None or self.call.media_address is None:
            return
        payload = ulaw_encode(self._noise.normal(0, 3000, FRAME).astype(np.int16)).tobytes()
        packet = RtpPacket(0, self._said & 0xFFFF, self._said * FRAME, 1000 + (self.seed or 0), payload)
        self._said += 1
        self.rtp.sendto(packet.serialise(), self.call.media_address)

    def hear(self) -> None:
        """Keep one packet."""
        packet = RtpPacket.parse(self.rtp.recv(2048))
        self.packets[packet.sequence] = packet.payload

    def sound(self) -> Samples:
        """All it was sent since it was last cleared, silence where a packet is missing."""
        if not self.packets:
            return np.zeros(0)
        first = next(iter(self.packets))
        order = {(sequence - first + 0x8000) & 0xFFFF: payload for sequence, payload in self.packets.items()}
        octets = [order.get(at, b"\xff" * FRAME) for at in range(min(order), max(order) + 1)]
        return ulaw_decode(np.frombuffer(b"".join(octets), np.uint8)).astype(np.float64)


class Listeners:
    """All calls of ours, on one thread with the clock."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.caller = Caller(server)
        self.all: list[Listener] = []
        self._epoll = select.epoll()
        self._by_fd: dict[int, Listener] = {}
        self._due = time.monotonic()

    def call(self, number: str, seed: int | None = None) -> Listener:
        """One more."""
        listener = Listener(self.caller, number, seed)
        self._epoll.register(listener.rtp.fileno(), select.EPOLLIN)
        self._by_fd[listener.rtp.fileno()] = listener
        self.all.append(listener)
        return listener

    def run(self, until: float) -> None:
        """Listen, and say what is to be said."""
        while (now := time.monotonic()) < until:
            if now >= self._due:
                self._due += TICK
                for each in self.all:
                    each.say()
            for fd, _ in self._epoll.poll(max(0.0, min(self._due, until) - time.monotonic())):
                self._by_fd[fd].hear()
            for _ in self.caller.poll():
                pass

    def clear(self) -> None:
        """Forget what was heard."""
        for each in self.all:
            each.packets.clear()


@dataclass
class Shares:
    """Processor time of a stretch, by who used it."""

    engine: EngineUnderTest
    generators: list[subprocess.Popen[str]]

    def __post_init__(self) -> None:
        self.began, self._before = time.monotonic(), self._seconds()

    def _seconds(self) -> dict[str, float]:
        workers = {f"worker_{at}": exact_seconds(pid) for at, pid in enumerate(self.engine.worker_pids)}
        loads = sum(tree_seconds(each.pid) for each in self.generators if each.poll() is None)
        return {**workers, "control": exact_seconds(self.engine.pid), "generators": loads}

    def take(self) -> dict[str, float]:
        """Shares of a core since the beginning."""
        passed = time.monotonic() - self.began
        now = self._seconds()
        return {name: round((now[name] - before) / passed, 3) for name, before in self._before.items()}


def counters(engine: EngineUnderTest) -> dict[str, int]:
    """What the engine has counted of late ticks and of rooms."""
    status: dict[str, Any] = read(DataDirectory(Path(engine.data)), "status")
    wanted = ("ticks_late", "ticks_skipped", "room_parts_missed", "legs_refused_overloaded")
    found = status.get("counters", status)
    return {name: found.get(name, 0) for name in wanted}


def generator(
    options: argparse.Namespace, engine: EngineUnderTest, number: str, calls: int, up_in: float, *, talk: str
) -> subprocess.Popen[str]:
    """Have calls placed; all generators measure at the same time. up_in: seconds until then."""
    command = [sys.executable, options.generator, "--to", f"{number}@127.0.0.1:{engine.sip_port}"]
    command += ["--calls", str(calls), "--rate", str(RATE), "--seconds", str(options.seconds)]
    command += ["--warmup", str(max(0.5, up_in - calls / RATE))]
    command += ["--listen-only"] if talk == "never" else ["--talk", talk]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def results(generators: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """What they say when they are through."""
    return [json.loads(each.communicate()[0].splitlines()[-1]) for each in generators]


def tones(sound: Samples) -> dict[int, int]:
    """How many voices say each tone in the last two seconds, by Hz."""
    last = sound[-16000:]
    if len(last) < 16000:
        return {}
    spectrum = np.abs(np.fft.rfft(last * np.hanning(len(last)))) * 4 / len(last)
    voices = {hz: round(float(spectrum[2 * hz]) / VOICE) for hz in range(300, 300 + 150 * 20, 20)}
    return {hz: count for hz, count in voices.items() if count}


def correlation(one: Samples, other: Samples) -> tuple[float, int]:
    """The best between the middle of one and the other shifted by some samples, and the shift."""
    length = min(len(one), len(other)) - 2 * MOST_SHIFT
    if length < 8000:
        return 0.0, 0
    piece = one[MOST_SHIFT : MOST_SHIFT + length]
    found = [
        (float(np.corrcoef(piece, other[MOST_SHIFT + shift : MOST_SHIFT + shift + length])[0, 1]), shift)
        for shift in range(-MOST_SHIFT, MOST_SHIFT + 1, FRAME)
    ]
    return max(found)


def many(options: argparse.Namespace) -> dict[str, object]:
    """Rooms of a few and one large room, everybody talking."""
    rooms, members = options.rooms, options.members or 5
    with running_engine(options.workers, more=options.set) as engine:
        mine = Listeners(("127.0.0.1", engine.sip_port))
        time_up = FIRST_WARM_UP + max(rooms * members, options.large) / RATE + 2
        loads = [
            generator(options, engine, f"8{{100+i//{members}}}", rooms * members, time_up, talk="all"),
            generator(options, engine, "8000", options.large, time_up, talk="all"),
        ]
        start = time.monotonic()
        mine.run(start + time_up - 2)
        ears = {number: mine.call(number) for number in ["8000", *(str(8100 + at) for at in range(rooms))]}
        mine.run(start + time_up)
        mine.clear()
        before, shares = counters(engine), Shares(engine, loads)
        mine.run(start + time_up + options.seconds - 1)
        used, after = shares.take(), counters(engine)
        heard = {number: tones(ear.sound()) for number, ear in ears.items()}
        said = results(loads)
    right = 0
    for at in range(rooms):
        expected = {300 + 20 * ((members * at + each) % 150): 1 for each in range(members)}
        right += heard[str(8100 + at)] == expected
    return {
        "scene": f"{rooms} rooms of {members} and one of {options.large}",
        "rx_ratio": min(each["rx_ratio"] for each in said),
        "rooms_heard_right": right,
        "voices_in_large_room": sum(heard["8000"].values()),
        "shares": used,
        "counted": {name: after[name] - before[name] for name in before},
        "generators": said,
    }


def one(options: argparse.Namespace) -> dict[str, object]:
    """One room on two workers, few of whom talk."""
    members = options.members or 2000
    half, talkers = members // 2, options.talkers // 2
    silent = "none" if options.silent else "never"
    more = [*options.set, f"media.room_legs={half}", "sip.max_calls=10000"]
    with running_engine(2, more=more) as engine:
        mine = Listeners(("127.0.0.1", engine.sip_port))
        start = time.monotonic()
        time_up = FIRST_WARM_UP + members / RATE + 12
        ends = [mine.call("8000", seed=1), mine.call("8000")]
        loads = []
        for count, talk in ((talkers - 1, "all"), (half - talkers - 1, silent)):
            mine.run(time.monotonic() + 2)
            loads.append(
                generator(options, engine, "8000", count, start + time_up - time.monotonic(), talk=talk)
            )
            mine.run(time.monotonic() + count / RATE)
        ends += [mine.call("8000", seed=2), mine.call("8000")]
        for count, talk in ((talkers - 1, "all"), (half - talkers - 1, silent)):
            mine.run(time.monotonic() + 2)
            loads.append(
                generator(options, engine, "8000", count, start + time_up - time.monotonic(), talk=talk)
            )
            mine.run(time.monotonic() + count / RATE)
        mine.run(start + time_up)
        mine.clear()
        before, shares = counters(engine), Shares(engine, loads)
        mine.run(start + time_up + options.seconds - 1)
        used, after = shares.take(), counters(engine)
        legs = read(DataDirectory(Path(engine.data)), "status")["workers"]
        sounds = [each.sound() for each in ends]
        said = results(loads)
    alike, shift = correlation(sounds[1], sounds[3])
    return {
        "scene": f"one room of {members}, {options.talkers} talking, on two workers",
        "listeners_send": "silence" if options.silent else "nothing",
        "rx_ratio": min(each["rx_ratio"] for each in said),
        "correlation": round(alike, 4),
        "shift_samples": shift,
        "rms": [round(float(np.sqrt((each**2).mean()))) if len(each) else 0 for each in sounds],
        "workers": legs,
        "shares": used,
        "us_leg_tick": round(1e6 * TICK * (used["worker_0"] + used["worker_1"]) / members, 2),
        "counted": {name: after[name] - before[name] for name in before},
        "generators": said,
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    arguments.add_argument("scene", choices=("many", "one"))
    arguments.add_argument("--generator", required=True)
    arguments.add_argument("--seconds", type=float, default=15.0)
    arguments.add_argument("--rooms", type=int, default=80)
    arguments.add_argument("--members", type=int, default=0)
    arguments.add_argument("--large", type=int, default=500)
    arguments.add_argument("--talkers", type=int, default=20)
    arguments.add_argument("--silent", action="store_true")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--set", action="append", default=[])
    options = arguments.parse_args()
    print(json.dumps({"many": many, "one": one}[options.scene](options), indent=1))


if __name__ == "__main__":
    main()
