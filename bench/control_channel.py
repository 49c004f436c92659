"""What one command costs on the control channel: msgpack frames beside lines of JSON and Twisted AMP.

    python bench/control_channel.py

Prints CPU microseconds for ``OpenLeg`` and its answer, both ends, coding and framing only: what a call
costs beside the sockets, which are the same for both.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import msgspec
from twisted.protocols import amp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from media import control

ROUNDS = 5000
SPEC = control.LegSpec(
    local_host="192.0.2.1", codec="PCMU", event_type=101, remote_host="192.0.2.2", remote_port=40000
)


_JSON = msgspec.json.Encoder()
_READ_COMMAND = msgspec.json.Decoder(control.Command)
_READ_EVENT = msgspec.json.Decoder(control.Event)


class OpenLeg(amp.Command):
    """The same command for AMP, with the fields a call sets."""

    arguments: ClassVar = [
        (b"leg", amp.Integer()),
        (b"local_host", amp.Unicode()),
        (b"codec", amp.Unicode()),
        (b"payload_type", amp.Integer()),
        (b"event_type", amp.Integer()),
        (b"remote_host", amp.Unicode()),
        (b"remote_port", amp.Integer()),
        (b"nat", amp.Boolean()),
        (b"send", amp.Boolean()),
        (b"receive", amp.Boolean()),
    ]
    response: ClassVar = [(b"port", amp.Integer())]


def by_msgpack() -> None:
    """One command and its answer, coded, framed and read."""
    reader = control.FrameReader()
    for frame in reader.receive(control.encode_frame(control.OpenLeg(7, SPEC))):
        control.decode_command(frame)
    for frame in reader.receive(control.encode_frame(control.LegOpened(7, 40002))):
        control.decode_event(frame)


class LineReader:
    """What ``FrameReader`` is to frames: cuts a stream into lines, however it was split on the way."""

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines


def by_json() -> None:
    """The same structs as lines of JSON, by the same library."""
    reader = LineReader()
    for line in reader.receive(_JSON.encode(control.OpenLeg(7, SPEC)) + b"\n"):
        _READ_COMMAND.decode(line)
    for line in reader.receive(_JSON.encode(control.LegOpened(7, 40002)) + b"\n"):
        _READ_EVENT.decode(line)


def by_amp() -> None:
    """The same through AMP boxes, without its dispatch and Deferreds."""
    arguments = {
        "leg": 7,
        "local_host": SPEC.local_host,
        "codec": "PCMU",
        "payload_type": 0,
        "event_type": 101,
        "remote_host": SPEC.remote_host,
        "remote_port": SPEC.remote_port,
        "nat": False,
        "send": True,
        "receive": True,
    }
    OpenLeg.parseArguments(_carried(OpenLeg.makeArguments(arguments, None)), None)
    OpenLeg.parseResponse(_carried(OpenLeg.makeResponse({"port": 40002}, None)), None)


def _carried(box: amp.AmpBox) -> amp.AmpBox:
    (read,) = amp.parseString(box.serialize())
    return read


def microseconds(work: Callable[[], None]) -> float:
    """CPU time of one round."""
    begun = time.process_time()
    for _ in range(ROUNDS):
        work()
    return round((time.process_time() - begun) / ROUNDS * 1e6, 1)


def main() -> None:
    """Measure and print."""
    ways = {"msgpack_us": by_msgpack, "json_us": by_json, "amp_us": by_amp}
    print(json.dumps({name: microseconds(way) for name, way in ways.items()}))


if __name__ == "__main__":
    main()
