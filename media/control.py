"""The control channel between the engine and a media worker: its messages and their framing.

A stream of frames, each four octets of length (big-endian) and one msgpack map with a ``type`` key. Both
ends are ours and of one version (the first message says so, for a worker may outlive its engine), so a frame
that does not decode is a bug or a broken channel: it raises
``ControlError`` and the channel is closed. ``docs/decisions/0003-worker-control-channel.md`` says why this
and not AMP. Does no I/O.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from media.codecs.facts import CodecName

PauseMode = Literal["silence", "cut"]

MAX_FRAME = 1 << 20
"""Octets; the longest message is a list of prompt names, some kilobytes. More is a broken stream."""

_LENGTH = 4


VERSION = zlib.crc32(Path(__file__).read_bytes())
"""Of these messages: whoever was started from another text of this file speaks another language."""


class ControlError(Exception):
    """The channel carried what neither end of ours writes; it cannot be resynchronised."""


SuiteName = Literal[
    "AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
]
_TAG_SIZES = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}


class SrtpTerms(msgspec.Struct, frozen=True):
    """The master keys, salt and all, of both directions (RFC 4568). Shown without them (security F4)."""

    suite: SuiteName
    send_key: bytes
    receive_key: bytes

    @property
    def tag_size(self) -> int:
        """Octets an RTP packet grows by (RFC 7714 section 13, RFC 3711 section 4.2)."""
        return _TAG_SIZES.get(self.suite, 16)

    def __repr__(self) -> str:
        """Name the suite only: a log line or a traceback must not hold keys."""
        return f"SrtpTerms(suite={self.suite!r})"


class LegSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What offer/answer settled for one leg, as far as it is known yet."""

    local_host: str
    """Address to bind; its family decides the sockets' family."""
    codec: CodecName | None = None
    """None: nothing negotiated yet (late offer); nothing is sent or accepted."""
    rate: int = 8000
    """Samples a second of the sound as the worker has it: 8000, 16000 or 48000."""
    clock_rate: int = 8000
    """RTP timestamps a second."""
    event_rate: int = 8000
    """The same of telephone-event; some peers count it at 8000 next to a codec that does not."""
    bitrate: int = 0
    """Most the peer wants to be sent, bit/s; 0: it does not say."""
    dtx: bool = False
    """The peer prefers to be sent nothing in silence."""
    fec: bool = False
    """The peer can use in-band FEC."""
    payload_type: int = 0
    """Of the audio, the same both ways."""
    event_type: int | None = None
    """Payload type of telephone-event (RFC 4733), None when it was not negotiated."""
    remote_host: str | None = None
    remote_port: int | None = None
    remote_rtcp_port: int | None = None
    """None: the RTP port plus one (RFC 3550 section 11)."""
    nat: bool = False
    """Learn the source once (security F1); otherwise only the signalled address is heard."""
    symmetric: bool = False
    """The peer sends from the address its SDP names (RFC 4961): opened with it, the leg may share a port."""
    signalling_host: str | None = None
    """Where the signalling came from: the other address a source may be learned from."""
    send: bool = True
    receive: bool = True
    rtcp_mux: bool = False
    send_payload_type: int | None = None
    """Payload type we send the audio with when it is not ``payload_type`` (RFC 3264 section 5.1)."""
    send_event_type: int | None = None
    """Payload type we send events with when it is not ``event_type``."""
    srtp: SrtpTerms | None = None
    """None: plain RTP."""
    level_id: int | None = None
    """Id of the header extension in which the peer says how loud it is (RFC 6464)."""
    inband_digits: bool = False
    """Digits are heard in the sound, and sent as sound where no ``event_type`` was negotiated."""
    hush_digits: bool = True
    """Digits heard in the sound are kept from whom the leg talks to; recordings have them."""

    @property
    def route(self) -> tuple[object, ...]:
        """What of it decides where the sockets point and whom they hear."""
        types = (self.payload_type, self.event_type) if self.nat else None
        address = (self.remote_host, self.remote_port, self.remote_rtcp_port)
        return (address, self.codec is None, self.nat, self.signalling_host, types)


