"""FLAC and Ogg of finished recordings, and exports: nothing lost, nothing half done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from media.codecs.g711 import Pcm, ulaw_decode
from media.recording.conversion import PARTIAL, ConversionError, convert, target_of
from media.recording.export import export
from media.recording.sidecar import Notes, Track, load, save
from media.wav import Coding, WavRecorder

ROOT = Path(__file__).parents[3]


def tone(seconds: float, rate: int = 8000, hertz: float = 440) -> Pcm:
    wave = 8000 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    return np.rint(wave).astype(np.int16)


def recorded(path: Path, sound: Pcm, rate: int = 8000) -> Path:
    file = WavRecorder(path, rate, 1 if sound.ndim == 1 else sound.shape[1], reserve_bytes=0)
    file.append(sound)
    file.close()
    return path


def read(path: Path) -> Pcm:
    sound: Pcm = soundfile.read(path, dtype="int16")[0]
    return sound


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a.flac.wav", "a.flac"),
        ("a.ogg.wav", "a.ogg"),
        ("a.wav", None),
        ("a.mp3.wav", None),
        ("a.json", None),
        ("a.ogg.json", "a.json"),
    ],
)
def test_the_name_tells_what_is_to_be_done(name: str, target: str | None) -> None:
    assert target_of(Path("/r") / name) == (None if target is None else Path("/r") / target)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_flac_has_every_sample(tmp_path: Path, rate: int) -> None:
    """Both channels, at every rate; the WAV is gone, and only the owner may read."""
    sound = np.random.default_rng(1).integers(-32768, 32767, (3 * rate + 7, 2)).astype(np.int16)
    source = recorded(tmp_path / "a.flac.wav", sound, rate)
    convert(source, tmp_path / "a.flac")
    assert np.array_equal(read(tmp_path / "a.flac"), sound)
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]
    assert (tmp_path / "a.flac").stat().st_mode & 0o777 == 0o600


def test_flac_of_g711(tmp_path: Path) -> None:
    """What the octets stand for."""
    octets = np.random.default_rng(1).integers(0, 256, 12000).astype(np.uint8)
    file = WavRecorder(tmp_path / "a.flac.wav", coding=Coding.ULAW, reserve_bytes=0)
    file.append_bytes(octets.tobytes())
    file.close()
    convert(tmp_path / "a.flac.wav", tmp_path / "a.flac")
    assert np.array_equal(read(tmp_path / "a.flac"), ulaw_decode(octets))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_ogg_is_as_long_and_not_shifted(tmp_path: Path, rate: int) -> None:
    """Opus loses something, but neither samples of the timeline nor the level."""
    sound = np.concatenate([np.zeros(rate, np.int16), tone(2, rate), np.zeros(rate // 3, np.int16)])
    convert(recorded(tmp_path / "a.ogg.wav", sound, rate), tmp_path / "a.ogg")
    found = read(tmp_path / "a.ogg").astype(np.float64)
    assert len(found) == len(sound)
    error = found[rate:-rate] - sound[rate:-rate]
    assert np.sqrt(np.mean(error**2)) < 0.1 * 8000
    assert np.abs(found[: rate * 9 // 10]).max() < 300


def test_what_is_no_recording_stays(tmp_path: Path) -> None:
    """The source is as it was, and nothing half done lies about."""
    (tmp_path / "a.flac.wav").write_bytes(b"RIFF nonsense")
    with pytest.raises(ConversionError):
        convert(tmp_path / "a.flac.wav", tmp_path / "a.flac")
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac.wav"]


def test_a_conversion_that_was_killed_is_taken_up(tmp_path: Path) -> None:
    """Before the target was whole, and between that and the source's removal."""
    sound = tone(1)
    source = recorded(tmp_path / "a.flac.wav", sound)
    (tmp_path / f"a.flac{PARTIAL}").write_bytes(b"half of it")
    convert(source, tmp_path / "a.flac")
    recorded(source, sound)
    whole = (tmp_path / "a.flac").stat().st_mtime_ns
    convert(source, tmp_path / "a.flac")
    assert (tmp_path / "a.flac").stat().st_mtime_ns == whole
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from pathlib import Path
from media.recording.conversion import ConversionError, convert
try:
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
except ConversionError:
    print("refused")
