"""What a leg costs the media worker, beside what its system calls alone cost.

    python bench/media_floor.py [--legs 300] [--seconds 5] [--only play,echo]

Prints one JSON object: microseconds of worker CPU per leg and tick of 20 ms for each kind of leg, the legs
a core would carry at that rate, and the floor: a loop that does nothing but the system calls. The worker is
the real process behind its real control channel; the peer of all legs is one socket of this script, whose
CPU is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from media import control  # noqa: E402
from media.codecs.g711 import ulaw_encode  # noqa: E402
from media.rtp import RtpPacket  # noqa: E402
from media.wav import WavRecorder  # noqa: E402

TICK = 0.02
WARM_SECONDS = 1.5
KINDS = ("idle", "play", "play_heard", "echo", "record", "bridge")


def bare(legs: int, peer_port: int) -> None:
    """The floor itself: nothing but the system calls of a tick, on as many sockets, at the same pace.

    It runs as a process of its own, since a socket untouched for 20 ms costs more than one in the cache.
    """
    poll = select.epoll()
    sockets = []
    for _ in range(legs):
        leg = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        leg.bind(("127.0.0.1", 0))
        leg.connect(("127.0.0.1", peer_port))
        leg.setblocking(False)
        poll.register(leg.fileno(), select.EPOLLIN)
        sockets.append(leg)
    fds = [leg.fileno() for leg in sockets]
    packets, rows = [bytes([0x80]) + bytes(171) for _ in fds], [(bytearray(1088),) for _ in fds]
    print(json.dumps([leg.getsockname()[1] for leg in sockets]), flush=True)
    due = time.monotonic() + TICK
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        due += TICK
        while events := poll.poll(0, legs):
            deque(map(os.readv, [fd for fd, _ in events], rows), maxlen=0)
        deque(map(os.write, fds, packets), maxlen=0)


class Floor:
    """The bare loop in place of a worker; the same interface to ``measure``."""

    def __init__(self, legs: int) -> None:
        self.peer = peer_socket()
        command = [sys.executable, __file__, "--bare", f"{legs},{self.peer.getsockname()[1]}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.ports: list[int] = json.loads(self.process.stdout.readline())

    def late(self) -> int:
        return 0

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.peer.close()


def peer_socket() -> socket.socket:
    """The one socket that stands for all the phones."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    peer.bind(("127.0.0.1", 0))
    peer.setblocking(False)
    return peer


class Rig:
    """A worker process, its channel, and one socket that is the peer of every leg."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "media.worker", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self.channel = ours
        self.reader = control.FrameReader()
        self.peer = peer_socket()
        self.ports: list[int] = []
        self.send(control.Configure(40000, 59999))
        while not self.events(1.0):
            pass  # Started

    def send(self, *commands: control.Command) -> None:
        for command in commands:
            self.channel.sendall(control.encode_frame(command))

    def events(self, wait: float) -> list[control.Event]:
        if not select.select([self.channel], [], [], wait)[0]:
            return []
        return [control.decode_event(frame) for frame in self.reader.receive(self.channel.recv(1 << 20))]

    def open(self, legs: int) -> None:
        port = self.peer.getsockname()[1]
        spec = control.LegSpec(
            local_host="127.0.0.1", codec="PCMU", remote_host="127.0.0.1", remote_port=port, event_type=101
        )
        for leg in range(legs):
            self.send(control.OpenLeg(leg, spec))
        ports: dict[int, int] = {}
        while len(ports) < legs:
            for event in self.events(1.0):
                if isinstance(event, control.LegOpened):
                    ports[event.leg] = event.local_port
        self.ports = [ports[leg] for leg in range(legs)]

    def rss(self) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0])

    def late(self) -> int:
        late = 0
        while found := self.events(0.0):
            late = max([late, *(e.late_ticks for e in found if isinstance(e, control.WorkerStatistics))])
        return late

    def close(self) -> None:
        self.channel.close()
        self.process.wait()
        self.peer.close()


def commands(kind: str, legs: int, where: Path) -> list[control.Command]:
    """What makes every leg of that kind."""
    if kind.startswith("play"):
        return [control.Play(leg, ["tone"], loop=True) for leg in range(legs)]
    if kind == "echo":
        return [control.Echo(leg, on=True) for leg in range(legs)]
    if kind == "record":
        return [control.Record(leg, str(where / f"{leg}.wav")) for leg in range(legs)]
    if kind == "bridge":
        return [control.Bridge(leg, leg + 1) for leg in range(0, legs - 1, 2)]
    return []


def cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU a process has used, from all its threads."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def run(kind: str, legs: int, seconds: float, where: Path) -> dict[str, float]:
    """One worker with legs of one kind; its CPU per leg and tick."""
    rig = Rig()
    rig.send(control.LoadPrompt("tone", str(where / "tone.wav")))
    while not any(isinstance(event, control.PromptLoaded) for event in rig.events(1.0)):
        pass
    before = rig.rss()
    rig.open(legs)
    rig.send(*commands(kind, legs, where))
    result = measure(rig, legs, seconds, talk=kind not in {"idle", "play"})
    result["kb_per_leg"] = round((rig.rss() - before) / legs, 1)
    rig.close()
    return result


def measure(rig: Rig | Floor, legs: int, seconds: float, *, talk: bool) -> dict[str, float]:
    """Be the peer of every leg for a while, and see what that cost the other side."""
    frame = ulaw_encode((8000 * np.sin(np.arange(160) * 0.5)).astype(np.int16)).tobytes()
    start, tick, received = time.monotonic(), 0, 0
    measured_from, used, late = 0.0, 0.0, 0
    while True:
        now = time.monotonic()
        if not measured_from and now - start > WARM_SECONDS:
            measured_from, used, received, late = now, cpu(rig.process), 0, rig.late()
        if measured_from and now - measured_from > seconds:
            break
        if now < start + tick * TICK:
            time.sleep(0.001)
        elif talk:
            packet = RtpPacket(0, tick & 0xFFFF, tick * 160, 1, frame).serialise()
            for port in rig.ports:
                rig.peer.sendto(packet, ("127.0.0.1", port))
        tick += now >= start + tick * TICK
        received += drain(rig.peer)
    wall = time.monotonic() - measured_from
    used = cpu(rig.process) - used
    return {
        "us_per_leg_tick": round(used / wall / legs / 50 * 1e6, 2),
        "legs_per_core": round(legs * wall / used),
        "sent_ratio": round(received / wall / legs / 50, 4),
        "late_ticks": rig.late() - late,
    }


def floor(legs: int, seconds: float) -> dict[str, dict[str, float]]:
    """The bare loop: sending alone, and both ways."""
    result = {}
    for name, talk in (("send", False), ("send_and_receive", True)):
        rig = Floor(legs)
        result[name] = measure(rig, legs, seconds, talk=talk)
        rig.close()
    return result


def drain(peer: socket.socket) -> int:
    """Throw away what has come; how much it was."""
    count = 0
    while True:
        try:
            peer.recv(2048)
        except BlockingIOError:
            return count
        count += 1


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("--legs", type=int, default=300)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--only", default=",".join(KINDS))
    options.add_argument("--bare", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.bare:
        bare(*map(int, chosen.bare.split(",")))
    result: dict[str, object] = {"legs": chosen.legs, "floor": floor(chosen.legs, chosen.seconds)}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        tone = WavRecorder(where / "tone.wav", 8000, 1)
        tone.append((8000 * np.sin(np.arange(24000) * 0.3)).astype(np.int16))
        tone.close()
        for kind in chosen.only.split(","):
            result[kind] = run(kind, chosen.legs, chosen.seconds, where)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