class Stream(msgspec.Struct, frozen=True):
    """Where a leg's own RTP stream begins (RFC 3550 section 5.1), or goes on after its worker was lost."""

    ssrc: int
    sequence: int
    timestamp: int


def begin_stream(bits: Callable[[int], int]) -> Stream:
    """One at random; of 15 bits of sequence, for a receiver of SRTP counts its wraps from nought (RFC 3711 3.3.1)."""
    return Stream(bits(32), bits(15), bits(32))


# Engine to worker. A leg's id is the engine's choice, unique in a worker's life.


class Configure(msgspec.Struct, frozen=True, tag=True):
    """The first message: the worker's share of the ports, and those that must rest first (security F7)."""

    port_first: int
    port_last: int
    resting: list[int] = []
    kept: list[int] = []
    """Ports of legs that will be opened again, on these very ports."""
    plugins: list[str] = []
    """Names of those that are given sound (``media.hook_loading``)."""
    plugin_budget_ms: int = 2
    orphan_seconds: float = 0.0
    """How long legs are carried on without an engine."""


class LimitRecordings(msgspec.Struct, frozen=True, tag=True):
    """How long a recording may become that is begun from now on."""

    seconds: int


class OpenLeg(msgspec.Struct, frozen=True, tag=True):
    """Give a leg its sockets. After a loss it gets ``port`` again, if that can be bound, and its ``stream`` goes on."""

    leg: int
    spec: LegSpec
    port: int | None = None
    stream: Stream | None = None


class KeepLegs(msgspec.Struct, frozen=True, tag=True):
    """From an engine that came after another: close every leg but these."""

    legs: list[int]


class ModifyLeg(msgspec.Struct, frozen=True, tag=True):
    """A new offer/answer. ``spec`` is whole; the local address is not changed."""

    leg: int
    spec: LegSpec


class LockSource(msgspec.Struct, frozen=True, tag=True):
    """Serve this source, which another worker had learned for the leg (security F1)."""

    leg: int
    host: str
    port: int


class CloseLeg(msgspec.Struct, frozen=True, tag=True):
    leg: int


class Play(msgspec.Struct, frozen=True, tag=True):
    leg: int
    items: list[str]
    loop: bool = False
    tag: int = 0
    skip: int = 0
    """Ticks of it that were played already, before its worker was lost."""
    stop_on_digit: bool = False
    """The first key pressed ends it (barge-in)."""
    stop_on_speech: bool = False
    """So does a voice: 100 ms above -35 dBov."""
    gain_db: float = 0.0
    under: bool = False
    """A leg in a room goes on hearing it, the prompt mixed in; only legs of G.711, others hear the prompt alone."""


class PausePlaying(msgspec.Struct, frozen=True, tag=True):
    """Hold what is played where it is, or go on. A leg that is held hears what it would without a prompt."""

    leg: int
    on: bool


class SeekPlaying(msgspec.Struct, frozen=True, tag=True):
    """Go on from ``ms``: from the beginning of all that is played, or from here. Before it is the beginning."""

    leg: int
    ms: int
    relative: bool = False


class StopPlaying(msgspec.Struct, frozen=True, tag=True):
    leg: int


class Echo(msgspec.Struct, frozen=True, tag=True):
    leg: int
    on: bool


class Record(msgspec.Struct, frozen=True, tag=True):
    """Write what a leg says (``both``: and what it hears, as the second channel) to a WAV file.

    ``coded``: keep G.711 as it came, one octet a sample. ``continues_from``: go on with the file that was begun at
    that time (Unix seconds), silence in the place of what is missing. ``paused``: it begins so.
    """

    leg: int
    path: str
    kind: Literal["leg", "both"] = "leg"
    coded: bool = False
    continues_from: float | None = None
    paused: PauseMode | None = None


