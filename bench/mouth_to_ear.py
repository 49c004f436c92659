"""How long a sound is under way from mouth to ear through a running engine, and whether a pause of the worker stays.

    python bench/mouth_to_ear.py [--number 5000] [--calls 40] [--room 2] [--seconds 10] [--pause 0.5]
                                 [--to 127.0.0.1:5060 [--worker PID]] [--set media.workers=1]

Every call says half a second of silence, then 60 ms of a tone, and so on, each at a phase of its own within the
20 ms of a packet. The delay is from the moment the packet in which a tone begins was sent to the moment the packet
in which it is heard to begin arrived (by the kernel's time stamp), plus where in it. At an echo (5000) each hears
itself; with ``--room N`` the calls go to rooms of N (the number and those after it), in which the first talks and the
others listen. Then the worker is stopped for ``--pause`` seconds (0: not) and all is measured again, from one
second after it. Prints one JSON object; milliseconds.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import secrets
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.bench.engine_under_test import running_engine
from engine.bench.media.caller import Call, Caller
from media.codecs.g711 import ulaw_decode, ulaw_encode
from media.rtp import FRAME, RtpPacket

TICK = 0.02
BEAT = 28
"""Packets from one tone to the next; not a divisor of a second."""
TONE_PACKETS = 3
LOUD = 2500
"""A tone has begun where the sound first exceeds this; it is of amplitude 8000, and rooms may turn it down."""
SETTLE_SECONDS = 1.0
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_WAVE = (8000 * np.cos(2 * np.pi * 1000 / 8000 * np.arange(FRAME))).astype(np.int16)
TONE, SILENCE = ulaw_encode(_WAVE).tobytes(), b"\xff" * FRAME


@dataclass(eq=False)
class Phone:
    """One call, its socket and what it has heard begin."""

    index: int
    talks: bool
    listens_to: int
    rtp: socket.socket
    call: Call | None = None
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = 0
    began: list[float] = field(default_factory=list)  # when each tone of ours was sent
    heard: list[float] = field(default_factory=list)  # when a tone began to be heard
    quiet_until: float = 0.0

    def offer(self) -> str:
        host, port = self.rtp.getsockname()
        head = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        return f"{head}m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

    def say(self) -> None:
        """Send the next packet."""
        beat = (self.sequence + 5 * self.index) % BEAT
        sounding = self.talks and beat < TONE_PACKETS
        packet = RtpPacket(
            0, self.sequence & 0xFFFF, self.sequence * FRAME, self.ssrc, TONE if sounding else SILENCE
        )
        if sounding and beat == 0:
            self.began.append(time.time())
        self.sequence += 1
        if self.call is not None and self.call.media_address is not None:
            self.rtp.sendto(packet.serialise(), self.call.media_address)

    def hear(self) -> None:
        """Take one packet, and note where a tone begins in it."""
        data, ancillary, _, _ = self.rtp.recvmsg(2048, 64)
        arrived = time.time()
        for level, kind, stamp in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, ns = _TIMESPEC.unpack_from(stamp)
                arrived = seconds + ns / 1e9
        loud = np.abs(ulaw_decode(np.frombuffer(data[12:], np.uint8)).astype(int)) > LOUD
        if loud.any():
            if arrived >= self.quiet_until:
                self.heard.append(arrived + int(loud.argmax()) / 8000)
            self.quiet_until = arrived + BEAT // 2 * TICK


class Party:
    """All phones, sending on time."""

    def __init__(self, server: tuple[str, int], number: str, calls: int, room: int) -> None:
        self.caller = Caller(server)
        self.phones: list[Phone] = []
        self._epoll = select.epoll()
        self._by_fd: dict[int, Phone] = {}
        for index in range(calls):
            rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            rtp.bind((self.caller.host, 0))
            rtp.setblocking(False)
            rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            talker = index if room < 2 else index - index % room
            phone = Phone(index, talker == index, talker, rtp)
            called = number if room < 2 else str(int(number) + index // room)
            phone.call = self.caller.place(index, called, phone.offer)
            self._epoll.register(rtp.fileno(), select.EPOLLIN)
            self._by_fd[rtp.fileno()] = phone
            self.phones.append(phone)
        begin = time.monotonic() + 0.1
        phases = np.random.default_rng(1).random(calls) * TICK
        self._due = [(begin + phase, index) for index, phase in enumerate(phases.tolist())]
        heapq.heapify(self._due)

    def run(self, seconds: float) -> None:
        """Talk and listen for so long."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            while self._due[0][0] <= now:
                due, index = self._due[0]
                self.phones[index].say()
                heapq.heapreplace(self._due, (due + TICK, index))
            for fd, _ in self._epoll.poll(max(0.0, min(self._due[0][0], until) - time.monotonic())):
                try:
                    self._by_fd[fd].hear()
                except OSError:
                    continue
            for _ in self.caller.poll():
                pass

    def delays(self) -> dict[str, float]:
        """From each tone to where it was heard, in ms; and forget them."""
        found, missed = [], 0
        for phone in self.phones:
            talker = self.phones[phone.listens_to]
            if phone is talker and any(
                other.listens_to == phone.index for other in self.phones if other is not phone
            ):
                continue  # the talker of a room does not hear itself
            heard = np.array(phone.heard)
            for began in talker.began[:-1]:
                after = heard[(heard >= began) & (heard < began + BEAT // 2 * TICK)]
                if len(after):
                    found.append(1000 * (after[0] - began))
                else:
                    missed += 1
        for phone in self.phones:
            phone.began.clear()
            phone.heard.clear()
        spread = {f"p{percent}": round(float(np.percentile(found, percent)), 1) for percent in (50, 95, 99)}
        return {**spread, "max": round(max(found), 1), "tones": len(found), "missed": missed}

    def hang_up(self) -> None:
        for phone in self.phones:
            if phone.call is not None:
                self.caller.hang_up(phone.call)
        self.run(0.5)


@contextmanager
def server(options: argparse.Namespace) -> Iterator[tuple[tuple[str, int], list[int]]]:
    """The address of the engine to be measured, and its workers: one of our own unless ``--to`` names another."""
    if options.to:
        host, _, port = options.to.rpartition(":")
        yield (host, int(port)), options.worker
        return
    with running_engine(more=options.set) as engine:
        yield ("127.0.0.1", engine.sip_port), list(engine.worker_pids)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    arguments.add_argument("--number", default="5000")
    arguments.add_argument("--calls", type=int, default=40)
    arguments.add_argument("--room", type=int, default=0)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--pause", type=float, default=0.5)
    arguments.add_argument("--to")
    arguments.add_argument("--worker", type=int, nargs="*", default=[])
    arguments.add_argument("--set", action="append", default=[])
    options = arguments.parse_args()
    with server(options) as (address, workers):
        party = Party(address, options.number, options.calls, options.room)
        party.run(2 + SETTLE_SECONDS)
        up = sum(phone.call is not None and phone.call.up for phone in party.phones)
        party.delays()
        party.run(options.seconds)
        result: dict[str, object] = {"number": options.number, "calls": up, "delay_ms": party.delays()}
        if options.pause and workers:
            for pid in workers:
                os.kill(pid, signal.SIGSTOP)
            party.run(options.pause)
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
            party.run(SETTLE_SECONDS)
            party.delays()
            party.run(options.seconds)
            result["delay_ms_after_pause"] = party.delays()
        party.hang_up()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
