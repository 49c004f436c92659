"""How the messages travel: a stream of frames, each four octets of length (big-endian) and one msgpack map.

A frame that does not decode is a bug or a broken channel: it raises ``ControlError`` and the channel is closed.
"""

from __future__ import annotations

import msgspec

from media.control.commands import Command
from media.control.events import Event

MAX_FRAME = 1 << 20
"""Octets; the longest message is a list of prompt names, some kilobytes. More is a broken stream."""

_LENGTH = 4


class ControlError(Exception):
    """The channel carried what neither end of ours writes; it cannot be resynchronised."""


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