class PauseRecording(msgspec.Struct, frozen=True, tag=True):
    """Put silence in the place of what is said, or leave the time out, until ``ResumeRecording``."""

    leg: int
    mode: PauseMode = "silence"


class ResumeRecording(msgspec.Struct, frozen=True, tag=True):
    leg: int


class RecordRoom(msgspec.Struct, frozen=True, tag=True):
    """Write a room's mix to a WAV file (``room``), or a track a talker with a sidecar at ``path`` (``tracks``).

    It ends with ``StopRoomRecording``, or when the room was entered and is empty again. The rest as in ``Record``.
    """

    room: str
    path: str
    kind: Literal["room", "tracks"] = "room"
    continues_from: float | None = None
    paused: PauseMode | None = None


class PauseRoomRecording(msgspec.Struct, frozen=True, tag=True):
    """As ``PauseRecording``, for all recordings of a room; ``mode`` None: go on."""

    room: str
    mode: PauseMode | None


class StopRoomRecording(msgspec.Struct, frozen=True, tag=True):
    """End the recordings of a room."""

    room: str


class StopRecording(msgspec.Struct, frozen=True, tag=True):
    leg: int


class Bridge(msgspec.Struct, frozen=True, tag=True):
    """Join two legs of this worker both ways; ``other`` None parts them."""

    leg: int
    other: int | None


class JoinRoom(msgspec.Struct, frozen=True, tag=True):
    """Mix a leg with the others in a room of this worker, instead of those of the room it is in.

    ``label`` names it where the room is recorded talker by talker.
    """

    leg: int
    room: str
    label: str = ""


class LeaveRoom(msgspec.Struct, frozen=True, tag=True):
    leg: int