"""


def test_a_full_disk_keeps_the_wav(tmp_path: Path) -> None:
    """There is room for the recording, not for it again."""
    noise = np.random.default_rng(1).integers(-32768, 32767, 80_000).astype(np.int16)
    source, target = recorded(tmp_path / "a.flac.wav", noise), tmp_path / "a.flac"
    command = [sys.executable, "-c", LIMITED, str(source), str(target)]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == "refused\n"
    assert np.array_equal(read(source), noise)
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac.wav"]


def test_the_process(tmp_path: Path) -> None:
    """Its exit status tells; the reason is on standard error."""
    source = recorded(tmp_path / "a.flac.wav", tone(1))
    command = [sys.executable, "-m", "media.recording.conversion", str(source), str(tmp_path / "a.flac")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    again = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "a.flac.wav is not converted" in again.stderr


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    """Three talkers: from the beginning, later at another rate, and one who left early."""
    sounds = [(tone(2.0), 8000, 0), (tone(1.0, 16000, 600), 16000, 500), (tone(0.5, 8000, 900), 8000, 1240)]
    notes = Notes(kind="tracks", began=1.0)
    for number, (sound, rate, offset_ms) in enumerate(sounds, 1):
        path = recorded(tmp_path / f"a.track-{number}.wav", sound, rate)
        ms = len(sound) * 1000 // rate
        notes.tracks.append(Track(file=path.name, label=str(number), offset_ms=offset_ms, rate=rate, ms=ms))
    save(notes, tmp_path / "a.json")
    return tmp_path / "a.json"


def test_tracks_are_aligned(sidecar: Path, tmp_path: Path) -> None:
    """A channel each, at the highest rate, every sample of the 16 kHz talker where its offset says."""
    (path,) = export(sidecar, tmp_path / "out.wav", "channels")
    sound = read(path)
    assert sound.shape == (32000, 3)
    assert np.array_equal(sound[8000:24000, 1], tone(1.0, 16000, 600))
    assert not sound[:8000, 1].any()
    assert not sound[24000:, 1].any()
    assert not sound[: 1240 * 16 - 200, 2].any()
    third = sound[1240 * 16 : 1740 * 16, 2].astype(np.float64)
    expected = tone(0.5, 16000, 900).astype(np.float64)
    shifts = [float(np.dot(np.roll(third, -shift)[500:7000], expected[500:7000])) for shift in range(-4, 5)]
    assert abs(int(np.argmax(shifts)) - 4) <= 1, "not within a sample"


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_mix_is_the_sum(sidecar: Path, tmp_path: Path, suffix: str) -> None:
    separate = export(sidecar, tmp_path / "each.wav", "tracks")
    assert [path.name for path in separate] == ["each-1.wav", "each-2.wav", "each-3.wav"]
    (mixed,) = export(sidecar, tmp_path / f"mix{suffix}")
    total = np.sum([read(path).astype(np.int32) for path in separate], axis=0)
    assert np.array_equal(read(mixed), np.clip(total, -32768, 32767))


def test_tracks_are_converted_one_by_one(sidecar: Path, tmp_path: Path) -> None:
    """The sidecar names the new files; a run that was killed is taken up."""
    source = sidecar.rename(tmp_path / "a.flac.json")
    convert(source, sidecar)
    sidecar.rename(source)
    convert(source, sidecar)
    notes = load(sidecar)
    assert [track.file for track in notes.tracks] == [f"a.track-{number}.flac" for number in (1, 2, 3)]
    assert np.array_equal(read(tmp_path / "a.track-1.flac"), tone(2.0))
    assert not list(tmp_path.glob("*.wav"))


def test_one_file_in_another_format(tmp_path: Path) -> None:
    """The source stays; a file that is there is not written over, an unknown format refused."""
    source = recorded(tmp_path / "a.wav", tone(1))
    assert export(source, tmp_path / "b.flac") == [tmp_path / "b.flac"]
    assert np.array_equal(read(tmp_path / "b.flac"), tone(1))
    assert np.array_equal(read(source), tone(1))
    for target in ("b.flac", "b.mp3"):
        with pytest.raises(ConversionError):
            export(source, tmp_path / target)
    save(Notes(kind="tracks", began=1.0), tmp_path / "none.json")
    with pytest.raises(ConversionError):
        export(tmp_path / "none.json", tmp_path / "c.wav")
    with pytest.raises(ConversionError):
        export(tmp_path / "gone.json", tmp_path / "c.wav")
