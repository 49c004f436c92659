"""Recordings as FLAC or Ogg/Opus: made when they are over, from the WAV they were recorded as.

Run as a process of its own (``python -m media.recording.conversion SOURCE TARGET``), at the lowest priority, so
that neither the libraries nor the work are a worker's. The target is whole when it appears; only then does the source
go. Killed at any moment, it leaves the source, and the next run begins anew.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from media.recording.sidecar import SidecarError, load, save

if TYPE_CHECKING:
    import soundfile

FORMATS: dict[str, tuple[str, str]] = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "OPUS"),
}
"""libsndfile's names by suffix."""
PARTIAL = ".partial"
LOWEST_PRIORITY = 19
_BLOCK = 1 << 16


class ConversionError(Exception):
    """A recording could not be converted; the source is as it was."""


def target_of(path: Path) -> Path | None:
    """What a recording's file is to become; None: it is what it shall be.

    ``x.flac.wav`` is to be ``x.flac``, and ``x.flac.json``, of tracks, ``x.json`` with tracks of that format.
    """
    target = path.with_suffix("")
    if path.suffix not in (".wav", ".json") or target.suffix not in FORMATS:
        return None
    return target if path.suffix == ".wav" else target.with_suffix(".json")


def convert(source: Path, target: Path) -> None:
    """Make ``target`` of ``source``, then remove that. Raises ConversionError.

    Of a recording of tracks (a sidecar) every track is converted to the format that the source's name tells.
    """
    try:
        if source.suffix == ".json":
            _convert_tracks(source, target)
        else:
            _convert(source, target)
    except (OSError, RuntimeError, SidecarError) as error:  # RuntimeError: libsndfile's
        raise ConversionError(str(error)) from error


def _convert_tracks(sidecar: Path, target_sidecar: Path) -> None:
    notes, suffix = load(sidecar), sidecar.with_suffix("").suffix
    for track in notes.tracks:
        source = sidecar.with_name(track.file)
        if source.suffix != suffix and source.exists():
            target = source.with_suffix(suffix)
            _encode(source, target)
            track.file = target.name
            save(notes, sidecar)
            source.unlink()
    sidecar.replace(target_sidecar)


def _convert(source: Path, target: Path) -> None:
    _encode(source, target)
    source.unlink()


def _encode(source: Path, target: Path) -> None:
    import soundfile

    with soundfile.SoundFile(source) as sound:
        if target.exists() and soundfile.info(target).frames == sound.frames:
            return  # killed before it could remove the source
        partial = target.with_name(target.name + PARTIAL)
        try:
            with writing(partial, sound.samplerate, sound.channels, target.suffix) as out:
                while len(block := sound.read(_BLOCK, dtype="int16")):
                    out.write(block)
            if soundfile.info(partial).frames != sound.frames:
                raise ConversionError(f"{target} would not be as long as {source}")
            partial.replace(target)
        except (
            BaseException
        ):  # whatever it was, even an exit: half a file must not stay, and the error goes on
            with contextlib.suppress(OSError):
                partial.unlink()
            raise


def writing(path: Path, rate: int, channels: int, suffix: str) -> soundfile.SoundFile:
    """A sound file to write to, readable by its owner only, in the format of ``suffix``."""
    import soundfile

    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    container, subtype = FORMATS[suffix]
    return soundfile.SoundFile(path, "w", rate, channels, subtype=subtype, format=container)


def main() -> int:
    """Convert what the command line names; the reason of a failure goes to standard error."""
    os.nice(LOWEST_PRIORITY)
    source, target = map(Path, sys.argv[1:3])
    try:
        convert(source, target)
    except ConversionError as error:
        sys.stderr.write(f"{source} is not converted: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
