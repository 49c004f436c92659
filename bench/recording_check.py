"""Are recordings what was said? Calls 6000 of a running engine N times, says noise, and compares every sample.

    bench/recording_check.py --to 127.0.0.1:5060 --recordings data/recordings --calls 200 --seconds 10

Each call says G.711 octets of its own, none of which repeats. After the calls each file is found by its first frame
and compared with what its call said from there on. Prints one JSON object; exit status 1 when a sample is wrong. Frames
the engine made up since our packet came late are counted apart, as are the times its delay changed after that.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from media.codecs.g711 import ulaw_decode
from media.wav import Coding, inspect

FRAME = 160
TICK = 0.02
ANNOUNCEMENT = 8.0
"""Seconds until 6000 has said that it records."""
_RTP = struct.Struct("!BBHII")


@dataclass
class Call:
    number: int
    noise: bytes
    identity: str = field(default_factory=lambda: secrets.token_hex(8))
    media: tuple[str, int] | None = None
    target: str = ""
    to_tag: str = ""


class Caller:
    """N calls from one SIP and one RTP socket."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.sip, self.rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for each in (self.sip, self.rtp):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        self.port = self.sip.getsockname()[1]

    def request(self, call: Call, method: str, sequence: int, body: str = "") -> None:
        uri = (
            call.target
            if call.target and method != "INVITE"
            else f"sip:6000@{self.server[0]}:{self.server[1]}"
        )
        tag = f";tag={call.to_tag}" if call.to_tag else ""
        us = f"127.0.0.1:{self.port}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {us};rport;branch=z9hG4bK{call.identity}{sequence}{method}",
            "Max-Forwards: 70",
            f"From: <sip:check{call.number}@{us}>;tag={call.identity}",
            f"To: <sip:6000@{self.server[0]}>{tag}",
            f"Call-ID: {call.identity}@check",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:check{call.number}@{us}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.sip.sendto(("\r\n".join(lines) + f"\r\n\r\n{body}").encode(), self.server)

    def invite(self, call: Call) -> None:
        port = self.rtp.getsockname()[1]
        sdp = f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
        self.request(call, "INVITE", 1, sdp)

    def take_answers(self, calls: dict[str, Call]) -> None:
        while True:
            try:
                text = self.sip.recv(65535).decode()
            except BlockingIOError:
                return
            found = re.search(r"^Call-ID:\s*(\w+)@check", text, re.M | re.I)
            call = calls.get(found[1]) if found else None
            if (
                call is None
                or not text.startswith("SIP/2.0 2")
                or "INVITE" not in text.partition("CSeq")[2][:20]
            ):
                continue
            head, _, body = text.partition("\r\n\r\n")
            tag = re.search(r"^To:.*?tag=([^;\s]+)", head, re.M | re.I)
            contact = re.search(r"^Contact:.*?<([^>]+)>", head, re.M | re.I)
            media = re.search(r"^m=audio (\d+)", body, re.M)
            assert tag, text
            assert contact, text
            assert media, text
            call.to_tag, call.target, call.media = tag[1], contact[1], (self.server[0], int(media[1]))
            self.request(call, "ACK", 1)

    def talk(self, calls: list[Call], ticks: int) -> None:
        """Say each call's noise, a frame every 20 ms."""
        due = time.monotonic()
        for tick in range(ticks):
            for call in calls:
                assert call.media is not None
                header = _RTP.pack(0x80, 0, tick & 0xFFFF, tick * FRAME, call.number)
                self.rtp.sendto(header + call.noise[tick * FRAME : (tick + 1) * FRAME], call.media)
            self.take_answers({})
            due += TICK
            time.sleep(max(0.0, due - time.monotonic()))


def compare(path: Path, known: dict[bytes, tuple[Call, int]]) -> tuple[int, int, int, int]:
    """Samples compared, frames made up, changes of the delay and samples that are wrong, of one file."""
    found = inspect(path)
    data = path.read_bytes()[found.sound.header_size :]
    size = FRAME * found.sound.coding.size
    frames = [data[at : at + size] for at in range(0, len(data) // size * size, size)]
    at = next((number for number, frame in enumerate(frames) if frame in known), None)
    if at is None:
        return 0, 0, 0, len(frames) * FRAME
    call, first = known[frames[at]]
    made_up = moved = wrong = 0
    for number, frame in enumerate(frames[at:]):
        origin = known.get(frame)
        if origin is None:
            made_up += 1
        elif origin != (call, first + number):
            wrong += origin[0] is not call
            moved += origin[0] is call
            first = origin[1] - number
    return (len(frames) - at) * FRAME, made_up, moved, wrong * FRAME


def main() -> int:
    """Call, talk, hang up and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--to", default="127.0.0.1:5060")
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    wanted = parser.parse_args()
    host, _, port = wanted.to.partition(":")
    caller = Caller(host, int(port))
    ticks = int((ANNOUNCEMENT + wanted.seconds) / TICK)
    noise = np.random.default_rng(1).integers(0, 256, (wanted.calls, ticks * FRAME)).astype(np.uint8)
    calls = [Call(number, noise[number].tobytes()) for number in range(wanted.calls)]
    before = set(wanted.recordings.glob("*.wav"))
    by_identity = {call.identity: call for call in calls}
    for call in calls:
        caller.invite(call)
        time.sleep(0.005)
        caller.take_answers(by_identity)
    time.sleep(0.5)
    caller.take_answers(by_identity)
    answered = [call for call in calls if call.media is not None]
    caller.talk(answered, ticks)
    for call in answered:
        caller.request(call, "BYE", 2)
        time.sleep(0.002)
    time.sleep(2.0)
    known: dict[bytes, tuple[Call, int]] = {}
    files = sorted(set(wanted.recordings.glob("*.wav")) - before)
    coded = bool(files) and inspect(files[0]).sound.coding is not Coding.PCM
    for call in answered:
        octets = np.frombuffer(call.noise, np.uint8)
        sound = call.noise if coded else ulaw_decode(octets).astype("<i2").tobytes()
        size = len(sound) // ticks
        known.update({sound[at * size : (at + 1) * size]: (call, at) for at in range(ticks)})
    compared, made_up, moved, wrong = (
        sum(each) for each in zip(*(compare(path, known) for path in files), strict=True)
    )
    result = {
        "calls": len(answered),
        "files": len(files),
        "samples": compared,
        "frames_made_up": made_up,
        "delay_changes": moved,
        "samples_wrong": wrong,
    }
    print(json.dumps(result))
    return 0 if files and len(files) == len(answered) and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