class SetParticipant(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How a leg is mixed, in the room it is in and in those after it. Whole: what is not said is as at first."""

    leg: int
    muted: bool = False
    gain_db: float = 0.0
    agc: bool = False
    gate: bool = False
    denoise: bool = False


class SetRoom(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How a room is mixed; it holds until the room is empty, and may come before its first leg."""

    room: str
    loudest: int = 8
    """Talkers mixed at once, the loudest; 0: everybody."""
    max_rate_hz: int = 48000
    """The best rate it is mixed at, however good the codecs in it: 8000, 16000 or 48000."""
    levels: bool = False
    """Tell ``Talkers`` five times a second while somebody talks, for a display of levels."""


class SendDigits(msgspec.Struct, frozen=True, tag=True):
    leg: int
    digits: str


class WatchLeg(msgspec.Struct, frozen=True, tag=True):
    """Report ``LegStatistics`` every five seconds from now on, or no longer."""

    leg: int
    on: bool


class ForgetPrompt(msgspec.Struct, frozen=True, tag=True):
    """Nobody will ask for it again; who plays it hears it to its end, then its memory is free."""

    name: str


class LoadPrompt(msgspec.Struct, frozen=True, tag=True):
    name: str
    path: str


class Shutdown(msgspec.Struct, frozen=True, tag=True):
    """Close every leg and recording, answer ``Stopped`` and exit."""


LegCommand = (
    ModifyLeg
    | LockSource
    | CloseLeg
    | Play
    | PausePlaying
    | SeekPlaying
    | StopPlaying
    | Echo
    | Record
    | PauseRecording
    | ResumeRecording
    | StopRecording
    | Bridge
    | JoinRoom
    | LeaveRoom
    | SetParticipant
    | SendDigits
    | WatchLeg
)
"""What concerns a leg that is open."""
RoomCommand = SetRoom | RecordRoom | PauseRoomRecording | StopRoomRecording
Command = (
    Configure
    | LimitRecordings
    | OpenLeg
    | KeepLegs
    | LegCommand
    | RoomCommand
    | LoadPrompt
    | ForgetPrompt
    | Shutdown
)


# Worker to engine.


class LegOpened(msgspec.Struct, frozen=True, tag=True):
    leg: int
    local_port: int


class LegRefused(msgspec.Struct, frozen=True, tag=True):
    leg: int
    reason: str


class LegClosed(msgspec.Struct, frozen=True, tag=True):
    """The last word about a leg: its sockets are shut and its ports rest."""

    leg: int


class PlayFinished(msgspec.Struct, frozen=True, tag=True):
    leg: int
    tag: int
    interrupted: bool
    cause: Literal["", "digit", "speech"] = ""
    """What of the caller's interrupted it."""
    position_ms: int = 0
    """Where it was when it was interrupted."""


class DigitReceived(msgspec.Struct, frozen=True, tag=True):
    leg: int
    digit: str
    duration_ms: int


class DigitsSent(msgspec.Struct, frozen=True, tag=True):
    """All digits queued on the leg are out. ``ok`` False: neither events nor tones were agreed on."""

    leg: int
    ok: bool


class RecordingClosed(msgspec.Struct, frozen=True, tag=True):
    """A recording's file can be read. ``reason`` is None when it was asked for, else what ended it."""

    leg: int
    path: str
    samples: int
    reason: str | None
    rate: int = 8000


class RoomRecordingClosed(msgspec.Struct, frozen=True, tag=True):
    """As ``RecordingClosed``, of a room. Of tracks ``path`` is the sidecar, and ``samples`` is their timeline."""

    room: str
    path: str
    samples: int
    reason: str | None
    rate: int = 8000


class LegFailed(msgspec.Struct, frozen=True, tag=True):
    """A command could not be carried out, or (reason ``worker_lost``) the leg is gone."""

    leg: int
    reason: str


class Talkers(msgspec.Struct, frozen=True, tag=True):
    """Who talks in a room now, when it is others than before: legs and their levels, the loudest first.

    Levels are dBov as in RFC 6464: 0 is the loudest, 127 silence.
    """

    room: str
    talkers: list[tuple[int, int]]


class LegMoved(msgspec.Struct, frozen=True, tag=True):
    """Said by the pool: the leg's worker was lost, and another process carries it now, perhaps on another port."""

    leg: int
    local_port: int


class SourceLearned(msgspec.Struct, frozen=True, tag=True):
    leg: int
    host: str
    port: int


class LegQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How a leg has sounded (``media.quality``), from rated intervals of some seconds."""

    mos: float
    """Of the last interval, 1.0 to 4.5; with the delay, so conversational."""
    mos_lowest: float
    mos_average: float
    r_factor: float
    jitter_average_ms: float
    jitter_most_ms: float
    delay_ms: float
    """One way, mouth to ear, as far as it is known."""
    burst_density: float
    """Lost within bursts, 0 to 1; as the next three by RFC 3611 section 4.7.2."""
    gap_density: float
    burst_ms: float
    gap_ms: float
    remote_mos: float | None
    """What the peer says of what it hears (RFC 3611), when it does."""


class LegStatistics(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Totals of the leg so far. ``final``: the leg is being closed."""

    leg: int
    packets_sent: int
    octets_sent: int
    packets_received: int
    octets_received: int
    lost: int
    late: int
    """Came after its turn to be played."""
    jitter_ms: float
    """RFC 3550 appendix A.8; packets are timed by the tick, so in steps of 20 ms before smoothing."""
    round_trip_ms: float | None
    remote_lost: int
    """Cumulative loss the peer reported of our packets."""
    strangers: int
    """Datagrams dropped while learning the source: from elsewhere, or not fit to be learned from."""
    flooded: int
    """Dropped over 200 packets/s (security F8)."""
    malformed: int
    final: bool
    unauthentic: int = 0
    """SRTP packets whose tag was wrong (security F4)."""
    quality: LegQuality | None = None
    """None: too little was heard."""


class PromptLoaded(msgspec.Struct, frozen=True, tag=True):
    name: str
    frames: int


class PromptRefused(msgspec.Struct, frozen=True, tag=True):
    name: str
    reason: str


class WorkerStatistics(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Every five seconds: totals since the worker began."""

    ticks: int
    late_ticks: int
    skipped_ticks: int
    legs: int
    cpu_seconds: float
    counters: dict[str, int]


class WorkerLoad(msgspec.Struct, frozen=True, tag=True):
    """When it has changed: how much of a core the worker uses, and the share of its ticks that came late."""

    share: float
    late: float


class Started(msgspec.Struct, frozen=True, tag=True):
    """The first message to each engine. ``ports`` is the share it was given, by this engine or one before it."""

    pid: int
    version: int = VERSION
    ports: tuple[int, int] | None = None
    legs: list[int] = []
    prompts: dict[str, str] = {}
    """Those it was asked to load, with their paths."""


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """Answer to ``Shutdown``; the last message."""


LegEvent = (
    PlayFinished
    | DigitReceived
    | DigitsSent
    | RecordingClosed
    | LegFailed
    | LegMoved
    | SourceLearned
    | LegStatistics
)
Event = (
    LegEvent
    | LegOpened
    | LegRefused
    | LegClosed
    | Talkers
    | RoomRecordingClosed
    | PromptLoaded
    | PromptRefused
    | WorkerStatistics
    | WorkerLoad
    | Started
    | Stopped
)

_encoder = msgspec.msgpack.Encoder()
_command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_event_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode_frame(message: Command | Event) -> bytes:
    """One message as the octets of its frame."""
    frame = bytearray(_LENGTH)
    _encoder.encode_into(message, frame, _LENGTH)
    size = len(frame) - _LENGTH
    if size > MAX_FRAME:
        raise ControlError(f"message of {size} octets")
    frame[:_LENGTH] = size.to_bytes(_LENGTH, "big")
    return bytes(frame)


class FrameReader:
    """Cuts a byte stream into frames, however it was split on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[bytes]:
        """The frames that ``data`` completes, without their length.

        Raises ControlError: a length above ``MAX_FRAME``.
        """
        self._buffer += data
        frames, at = [], 0
        while len(self._buffer) - at >= _LENGTH:
            size = int.from_bytes(self._buffer[at : at + _LENGTH], "big")
            if size > MAX_FRAME:
                raise ControlError(f"frame of {size} octets")
            if len(self._buffer) - at - _LENGTH < size:
                break
            frames.append(bytes(self._buffer[at + _LENGTH : at + _LENGTH + size]))
            at += _LENGTH + size
        del self._buffer[:at]
        return frames


def whole_frames(buffer: bytearray, size: int) -> int:
    """Octets of the frames that lie wholly within the first ``size`` of a buffer that begins with a frame."""
    if size == len(buffer):
        return size
    at = 0
    while at + _LENGTH <= size:
        end = at + _LENGTH + int.from_bytes(buffer[at : at + _LENGTH], "big")
        if end > size:
            break
        at = end
    return at


def pid_in(frame: bytes) -> int | None:
    """The process id in a greeting that may be of another version."""
    try:
        said = msgspec.msgpack.decode(frame)
    except msgspec.MsgspecError:
        return None
    pid = said.get("pid") if isinstance(said, dict) else None
    return pid if isinstance(pid, int) and pid > 1 else None


def decode_command(frame: bytes) -> Command:
    """A frame as the worker reads it. Raises ControlError."""
    try:
        return _command_decoder.decode(frame)
    except msgspec.MsgspecError as error:
        raise ControlError(str(error)) from error


def decode_event(frame: bytes) -> Event:
    """A frame as the engine reads it. Raises ControlError."""
    try:
        return _event_decoder.decode(frame)
    except msgspec.MsgspecError as error:
        raise ControlError(str(error)) from error
