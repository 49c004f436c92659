"""Import of prompts: any container, one level, the same pitch, and nothing left behind by a bad file."""

from __future__ import annotations

import errno
import hashlib
import os
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
import soundfile
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import prompt, prompt_file
from media.loudness import Samples
from media.prompt import PromptInfo, import_prompt
from media.prompt_file import PromptError, load
from media.wav import header


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 0.25) -> Samples:
    """A sine."""
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def encode(path: Path, sound: Samples, rate: int, codec: str, form: str, *, film: bool = False) -> Path:
    """``sound`` as float32 [channels, samples] in the container that the file's name asks for."""
    layout = "mono" if len(sound) == 1 else "stereo"
    with av.open(path, "w") as container:
        video = container.add_stream("mpeg4", rate=10) if film else None
        audio = cast(AudioStream, container.add_stream(codec, rate=rate, layout=layout, format=form))
        if video is not None:
            film_a_fade(container, video)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        frame_size = audio.codec_context.frame_size or 1024
        converter = av.AudioResampler(form, layout, rate, frame_size=frame_size)
        for piece in [*converter.resample(frame), *converter.resample(None)]:
            container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    return path


def film_a_fade(container: OutputContainer, video: VideoStream) -> None:
    """Half a second of picture."""
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    for number in range(5):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 20, np.uint8), format="rgb24")
        picture.pts, picture.time_base = number, Fraction(1, 10)
        container.mux(video.encode(picture))
    container.mux(video.encode(None))


def pitch(sound: prompt.Pcm) -> float:
    """The strongest frequency of the middle half, in Hz, to 0.1 Hz."""
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    return float(np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 80_000)).argmax()) / 10


def refused(source: Path, folder: Path) -> str:
    """The reason why a source cannot be imported; asserts that nothing is left behind."""
    before = sorted(folder.iterdir())
    with pytest.raises(PromptError) as caught:
        import_prompt(source, folder / "prompt.wav")
    assert sorted(folder.iterdir()) == before
    return caught.value.reason


