"""Prompts: any sound or film becomes, once, what the plane plays: 8 kHz mono 16-bit at speech level.

``import_prompt`` reads whatever FFmpeg reads (through PyAV), takes the mean of all channels, resamples with
soxr and levels: the active speech (``media.loudness``) is brought to ``TARGET_DBFS``, by at most
``MAX_GAIN_DB``, and peaks that then pass ``CEILING_DBFS`` are pulled under it by a limiter that looks
ahead. One gain for the whole file keeps its dynamics. Memory is bounded: the sound streams through a spool
file without a name beside the destination, and the result appears there whole, by rename, or not at all.

The source is a stranger's file. FFmpeg is given its bytes and nothing else: no name, and no protocol by
which a playlist or a session description could make it open other files or sockets. What cannot be decoded
inside an otherwise readable file is left out, as players do.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

import av
import numpy as np
import numpy.typing as npt
import soxr
from av.audio.frame import AudioFrame
from av.container import InputContainer

from media.loudness import (
    SILENCE_DBFS,
    Samples,
    active_level,
    frame_powers,
    from_db,
    limited,
    to_dbfs,
)
from media.prompt_file import MAX_SECONDS, RATE, PromptError
from media.wav import BYTES_PER_SAMPLE, header

Pcm = npt.NDArray[np.int16]

TARGET_DBFS = -20.0
CEILING_DBFS = -3.0
MAX_GAIN_DB = 30.0  # more would bring up the noise of a line, not speech

_REACH = 40  # samples, 5 ms: the limiter moves no faster than that
_BLOCK = 30 * RATE  # samples handled at once; a multiple of FRAME
_LOUDEST = 16.0  # floating-point sources may pass full scale, but nothing sane passes it so far
_RATES = range(1000, 800_000)
_CHANNELS = 64


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """What was made: length, SHA-256 of the file's bytes (hex), its highest peak and its active level."""

    seconds: float
    sha256: str
    peak_dbfs: float
    level_dbfs: float


def import_prompt(source: str | Path, destination: str | Path) -> PromptInfo:
    """Make the WAV ``destination`` from ``source``; raises ``PromptError`` and then leaves no trace.

    A file that is already there is replaced by the whole new one, or kept. Blocks for as long as decoding
    takes, which may be seconds: call it in a thread.
    """
    folder = Path(destination).parent
    try:
        file = Path(source).open("rb")  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise PromptError("unreadable", str(error)) from error
    with file, _writing(), tempfile.TemporaryFile(dir=folder) as spool:
        samples = _spool(file, spool)
        if not samples:
            raise PromptError("empty", "no sound in it")
        sound = np.memmap(spool, dtype=np.float32, mode="r", shape=(samples,))
        return _finish(sound, Path(destination))


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """What the file system refuses while we write, as ours."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        raise PromptError("disk_full" if full else "unwritable", str(error)) from error


# Decoding: source file to spool.


class _Bytes:
    """A file with nothing but bytes: FFmpeg must not see its name, nor guess a format from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def _spool(source: BinaryIO, spool: IO[bytes]) -> int:
    """Write the source at 8 kHz mono to ``spool`` as float32; returns how many samples."""
    samples = 0
    for block in _resampled(_mono(source)):
        samples += len(block)
        if samples > MAX_SECONDS * RATE:
            raise PromptError("too_long", f"more than {MAX_SECONDS} s")
        spool.write(block.tobytes())
    spool.flush()
    return samples


def _mono(source: BinaryIO) -> Iterator[tuple[int, Samples]]:
    """(rate, float32 [samples]) of each frame of the best audio stream."""
    decoded, lost = False, ""
    try:
        with av.open(
            _Bytes(source), mode="r", options={"protocol_whitelist": "none"}, metadata_errors="replace"
        ) as container:
            for frame in _frames(container):
                if isinstance(frame, str):
                    lost = frame
                    continue
                decoded = True
                yield frame.sample_rate, _mix(frame)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        lost = str(error)
    if lost and not decoded:
        raise PromptError("unreadable", lost)


