"""What the mixer alone costs of a tick: rooms of G.711 in which everybody talks, without sockets.

    python bench/room_mix.py [LEGS]

Prints a JSON object a line: legs, legs a room, talkers mixed (0: all), microseconds a tick and a leg.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from media.codecs.g711 import ulaw_encode
from media.legs import Negotiated
from media.plane import Plane
from media.rooms import RoomSettings
from media.rtp import FRAME

TICKS = 200
SHAPES = ((0, 8), (0, 0), (10, 8), (10, 0), (3, 8))


def measure(legs: int, room: int, loudest: int) -> dict[str, float]:
    """One shape; ``room`` 0: all legs in one."""
    plane = Plane(lambda bits: 0)
    for number in range(legs):
        slot = plane.open()
        plane.negotiate(slot, Negotiated(0, 0, None, send=True, receive=True))
        name = str(number // room if room else 0)
        plane.join(slot, name)
        plane.set_room(name, RoomSettings(loudest=loudest))
    plane.tick(0.0)
    random = np.random.default_rng(1)
    heard = ulaw_encode(random.normal(0, 600, (legs, FRAME)).astype(np.int16)).view("V160")[:, 0]
    for _ in range(10):
        plane.mixer.tick(heard)
    began = time.process_time()
    for _ in range(TICKS):
        plane.mixer.tick(heard)
    spent = (time.process_time() - began) / TICKS * 1e6
    return {
        "legs": legs,
        "room": room,
        "loudest": loudest,
        "us_tick": round(spent),
        "us_leg": round(spent / legs, 2),
    }


if __name__ == "__main__":
    for room, loudest in SHAPES:
        print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 900, room, loudest)))