@pytest.mark.parametrize(
    ("name", "codec", "form", "rate", "film"),
    [
        ("a.wav", "pcm_s16le", "s16", 8000, False),
        ("a.wav", "pcm_u8", "u8", 16000, False),
        ("a.wav", "pcm_s24le", "s32", 44100, False),
        ("a.wav", "pcm_f64le", "dbl", 48000, False),
        ("a.wav", "pcm_mulaw", "s16", 8000, False),
        ("a.mp3", "libmp3lame", "fltp", 44100, False),
        ("a.mp3", "libmp3lame", "fltp", 16000, False),
        ("a.opus", "libopus", "flt", 48000, False),
        ("a.ogg", "libopus", "flt", 48000, False),
        ("a.flac", "flac", "s16", 48000, False),
        ("a.flac", "flac", "s32", 44100, False),
        ("a.mp4", "aac", "fltp", 44100, True),
        ("a.mkv", "libopus", "flt", 48000, True),
        ("a.avi", "libmp3lame", "fltp", 48000, True),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_container_gives_the_same_tone(
    tmp_path: Path, name: str, codec: str, form: str, rate: int, film: bool, channels: int
) -> None:
    """440 Hz stays 440 Hz, two seconds stay two seconds, at the level of prompts."""
    sound = np.tile(tone(440, 2, rate), (channels, 1))
    info = import_prompt(encode(tmp_path / name, sound, rate, codec, form, film=film), tmp_path / "out")
    result = load(tmp_path / "out")
    assert pitch(result) == pytest.approx(440, abs=0.15)
    assert info.seconds == len(result) / 8000 == pytest.approx(2, abs=0.06)
    assert info.level_dbfs == pytest.approx(-20, abs=0.3)
    middle = np.abs(result[4000:12000].astype(np.int32)).max() / 32768
    assert 20 * np.log10(middle) == pytest.approx(-17, abs=0.5)


def test_the_result_is_a_plain_wav_and_described_truly(tmp_path: Path) -> None:
    """8 kHz, mono, 16 bit; hash, length and peak are those of the file."""
    soundfile.write(tmp_path / "in.wav", tone(300, 1.5, 44100), 44100)
    info = import_prompt(tmp_path / "in.wav", tmp_path / "out.wav")
    form = soundfile.info(tmp_path / "out.wav")
    assert (form.format, form.subtype, form.samplerate, form.channels) == ("WAV", "PCM_16", 8000, 1)
    peak = int(np.abs(load(tmp_path / "out.wav").astype(np.int32)).max())
    assert info == PromptInfo(
        seconds=1.5,
        sha256=hashlib.sha256((tmp_path / "out.wav").read_bytes()).hexdigest(),
        peak_dbfs=round(20 * np.log10(peak / 32768), 2),
        level_dbfs=info.level_dbfs,
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.wav"]


def test_no_alias_reaches_the_prompt(tmp_path: Path) -> None:
    """A sweep from 4.3 to 22 kHz is gone by 70 dB at least; one below 3.4 kHz passes flat."""
    rate, seconds = 48000, 4

    def sweep(low: float, high: float) -> Samples:
        time = np.arange(rate * seconds) / rate
        return np.sin(2 * np.pi * (low * time + (high - low) / (2 * seconds) * time**2)).astype(np.float32)

    speech = tone(400, 1, rate, amplitude=0.5)  # fixes the gain that both get
    soundfile.write(tmp_path / "high.wav", np.concatenate((speech, 0.5 * sweep(4300, 22000))), rate)
    soundfile.write(tmp_path / "low.wav", np.concatenate((speech, 0.5 * sweep(100, 3400))), rate)
    for name in ("high", "low"):
        import_prompt(tmp_path / f"{name}.wav", tmp_path / f"{name}.out")
    high, low = (load(tmp_path / f"{name}.out").astype(np.float64) for name in ("high", "low"))
    reference = high[2000:6000].std()
    assert high[8800:-800].std() < reference * 10 ** (-70 / 20)
    steps = low[8800:-800][: 28 * 800].reshape(28, 800).std(axis=1) / low[2000:6000].std()
    assert np.abs(20 * np.log10(steps)).max() < 0.5


def test_quiet_and_loud_sources_come_out_alike(tmp_path: Path) -> None:
    """Speech-like bursts with pauses at -45 dBFS and at -6 dBFS: the same level, pauses not counted."""
    rng = np.random.default_rng(5)
    burst = rng.normal(0, 1, (6, 4000)) * np.array([1, 0, 1, 0, 0, 1])[:, None]
    levels = []
    for name, scale in (("quiet", 0.004), ("loud", 0.3)):
        soundfile.write(tmp_path / f"{name}.wav", (burst.ravel() * scale).clip(-1, 1), 8000)
        info = import_prompt(tmp_path / f"{name}.wav", tmp_path / f"{name}.out")
        levels.append(info.level_dbfs)
        assert info.peak_dbfs <= -3
    assert levels == pytest.approx([-20, -20], abs=0.5)


def test_peaks_are_pulled_under_the_ceiling_over_block_edges_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clicks 25 dB over the speech: at most -3 dBFS, speech not lowered, and the block size is not heard."""
    sound = tone(400, 4, 8000, amplitude=0.05)
    sound[4000::9001] = 0.9
    soundfile.write(tmp_path / "in.wav", sound, 8000, subtype="FLOAT")
    info = import_prompt(tmp_path / "in.wav", tmp_path / "whole.wav")
    assert -3.2 < info.peak_dbfs <= -3
    assert info.level_dbfs == pytest.approx(-20, abs=1)
    monkeypatch.setattr(prompt, "_BLOCK", 800)
    assert import_prompt(tmp_path / "in.wav", tmp_path / "parts.wav") == info
    assert (tmp_path / "parts.wav").read_bytes() == (tmp_path / "whole.wav").read_bytes()


def test_silence_stays_silence(tmp_path: Path) -> None:
    """A pause may be a prompt; nothing comes out of nothing, and a whisper is raised by 30 dB at most."""
    soundfile.write(tmp_path / "in.wav", np.zeros(8000, np.int16), 8000)
    info = import_prompt(tmp_path / "in.wav", tmp_path / "out.wav")
    assert (info.peak_dbfs, info.level_dbfs) == (-100, -100)
    assert not load(tmp_path / "out.wav").any()
    soundfile.write(tmp_path / "in.wav", tone(400, 1, 8000, amplitude=0.001), 8000, subtype="FLOAT")
    assert import_prompt(tmp_path / "in.wav", tmp_path / "out.wav").level_dbfs == pytest.approx(-33, abs=0.5)


def test_a_few_samples_are_a_prompt(tmp_path: Path) -> None:
    """Shorter than the resampler's memory and than a frame: imported, its level unknown."""
    soundfile.write(tmp_path / "in.wav", np.full(60, 0.2), 48000)
    info = import_prompt(tmp_path / "in.wav", tmp_path / "out.wav")
    assert info.seconds == 10 / 8000
    assert info.level_dbfs == -100


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    """NaN and infinity in a floating-point file become silence and a bounded peak."""
    sound = tone(400, 1, 8000)
    sound[100:110], sound[200], sound[300] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "in.wav", sound, 8000, subtype="FLOAT")
    assert import_prompt(tmp_path / "in.wav", tmp_path / "out.wav").peak_dbfs <= -3


def test_a_stream_that_changes_its_rate_on_the_way(tmp_path: Path) -> None:
    """Two MP3 files one behind the other, 16 then 48 kHz: both parts keep their pitch."""
    parts = [
        encode(tmp_path / "part.mp3", tone(440, 2, rate)[None], rate, "libmp3lame", "fltp").read_bytes()
        for rate in (16000, 48000)
    ]
    (tmp_path / "in.mp3").write_bytes(b"".join(parts))
    info = import_prompt(tmp_path / "in.mp3", tmp_path / "out.wav")
    sound = load(tmp_path / "out.wav")
    assert info.seconds == pytest.approx(4, abs=0.3)
    assert pitch(sound[: len(sound) // 2 - 1600]) == pytest.approx(440, abs=0.2)
    assert pitch(sound[len(sound) // 2 + 1600 :]) == pytest.approx(440, abs=0.2)


def test_a_film_that_is_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    """Half an mp3 is half the prompt."""
    whole = encode(tmp_path / "in.mp3", tone(440, 4, 44100)[None], 44100, "libmp3lame", "fltp").read_bytes()
    (tmp_path / "half.mp3").write_bytes(whole[: len(whole) // 2])
    assert import_prompt(tmp_path / "half.mp3", tmp_path / "out.wav").seconds == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, this is no sound at all",
        b"\0" * 10_000,
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"OggS" + b"\xff" * 200,
        b"fLaC" + b"\0" * 50,
        b"\xff\xfb\x90\x00" * 3,
        header(1000, 1, 1) + b"\1" * 1000,
    ],
)
def test_junk_is_unreadable(tmp_path: Path, content: bytes) -> None:
    """No exception of a library comes out, no file stays."""
    (tmp_path / "in.wav").write_bytes(content)
    assert refused(tmp_path / "in.wav", tmp_path) in {"unreadable", "no_audio", "empty"}


def test_no_such_source(tmp_path: Path) -> None:
    """A missing file, a folder, a name with a NUL."""
    for source in ("gone.wav", ".", "nul\0"):
        assert refused(tmp_path / source, tmp_path) == "unreadable"


def test_a_file_without_a_sample_is_empty(tmp_path: Path) -> None:
    """A header alone."""
    (tmp_path / "in.wav").write_bytes(header(0, 8000, 1))
    assert refused(tmp_path / "in.wav", tmp_path) == "empty"


def test_a_picture_has_no_audio(tmp_path: Path) -> None:
    """Readable, but nothing to hear."""
    with av.open(tmp_path / "in.mp4", "w") as container:
        film_a_fade(container, container.add_stream("mpeg4", rate=10))
    assert refused(tmp_path / "in.mp4", tmp_path) == "no_audio"


def test_the_length_limit_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit it passes, one sample more is too long, in import and in load."""
    soundfile.write(tmp_path / "at.wav", np.ones(16000, np.int16), 8000)
    soundfile.write(tmp_path / "over.wav", np.ones(16001, np.int16), 8000)
    for module in (prompt, prompt_file):
        monkeypatch.setattr(module, "MAX_SECONDS", 2)
    assert import_prompt(tmp_path / "at.wav", tmp_path / "out.wav").seconds == 2
    assert refused(tmp_path / "over.wav", tmp_path) == "too_long"
    assert len(load(tmp_path / "at.wav")) == 16000
    with pytest.raises(PromptError, match=r"^too_long"):
        load(tmp_path / "over.wav")


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {secret}\n",
        (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 45004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        ),
    ],
    ids=["hls", "concat", "sdp"],
)
def test_a_source_cannot_make_us_open_anything_else(tmp_path: Path, content: str) -> None:
    """Playlists and session descriptions are refused at once, whatever the file is called."""
    secret = encode(tmp_path / "secret.ts", tone(440, 2, 48000)[None], 48000, "mp2", "s16")
    for name in ("in.m3u8", "in.ffconcat", "in.sdp", "in.wav"):
        (tmp_path / name).write_text(content.format(secret=secret))
        assert refused(tmp_path / name, tmp_path) == "unreadable"


def test_the_old_prompt_stays_when_the_new_one_is_bad(tmp_path: Path) -> None:
    """Import is all or nothing; a good one then replaces it, and a prompt may be imported onto itself."""
    (tmp_path / "prompt.wav").write_bytes(b"old")
    (tmp_path / "bad.wav").write_bytes(b"junk")
    assert refused(tmp_path / "bad.wav", tmp_path) == "unreadable"
    assert (tmp_path / "prompt.wav").read_bytes() == b"old"
    soundfile.write(tmp_path / "good.wav", tone(440, 1, 8000), 8000)
    info = import_prompt(tmp_path / "good.wav", tmp_path / "prompt.wav")
    assert import_prompt(tmp_path / "prompt.wav", tmp_path / "prompt.wav").seconds == info.seconds == 1


def test_a_destination_that_cannot_be_written(tmp_path: Path) -> None:
    """No such folder; a folder in its place."""
    soundfile.write(tmp_path / "in.wav", tone(440, 1, 8000), 8000)
    with pytest.raises(PromptError, match=r"^unwritable"):
        import_prompt(tmp_path / "in.wav", tmp_path / "missing" / "out.wav")
    (tmp_path / "prompt.wav").mkdir()
    assert refused(tmp_path / "in.wav", tmp_path) == "unwritable"


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full at the last moment, after all was written."""
    soundfile.write(tmp_path / "in.wav", tone(440, 1, 8000), 8000)

    def fsync(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("media.prompt.os.fsync", fsync)
    assert refused(tmp_path / "in.wav", tmp_path) == "disk_full"


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"), [(16000, 1, "PCM_16"), (8000, 2, "PCM_16"), (8000, 1, "PCM_24")]
)
def test_load_wants_what_import_makes(tmp_path: Path, rate: int, channels: int, subtype: str) -> None:
    """Another rate, more channels, other samples: not an imported prompt."""
    soundfile.write(tmp_path / "in.wav", np.zeros((100, channels)), rate, subtype=subtype)
    with pytest.raises(PromptError, match=r"^not_imported"):
        load(tmp_path / "in.wav")


@pytest.mark.parametrize("content", [None, b"", b"junk" * 100])
def test_load_of_what_is_no_sound(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty and foreign files are typed."""
    if content is not None:
        (tmp_path / "in.wav").write_bytes(content)
    with pytest.raises(PromptError, match=r"^unreadable"):
        load(tmp_path / "in.wav")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One good file of each kind, short."""
    folder = tmp_path_factory.mktemp("originals")
    kinds = [
        ("a.wav", "pcm_s16le", "s16", 8000),
        ("a.mp3", "libmp3lame", "fltp", 16000),
        ("a.ogg", "libopus", "flt", 48000),
        ("a.flac", "flac", "s16", 8000),
        ("a.mp4", "aac", "fltp", 16000),
        ("a.mkv", "libopus", "flt", 48000),
    ]
    return [
        encode(folder / name, tone(440, 0.3, rate)[None], rate, codec, form).read_bytes()
        for name, codec, form, rate in kinds
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_import_or_raise_the_typed_error(
    tmp_path: Path, originals: list[bytes], data: st.DataObject
) -> None:
    """Cut, overwritten and lengthened files of every kind: a prompt or a PromptError, never a leftover."""
    content = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(0, 8))):
        place = data.draw(st.integers(0, min(len(content) - 1, 400)))
        content[place : place + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    (tmp_path / "in").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    (tmp_path / "prompt.wav").unlink(missing_ok=True)
    try:
        info = import_prompt(tmp_path / "in", tmp_path / "prompt.wav")
    except PromptError:
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
    else:
        assert info.seconds == len(load(tmp_path / "prompt.wav")) / 8000
