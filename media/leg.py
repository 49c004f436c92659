"""A leg as the engine holds it: commands go to its worker one way, what happens comes back as events.

A leg outlives its worker. What was told to it and still holds (its echo, its room, what it plays and records)
is remembered, one command of a kind, and said again to the process that takes its place. So a command that
sets lasting state goes through ``_set``, what undoes it through ``_unset``, and a command whose effect is over
at once through ``_send``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from media import control
from media.control import LegEvent, LegSpec, PauseMode, Stream

TICKS_PER_SECOND = 50
_AHEAD = 3
"""Ticks a stream is continued beyond our estimate, so that it never goes back."""


def _unheard(_event: LegEvent) -> None:
    """Where events go before anybody listens."""


def _joined(_leg: Leg, _room: str) -> None:
    """What is called before anybody minds rooms."""


def _nothing() -> None:
    """What is called before anybody wants to know."""


class LegState(msgspec.Struct, frozen=True):
    """All that is known of a leg, for an engine that comes after this one. Times are monotonic, of one boot."""

    id: int
    worker: int
    spec: LegSpec
    port: int
    stream: Stream | None
    begun: float
    lasting: list[tuple[str, control.LegCommand, float]]

    @property
    def bridged(self) -> int | None:
        """The leg it is joined with, as far as it is the one that was told so."""
        return next((each.other for _, each, _ in self.lasting if isinstance(each, control.Bridge)), None)

    @property
    def room(self) -> str | None:
        """The room it is in."""
        return next((each.room for _, each, _ in self.lasting if isinstance(each, control.JoinRoom)), None)


class Worker(Protocol):
    """The worker a leg lives on."""

    @property
    def index(self) -> int: ...

    def send(self, command: control.Command) -> None: ...

    def seconds(self) -> float: ...


class Leg:
    """One RTP stream pair in a worker.

    All commands are one-way and keep their order; errors come as ``LegFailed``. When its worker dies, another
    takes the leg over and ``LegMoved`` is told. After ``close``, or when none could (``LegFailed`` with reason
    ``worker_lost``), commands do nothing.
    """

    def __init__(
        self, leg_id: int, worker: Worker, spec: LegSpec, local_port: int, stream: Stream | None = None
    ) -> None:
        self.id = leg_id
        self.worker = worker
        self.spec = spec
        self.local_port = local_port
        self.alive = True
        self.on_event: Callable[[LegEvent], None] = _unheard
        self.on_change: Callable[[], None] = _nothing
        """Called when something is to be remembered of it that was not before."""
        self.on_closed: Callable[[], None] = _nothing
        """Called after the last event, when its worker has closed it."""
        self.on_join: Callable[[Leg, str], None] = _joined
        """Called before it is told to join a room."""
        self._stream = stream
        self._begun = worker.seconds()
        self._lasting: dict[str, tuple[control.LegCommand, float]] = {}
        self._bridged: Leg | None = None

    @classmethod
    def restored(cls, state: LegState, worker: Worker) -> Leg:
        """A leg of an earlier engine, on ``worker``; whom it is joined with is for the pool to say."""
        leg = cls(state.id, worker, state.spec, state.port, state.stream)
        leg._begun = state.begun
        leg._lasting = {kind: (command, since) for kind, command, since in state.lasting}
        return leg

    def state(self) -> LegState:
        """What the next engine has to know of it."""
        lasting = [(kind, *held) for kind, held in self._lasting.items()]
        return LegState(
            self.id, self.worker.index, self.spec, self.local_port, self._stream, self._begun, lasting
        )

    def is_joined(self, other: Leg) -> None:
        """Note that the workers know these two as bridged."""
        self._bridged, other._bridged = other, self

    @property
    def local_host(self) -> str:
        """The address its ports are bound to."""
        return self.spec.local_host

    # ---- what lasts

    def _send(self, command: control.Command) -> None:
        """Say something whose effect is over at once."""
        if self.alive:
            self.worker.send(command)

    def _set(self, command: control.LegCommand, kind: str | None = None) -> None:
        """Say something that holds until another of its kind (by default its type) or ``_unset``."""
        if self.alive:
            self._lasting[kind or type(command).__name__] = (command, self.worker.seconds())
            self.worker.send(command)
            self.on_change()

    def _unset(self, command: control.LegCommand, kind: str) -> None:
        """Say what undoes the lasting command of that kind."""
        self._lasting.pop(kind, None)
        self._send(command)
        self.on_change()

    def heard(self, event: LegEvent) -> None:
        """Note what the worker says of lasting state, then pass it on."""
        match event:
            case control.PlayFinished(tag=tag, interrupted=interrupted, cause=cause) if (
                cause or not interrupted
            ):
                held = self._lasting.get("Play")
                if held is not None and isinstance(held[0], control.Play) and held[0].tag == tag:
                    del self._lasting["Play"]
            case control.RecordingClosed(path=path):
                held = self._lasting.get("Record")
                if held is not None and isinstance(held[0], control.Record) and held[0].path == path:
                    del self._lasting["Record"]
            case control.SourceLearned(host=host, port=port):
                self._lasting["LockSource"] = (control.LockSource(self.id, host, port), 0.0)
                self.on_change()
        self.on_event(event)

    def closed(self) -> None:
        """Say that the worker has closed it, and let go of whoever listened: the two refer to each other."""
        tell = self.on_closed
        self.on_event, self.on_change, self.on_closed = _unheard, _nothing, _nothing
        tell()

    def reopening(self) -> control.OpenLeg:
        """What opens it on another worker: on its old port, its stream going on as after a gap in the network."""
        return control.OpenLeg(self.id, self.spec, self.local_port, self._continued())

    def replay(self) -> list[control.LegCommand]:
        """What makes it again what it was, once every leg is open."""
        now = self.worker.seconds()
        return [_resumed(command, now - since) for command, since in self._lasting.values()]

    def _continued(self) -> Stream | None:
        """The stream as far as it would be by now: same source, later time, as after a gap in the network.

        A number too high is a gap, one too low a repetition; so it is estimated as if every tick had sent.
        """
        if self._stream is None or self.spec.srtp is not None:
            return None  # under the same key only another source begins a keystream that was never used
        ticks = int((self.worker.seconds() - self._begun) * TICKS_PER_SECOND) + _AHEAD
        begun = self._stream
        return Stream(
            begun.ssrc,
            (begun.sequence + ticks) & 0xFFFF,
            (begun.timestamp + ticks * self.spec.clock_rate // TICKS_PER_SECOND) & 0xFFFFFFFF,
        )

    # ---- commands

    def modify(self, **changes: Any) -> None:
        """Take up a new offer/answer: the fields of ``LegSpec`` that change. The local address stays."""
        before = self.spec
        kept = {"local_host": self.spec.local_host, "symmetric": self.spec.symmetric}
        self.spec = msgspec.structs.replace(self.spec, **(changes | kept))
        if self.spec.route != before.route:
            self._lasting.pop("LockSource", None)  # the source has to be learned anew
        if before.codec is not None and self.spec.clock_rate != before.clock_rate:
            self._stream = None  # its timestamps are no longer a count from its beginning
        self._send(control.ModifyLeg(self.id, self.spec))

    def play(
        self,
        items: list[str],
        loop: bool = False,
        tag: int = 0,
        *,
        stop_on_digit: bool = False,
        stop_on_speech: bool = False,
        gain_db: float = 0.0,
        under: bool = False,
    ) -> None:
        """Play prompts in turn, in place of what is played now; ``PlayFinished`` with ``tag`` follows.

        stop_on_digit, stop_on_speech: the caller's first key, or voice, ends it. under: mixed into the leg's room.
        """
        self._lasting.pop("PausePlaying", None)
        command = control.Play(
            self.id,
            items,
            loop,
            tag,
            stop_on_digit=stop_on_digit,
            stop_on_speech=stop_on_speech,
            gain_db=gain_db,
            under=under,
        )
        self._set(command)

    def pause_playing(self, on: bool) -> None:
        """Hold what is played where it is, or go on."""
        self._set(control.PausePlaying(self.id, on))

    def seek(self, ms: int, *, relative: bool = False) -> None:
        """Go on elsewhere in what is played: ``ms`` from its beginning, or from here."""
        self._send(control.SeekPlaying(self.id, ms, relative))

    def stop_playing(self) -> None:
        """Stop what is played."""
        self._unset(control.StopPlaying(self.id), "Play")

    def echo(self, on: bool) -> None:
        """Return what the peer says to it."""
        self._set(control.Echo(self.id, on))

    def record(self, path: str, kind: Literal["leg", "both"] = "leg", *, coded: bool = False) -> None:
        """Write what the peer says to a WAV file (``both``: and what it hears); ``RecordingClosed`` follows.

        coded: keep G.711 as it comes, at half the size.
        """
        self._lasting.pop("PauseRecording", None)
        self._set(control.Record(self.id, path, kind, coded))

    def pause_recording(self, mode: PauseMode = "silence") -> None:
        """Record silence in the place of what is said, or leave the time out (``cut``)."""
        self._set(control.PauseRecording(self.id, mode))

    def resume_recording(self) -> None:
        """Record what is said again."""
        self._unset(control.ResumeRecording(self.id), "PauseRecording")

    def stop_recording(self) -> None:
        """Close the recording."""
        self._lasting.pop("PauseRecording", None)
        self._unset(control.StopRecording(self.id), "Record")

    def bridge(self, other: Leg | None) -> None:
        """Join with another leg of the same worker, both ways; None parts them.

        Raises ValueError: the legs are on different workers; open one ``near`` the other.
        """
        if other is not None and other.worker is not self.worker:
            raise ValueError("legs of different workers cannot be bridged")
        self._part()
        if other is None:
            self._send(control.Bridge(self.id, None))
            return
        other._part()
        self._bridged, other._bridged = other, self
        self._set(control.Bridge(self.id, other.id))

    def _part(self) -> None:
        """Remember no bridge of this leg, at either end."""
        other, self._bridged = self._bridged, None
        self._lasting.pop("Bridge", None)
        if other is not None:
            other._bridged = None
            other._lasting.pop("Bridge", None)

    def join_room(self, room: str, label: str = "") -> None:
        """Be mixed with the others in a room, in place of the one it is in; ``label`` is for the room's recordings.

        On whatever worker they are: a room of which not all are on one worker is mixed on all of theirs
        (``media.cascade``), with 40 ms more of delay.
        """
        if self.alive:
            self.on_join(self, room)
        self._set(control.JoinRoom(self.id, room, label))

    def leave_room(self) -> None:
        """Neither hear the room any more nor be heard in it."""
        self._unset(control.LeaveRoom(self.id), "JoinRoom")

    def set_participant(
        self,
        *,
        muted: bool = False,
        gain_db: float = 0.0,
        volume_db: float = 0.0,
        agc: bool = False,
        gate: bool = False,
        denoise: bool = False,
    ) -> None:
        """How the leg is mixed in rooms: muted, louder or softer, levelled, gated, freed of noise.

        gain_db: for those who hear it; volume_db: how it hears the room itself.
        """
        self._set(
            control.SetParticipant(
                leg=self.id,
                muted=muted,
                gain_db=gain_db,
                volume_db=volume_db,
                agc=agc,
                gate=gate,
                denoise=denoise,
            )
        )

    def send_digits(self, digits: str) -> None:
        """Send digits, as telephone events (RFC 4733) or else as tones; ``DigitsSent`` follows."""
        self._send(control.SendDigits(self.id, digits))

    def watch(self, on: bool) -> None:
        """Ask for ``LegStatistics`` every five seconds."""
        self._set(control.WatchLeg(self.id, on))

    def close(self) -> None:
        """End the leg. ``LegStatistics`` (final), and ``RecordingClosed`` if it recorded, still follow."""
        self._send(control.CloseLeg(self.id))
        self._part()
        self.alive = False


def _resumed(command: control.LegCommand, seconds: float) -> control.LegCommand:
    """A lasting command as it is to be said again, ``seconds`` after it was said first."""
    if isinstance(command, control.Play):
        played = int(seconds * TICKS_PER_SECOND) + command.skip
        return msgspec.structs.replace(command, skip=played)
    if isinstance(command, control.Record) and command.continues_from is None:
        return msgspec.structs.replace(command, continues_from=time.time() - seconds)
    return command
