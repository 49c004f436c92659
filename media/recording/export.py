"""A recording as somebody else wants it: another format, and of tracks one file of them all.

The tracks of a recording have a common timeline; here they are brought onto it, sample by sample: silence before a
track begins and after it ends, and all at the highest rate among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import numpy.typing as npt

from media.recording.conversion import FORMATS, PARTIAL, ConversionError, writing
from media.recording.sidecar import Notes, SidecarError, Track, load

if TYPE_CHECKING:
    import soundfile

Layout = Literal["mix", "channels", "tracks"]
"""All tracks added up, one channel for each, or one file for each."""
Block = npt.NDArray[np.int16]

MOST_CHANNELS = {".wav": 1024, ".flac": 8, ".ogg": 255}
_SECONDS = 10
"""Of sound in memory at once."""


def export(source: Path, target: Path, layout: Layout = "mix") -> list[Path]:
    """Write a recording to ``target``, in the format of its suffix; what was written comes back.

    ``layout`` is for recordings of tracks: with ``tracks``, each goes to a file of its own, ``target`` with its number.
    Raises ConversionError.
    """
    if target.suffix not in FORMATS:
        raise ConversionError(f"{target.name}: none of {', '.join(FORMATS)}")
    try:
        if source.suffix == ".json":
            return _export_tracks(load(source), source.parent, target, layout)
        _copy(source, target)
    except (OSError, RuntimeError, SidecarError) as error:
        raise ConversionError(str(error)) from error
    return [target]


def _copy(source: Path, target: Path) -> None:
    import soundfile

    with soundfile.SoundFile(source) as sound:
        _write(target, sound.samplerate, sound.channels, _blocks(sound))


def _export_tracks(notes: Notes, folder: Path, target: Path, layout: Layout) -> list[Path]:
    if not notes.tracks:
        raise ConversionError("there are no tracks")
    rate = max(track.rate for track in notes.tracks)
    length = notes.ms * rate // 1000
    sounds = [_on_timeline(folder / track.file, track, rate, length) for track in notes.tracks]
    if layout == "tracks":
        paths = [
            target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(1, len(sounds) + 1)
        ]
        for path, sound in zip(paths, sounds, strict=True):
            _write(path, rate, 1, sound)
        return paths
    if layout == "mix":
        _write(target, rate, 1, map(_mixed, zip(*sounds, strict=True)))
    elif len(sounds) > MOST_CHANNELS[target.suffix]:
        raise ConversionError(f"{len(sounds)} channels are too many for {target.suffix}")
    else:
        _write(target, rate, len(sounds), (np.stack(blocks, axis=1) for blocks in zip(*sounds, strict=True)))
    return [target]


def _mixed(blocks: tuple[Block, ...]) -> Block:
    total = np.sum(blocks, axis=0, dtype=np.int32)
    mixed: Block = np.clip(total, -32768, 32767).astype(np.int16)
    return mixed


def _on_timeline(path: Path, track: Track, rate: int, length: int) -> Iterator[Block]:
    """A track in blocks of the timeline, int16; all tracks give blocks of the same lengths."""
    waiting = np.zeros(track.offset_ms * rate // 1000, np.int16)
    size, given = _SECONDS * rate, 0
    for block in _at_rate(path, rate):
        waiting = np.concatenate([waiting, block])
        while len(waiting) >= size:
            yield waiting[:size]
            waiting, given = waiting[size:], given + size
    while given < length:
        wanted = min(size, length - given)
        yield np.pad(waiting[:wanted], (0, max(0, wanted - len(waiting))))
        waiting, given = waiting[wanted:], given + wanted


def _at_rate(path: Path, rate: int) -> Iterator[Block]:
    import soundfile

    with soundfile.SoundFile(path) as sound:
        blocks = _blocks(sound)
        if sound.samplerate == rate:
            yield from blocks
            return
        import soxr

        stream = soxr.ResampleStream(sound.samplerate, rate, 1, dtype="int16")
        for block in blocks:
            yield cast(Block, stream.resample_chunk(block))
        yield cast(Block, stream.resample_chunk(np.zeros(0, np.int16), last=True))


def _blocks(sound: soundfile.SoundFile) -> Iterator[Block]:
    while len(block := sound.read(_SECONDS * sound.samplerate, dtype="int16")):
        yield block


def _write(target: Path, rate: int, channels: int, blocks: Iterator[Block]) -> None:
    """Write a file that is not there yet; it appears when it is whole."""
    if target.exists():
        raise ConversionError(f"{target} is there already")
    partial = target.with_name(target.name + PARTIAL)
    try:
        with writing(partial, rate, channels, target.suffix) as out:
            for block in blocks:
                out.write(block)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
