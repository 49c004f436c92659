"""A leg as the engine holds it: commands go to its worker one way, what happens comes back as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from media import control
from media.control import LegEvent, LegSpec, PauseMode


def _unheard(_event: LegEvent) -> None:
    """Where events go before anybody listens."""


class Worker(Protocol):
    """The worker a leg lives on."""

    @property
    def index(self) -> int: ...

    def send(self, command: control.Command) -> None: ...


class Leg:
    """One RTP stream pair in a worker.

    All commands are one-way and keep their order; errors come as ``LegFailed``. After ``close``, or when its
    worker died (``LegFailed`` with reason ``worker_lost``), commands do nothing.
    """

    def __init__(self, leg_id: int, worker: Worker, spec: LegSpec, local_port: int) -> None:
        self.id = leg_id
        self.worker = worker
        self.spec = spec
        self.local_port = local_port
        self.alive = True
        self.on_event: Callable[[LegEvent], None] = _unheard

    @property
    def local_host(self) -> str:
        """The address its ports are bound to."""
        return self.spec.local_host

    def _send(self, command: control.Command) -> None:
        if self.alive:
            self.worker.send(command)

    def modify(self, **changes: Any) -> None:
        """Take up a new offer/answer: the fields of ``LegSpec`` that change. The local address stays."""
        self.spec = msgspec.structs.replace(self.spec, **(changes | {"local_host": self.spec.local_host}))
        self._send(control.ModifyLeg(self.id, self.spec))

    def play(self, items: list[str], loop: bool = False, tag: int = 0) -> None:
        """Play prompts in turn, in place of what is played now; ``PlayFinished`` with ``tag`` follows."""
        self._send(control.Play(self.id, items, loop, tag))

    def stop_playing(self) -> None:
        """Stop what is played."""
        self._send(control.StopPlaying(self.id))

    def echo(self, on: bool) -> None:
        """Return what the peer says to it."""
        self._send(control.Echo(self.id, on))

    def record(self, path: str, kind: Literal["leg", "both"] = "leg", *, coded: bool = False) -> None:
        """Write what the peer says to a WAV file (``both``: and what it hears); ``RecordingClosed`` follows.

        coded: keep G.711 as it comes, at half the size.
        """
        self._send(control.Record(self.id, path, kind, coded))

    def pause_recording(self, mode: PauseMode = "silence") -> None:
        """Record silence in the place of what is said, or leave the time out (``cut``)."""
        self._send(control.PauseRecording(self.id, mode))

    def resume_recording(self) -> None:
        """Record what is said again."""
        self._send(control.ResumeRecording(self.id))

    def stop_recording(self) -> None:
        """Close the recording."""
        self._send(control.StopRecording(self.id))

    def bridge(self, other: Leg | None) -> None:
        """Join with another leg of the same worker, both ways; None parts them.

        Raises ValueError: the legs are on different workers; open one ``near`` the other.
        """
        if other is not None and other.worker is not self.worker:
            raise ValueError("legs of different workers cannot be bridged")
        self._send(control.Bridge(self.id, None if other is None else other.id))

    def join_room(self, room: str) -> None:
        """Be mixed with the others in a room, in place of the one it is in.

        The leg must have been opened for this room (``WorkerPool.open_leg``): a room is on one worker.
        """
        self._send(control.JoinRoom(self.id, room))

    def leave_room(self) -> None:
        """Neither hear the room any more nor be heard in it."""
        self._send(control.LeaveRoom(self.id))

    def set_participant(
        self,
        *,
        muted: bool = False,
        gain_db: float = 0.0,
        agc: bool = False,
        gate: bool = False,
        denoise: bool = False,
    ) -> None:
        """How the leg is mixed in rooms: muted, louder or softer, levelled, gated, freed of noise."""
        self._send(
            control.SetParticipant(
                leg=self.id, muted=muted, gain_db=gain_db, agc=agc, gate=gate, denoise=denoise
            )
        )

    def send_digits(self, digits: str) -> None:
        """Send digits, as telephone events (RFC 4733) or else as tones; ``DigitsSent`` follows."""
        self._send(control.SendDigits(self.id, digits))

    def watch(self, on: bool) -> None:
        """Ask for ``LegStatistics`` every five seconds."""
        self._send(control.WatchLeg(self.id, on))

    def close(self) -> None:
        """End the leg. ``LegStatistics`` (final), and ``RecordingClosed`` if it recorded, still follow."""
        self._send(control.CloseLeg(self.id))
        self.alive = False