def _frames(container: InputContainer) -> Iterator[AudioFrame | str]:
    """Frames of the best audio stream; a string in the place of a packet that cannot be decoded."""
    stream = container.streams.best("audio")
    if stream is None:
        raise PromptError("no_audio", container.format.name)
    for packet in container.demux(stream):
        try:
            yield from (frame for frame in packet.decode() if isinstance(frame, AudioFrame))
        except av.error.FFmpegError as error:
            yield str(error)


def _mix(frame: AudioFrame) -> Samples:
    """The mean of the channels, float32 [samples], full scale 1.0."""
    if frame.sample_rate not in _RATES or not 0 < frame.layout.nb_channels <= _CHANNELS:
        raise PromptError("unreadable", f"{frame.sample_rate} Hz, {frame.layout.nb_channels} channels")
    data = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    values = _full_scale_is_one(data)
    mono: Samples = np.clip(values.mean(axis=0), -_LOUDEST, _LOUDEST).astype(np.float32)
    return mono


def _full_scale_is_one(data: npt.NDArray[Any]) -> Samples:
    """Samples of any of FFmpeg's formats as finite float32."""
    if data.dtype.kind == "u":  # 8 bit
        return data.astype(np.float32) / np.float32(128) - np.float32(1)
    if data.dtype.kind == "i":
        return data.astype(np.float32) / np.float32(1 << (8 * data.dtype.itemsize - 1))
    finite: Samples = np.nan_to_num(data, nan=0.0, posinf=_LOUDEST, neginf=-_LOUDEST).astype(np.float32)
    return finite


def _resampled(frames: Iterator[tuple[int, Samples]]) -> Iterator[Samples]:
    """float32 blocks at 8 kHz; a stream that changes its rate on the way goes on with another resampler."""
    stream: soxr.ResampleStream | None = None
    current = 0
    for rate, block in frames:
        if stream is None or rate != current:
            if stream is not None:
                yield stream.resample_chunk(block[:0], last=True)
            stream, current = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ"), rate
        yield stream.resample_chunk(block)
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


# Levelling: spool to destination.


def _finish(sound: Samples, destination: Path) -> PromptInfo:
    """Level the spooled sound into a hidden file and rename it to ``destination``."""
    powers = np.concatenate([frame_powers(block) for block in _blocks(sound)])
    level = active_level(powers)
    gain = 1.0 if level == SILENCE_DBFS else from_db(min(TARGET_DBFS - level, MAX_GAIN_DB))
    descriptor, name = tempfile.mkstemp(prefix=".import-", dir=destination.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            info = _write(file, sound, gain)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(destination)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return info


def _blocks(sound: Samples) -> Iterator[Samples]:
    for start in range(0, len(sound), _BLOCK):
        yield sound[start : start + _BLOCK]


def _write(file: IO[bytes], sound: Samples, gain: float) -> PromptInfo:
    """Write header and levelled samples; measure and hash what is written."""
    digest = hashlib.sha256()
    peak = 0
    powers = []
    head = header(len(sound) * BYTES_PER_SAMPLE, RATE, 1)
    digest.update(head)
    file.write(head)
    for start in range(0, len(sound), _BLOCK):
        pcm = _levelled(sound, start, gain)
        peak = max(peak, int(np.abs(pcm.astype(np.int32)).max()))
        powers.append(frame_powers(pcm.astype(np.float32) / np.float32(32768)))
        data = pcm.astype("<i2").tobytes()
        digest.update(data)
        file.write(data)
    level = active_level(np.concatenate(powers))
    return PromptInfo(len(sound) / RATE, digest.hexdigest(), round(to_dbfs(peak / 32768), 2), round(level, 2))


def _levelled(sound: Samples, start: int, gain: float) -> Pcm:
    """One block as int16, limited with what lies around it in view."""
    margin = 2 * _REACH
    first = max(0, start - margin)
    around = sound[first : start + _BLOCK + margin] * np.float32(gain)
    block = limited(around, from_db(CEILING_DBFS), _REACH)[start - first :][:_BLOCK]
    pcm: Pcm = np.rint(block * 32768).astype(np.int16)
    return pcm
