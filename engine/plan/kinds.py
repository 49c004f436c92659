"""The kinds of call a machine is planned for, and what makes a leg one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media import control

PROMPT = "plan"


@dataclass(frozen=True, slots=True)
class Kind:
    """``legs`` are tried at once; ``talkers`` of them say something (None: all), the others send silence.

    room: how many legs share a room; 0: none. silent: nothing is sent to it. Its text is ``plan.`` and its name.
    """

    name: str
    legs: int
    codec: str = "PCMU"
    talkers: int | None = None
    listen_only: bool = False
    room: int = 0
    srtp: bool = False
    shared_port: bool = False
    silent: bool = False

    def talks(self, leg: int) -> bool:
        """Whether a leg has something to say."""
        return self.talkers is None or leg < self.talkers

    def commands(self, folder: Path) -> Sequence[control.Command]:
        """What makes the legs what they are."""
        legs = range(self.legs)
        if self.room:
            return [control.JoinRoom(leg, f"plan-{leg // self.room}") for leg in legs]
        if self.name.startswith("echo"):
            return [control.Echo(leg, on=True) for leg in legs]
        if self.name == "recording":
            return [control.Record(leg, str(folder / f"{leg}.wav")) for leg in legs]
        return [control.Play(leg, [PROMPT], loop=True) for leg in legs]


KINDS = (
    Kind("announcement", 300, talkers=0, listen_only=True),
    Kind("echo", 300),
    Kind("echo_shared", 300, shared_port=True),
    Kind("room_talking", 300, room=300),
    Kind("room_listening", 300, talkers=2, room=300),
    Kind("recording", 300, silent=True),
    Kind("srtp_talking", 200, room=200, srtp=True),
    Kind("opus_talking", 24, codec="opus", room=4),
    Kind("opus_listening", 100, codec="opus", talkers=2, room=100),
)
