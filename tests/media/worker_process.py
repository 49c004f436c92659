"""A real worker behind its real control channel, and phones of plain sockets, for tests."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from media import control
from media.rtp import RtpError, RtpPacket
from tests.port_share import port_share

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
"""Seconds after which something will not come any more; long, for the machine may be busy with much else."""
TICK = 0.02

E = TypeVar("E", bound=control.Event)


class WorkerProcess:
    """One worker; its events are kept until a test asks for them."""

    def __init__(self, ports: range | None = None) -> None:
        """ports: its share; without, all this process has."""
        span = port_share().span if ports is None else (ports[0], ports[-1])
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "media.worker", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self.channel = ours
        self._reader = control.FrameReader()
        self.events: list[control.Event] = []
        self.send(control.Configure(*span))

    def send(self, *commands: control.Command) -> None:
        for command in commands:
            self.channel.sendall(control.encode_frame(command))

    def read(self, wait: float) -> None:
        if select.select([self.channel], [], [], wait)[0]:
            data = self.channel.recv(1 << 16)
            self.events += [control.decode_event(frame) for frame in self._reader.receive(data)]

    def wait_for(self, kind: type[E], suits: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of a kind, taken out; fails when none comes."""
        until = time.monotonic() + PATIENCE
        while True:
            for event in self.events:
                if isinstance(event, kind) and suits(event):
                    self.events.remove(event)
                    return event
            left = until - time.monotonic()
            assert left > 0, f"no {kind.__name__}; there were {self.events}"
            self.read(left)

    def open(self, leg: int, spec: control.LegSpec) -> int:
        """Open a leg; its port."""
        self.send(control.OpenLeg(leg, spec))
        return self.wait_for(control.LegOpened, lambda event: event.leg == leg).local_port

    def close(self) -> int:
        """Hang up the channel; the exit status."""
        self.channel.close()
        return self.process.wait(PATIENCE)


class Phone:
    """One RTP socket, with RTCP on the next port if a pair is free."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.rtp, self.rtcp = _pair(host)
        self.host, self.port = self.rtp.getsockname()
        self.sequence = 65530
        self.timestamp = (1 << 32) - 800
        self.heard: list[RtpPacket] = []

    def spec(self, **changes: object) -> control.LegSpec:
        settled = {"codec": "PCMU", "event_type": 101, "remote_host": self.host, "remote_port": self.port}
        return control.LegSpec(**({"local_host": "127.0.0.1"} | settled | changes))

    def say(self, payload: bytes, port: int, payload_type: int = 0) -> None:
        packet = RtpPacket(payload_type, self.sequence, self.timestamp, 77, payload)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + len(payload)) & 0xFFFFFFFF
        self.rtp.sendto(packet.serialise(), ("127.0.0.1", port))

    def listen(self) -> None:
        while True:
            try:
                self.heard.append(RtpPacket.parse(self.rtp.recv(2048)))
            except BlockingIOError:
                return
            except (RtpError, ConnectionRefusedError):
                continue

    def sound(self) -> bytes:
        self.listen()
        return b"".join(packet.payload for packet in self.heard if packet.payload_type == 0)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    for port in port_share().programs[::2]:
        rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        try:
            rtp.bind((host, port))
            rtcp.bind((host, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
            continue
        rtp.setblocking(False)
        rtcp.settimeout(PATIENCE)
        return rtp, rtcp
    raise AssertionError("no pair of ports is free")


def pace(ticks: int, each: Callable[[int], None]) -> None:
    """Call every 20 ms, as a phone's clock does."""
    begun = time.monotonic()
    for number in range(ticks):
        time.sleep(max(0.0, begun + number * TICK - time.monotonic()))
        each(number)
