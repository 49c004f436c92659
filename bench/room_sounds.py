"""What sounds cost a mixer's tick: nothing, an announcement and music in each room; rooms of G.711, without sockets.

    python bench/room_sounds.py [LEGS [LEGS A ROOM]]

Prints a JSON object a line: what is played, microseconds a tick and a room.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from media.codecs.g711 import ulaw_encode
from media.legs import Negotiated
from media.plane import Plane
from media.rtp import FRAME

TICKS = 300


def measure(legs: int, room: int, played: str) -> dict[str, object]:
    """played: ``nothing``, ``announcement`` or ``both`` (music beneath it), in every room."""
    plane = Plane(lambda bits: 0)
    plane.player.bank.load("p", np.full(4 * TICKS * FRAME, 1000, np.int16))
    for number in range(legs):
        slot = plane.open()
        plane.negotiate(slot, Negotiated(0, 0, None, send=True, receive=True))
        plane.join(slot, str(number // room))
    rooms = plane.mixer.rooms.names
    for name in rooms:
        if played != "nothing":
            plane.mixer.player.play(name, ["p"], loop=False, tag=1, gain_db=0.0, music=False)
        if played == "both":
            plane.mixer.player.play(name, ["p"], loop=True, tag=2, gain_db=0.0, music=True)
    plane.tick(0.0)
    random = np.random.default_rng(1)
    heard = ulaw_encode(random.normal(0, 600, (legs, FRAME)).astype(np.int16)).view("V160")[:, 0]
    for _ in range(30):
        plane.mixer.tick(heard)
    began = time.process_time()
    for _ in range(TICKS):
        plane.mixer.tick(heard)
    spent = (time.process_time() - began) / TICKS * 1e6
    return {
        "played": played,
        "legs": legs,
        "rooms": len(rooms),
        "us_tick": round(spent),
        "us_room": round(spent / len(rooms), 2),
    }


if __name__ == "__main__":
    legs, room = (int(each) for each in (sys.argv[1:] + ["900", "10"][len(sys.argv) - 1 :]))
    for played in ("nothing", "announcement", "both"):
        print(json.dumps(measure(legs, room, played)))
