"""One recording: a whole WAV at every second, on a full disk, after kill -9."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from media.codecs.g711 import Pcm
from media.wav import RecordingError, WavRecorder, header, repair

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(11)


def noise(samples: int) -> Pcm:
    """Different samples each time, so that a lost or doubled block shows."""
    return RNG.integers(-20000, 20000, samples).astype(np.int16)


def recorder(path: Path, **settings: int) -> WavRecorder:
    """A recorder that does not look at how full the disk of the test machine is."""
    return WavRecorder(path, **{"reserve_bytes": 0, **settings})


def read(path: Path) -> Pcm:
    """The file as another reader sees it."""
    sound: Pcm = soundfile.read(path, dtype="int16")[0]
    return sound


def append_until_refused(file: WavRecorder, sound: Pcm, reason: str) -> None:
    """Block after block, until one is refused for that reason."""
    with pytest.raises(RecordingError, match=f"^{reason}: "):  # noqa: PT012
        for block in np.split(sound, len(sound) // 160):
            file.append(block)


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Disk:
    """Stands in for ``os.pwrite``: takes so many bytes of samples, then fails."""

    def __init__(self, room: int, error: int = errno.ENOSPC) -> None:
        self.room = room
        self.error = error
        self.real = os.pwrite

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        if offset == 0:  # sizes are rewritten in place, which a full disk allows
            return self.real(fd, data, offset)
        if self.room == 0:
            raise OSError(self.error, os.strerror(self.error))
        took = self.real(fd, data[: self.room], offset)
        self.room -= took
        return took


def test_what_was_appended_is_what_another_reader_finds(tmp_path: Path) -> None:
    """Blocks of 20 ms, three seconds and a bit, rate and channels in the header."""
    path = tmp_path / "call.wav"
    sound = noise(8000 * 3 + 160)
    file = recorder(path)
    for block in np.split(sound, len(sound) // 160):
        file.append(block)
    assert file.close() == len(sound)
    assert file.samples == len(sound)
    assert np.array_equal(read(path), sound)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (8000, 1, "PCM_16")


def test_two_channels_are_interleaved(tmp_path: Path) -> None:
    """[samples, channels] in, both channels out, samples counted once."""
    path = tmp_path / "call.wav"
    sound = noise(3200).reshape(1600, 2)
    file = recorder(path, rate=16000, channels=2)
    file.append(sound)
    assert file.close() == 1600
    assert np.array_equal(read(path), sound)
    assert soundfile.info(path).samplerate == 16000


def test_the_file_is_whole_at_every_second_without_being_closed(tmp_path: Path) -> None:
    """At each block the file lacks less than a second of what was appended."""
    path = tmp_path / "call.wav"
    sound = noise(8000 * 4)
    file = recorder(path)
    for number, block in enumerate(np.split(sound, 200), start=1):
        file.append(block)
        on_disk = read(path)
        assert number * 160 - len(on_disk) < 8000
        assert np.array_equal(on_disk, sound[: len(on_disk)])
    file.close()


def test_an_empty_recording_is_a_valid_file(tmp_path: Path) -> None:
    """Nothing appended: a header and no samples; closing twice is harmless, appending after it too."""
    path = tmp_path / "call.wav"
    file = recorder(path)
    assert (file.close(), file.close()) == (0, 0)
    file.append(noise(160))
    file.flush()
    assert path.stat().st_size == 44
    assert len(read(path)) == 0


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """The same name twice: the second is refused and the first keeps its content."""
    path = tmp_path / "call.wav"
    path.write_bytes(b"precious")
    with pytest.raises(RecordingError) as caught:
        recorder(path)
    assert caught.value.reason == "exists"
    assert path.read_bytes() == b"precious"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nobody can make us write elsewhere by putting a link where the file goes."""
    (tmp_path / "call.wav").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordingError) as caught:
        recorder(tmp_path / "call.wav")
    assert caught.value.reason == "exists"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["missing/call.wav", "nul\0.wav", "x" * 300])
def test_a_path_that_cannot_be_made_is_typed(tmp_path: Path, name: str) -> None:
    """No folder, no such name."""
    with pytest.raises(RecordingError) as caught:
        recorder(tmp_path / name)
    assert caught.value.reason == "unwritable"
    assert str(caught.value).startswith("unwritable: ")


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Recordings are private."""
    recorder(tmp_path / "call.wav").close()
    assert (tmp_path / "call.wav").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("room", [0, 1, 16001, 40000])
def test_a_full_disk_ends_the_recording_with_what_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """The error is typed, the file whole and closed, and what comes later is ignored."""
    path = tmp_path / "call.wav"
    sound = noise(8000 * 3)
    file = recorder(path)
    monkeypatch.setattr("media.wav.os.pwrite", Disk(room).pwrite)
    append_until_refused(file, sound, "disk_full")
    file.append(sound)
    assert file.close() == room // 2
    assert np.array_equal(read(path), sound[: room // 2])
    assert path.stat().st_size == 44 + room // 2 * 2


def test_a_broken_disk_is_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EIO while writing."""
    file = recorder(tmp_path / "call.wav")
    monkeypatch.setattr("media.wav.os.pwrite", Disk(0, errno.EIO).pwrite)
    file.append(noise(100))
    with pytest.raises(RecordingError) as caught:
        file.close()
    assert caught.value.reason == "unwritable"
    assert file.close() == 0


@pytest.mark.parametrize("taken", [0, 10])
def test_no_room_for_the_header_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """A disk that is full from the start, or takes half the header."""

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if taken:
            return taken
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("media.wav.os.pwrite", pwrite)
    with pytest.raises(RecordingError) as caught:
        recorder(tmp_path / "call.wav")
    assert caught.value.reason == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_some_of_the_disk_is_left_for_the_store(tmp_path: Path) -> None:
    """Less free than the reserve counts as full."""
    file = recorder(tmp_path / "call.wav", reserve_bytes=1 << 62)
    file.append(noise(160))
    with pytest.raises(RecordingError) as caught:
        file.close()
    assert caught.value.reason == "disk_full"


def test_the_length_limit_is_exact(tmp_path: Path) -> None:
    """Two seconds are allowed: two seconds pass, one sample more ends it, with two seconds kept."""
    allowed = recorder(tmp_path / "allowed.wav", max_seconds=2)
    allowed.append(noise(16000))
    assert allowed.close() == 16000
    longer = recorder(tmp_path / "longer.wav", max_seconds=2)
    with pytest.raises(RecordingError) as caught:
        longer.append(noise(16001))
    assert caught.value.reason == "too_long"
    assert longer.close() == 16000
    assert len(read(tmp_path / "longer.wav")) == 16000


def test_no_descriptor_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed, failed, refused and abandoned recordings give theirs back."""
    before = descriptors()
    recorder(tmp_path / "1.wav").close()
    with pytest.raises(RecordingError):
        recorder(tmp_path / "1.wav")
    recorder(tmp_path / "2.wav").abandon()
    failing = recorder(tmp_path / "3.wav")
    monkeypatch.setattr("media.wav.os.pwrite", Disk(0).pwrite)
    with pytest.raises(RecordingError):
        failing.append(noise(8000))
    assert descriptors() == before


CHILD = """
import sys
import numpy as np
from media.wav import WavRecorder
file = WavRecorder(sys.argv[1], reserve_bytes=0)
sound = np.arange(3 * 8000 + 4000, dtype=np.int32).astype(np.int16)
for block in np.split(sound, len(sound) // 160):
    file.append(block)
print("three and a half seconds", flush=True)
sys.stdin.read()
"""


def test_kill_9_costs_less_than_a_second(tmp_path: Path) -> None:
    """A real process is killed in the middle of a recording; its file plays without any repair."""
    path = tmp_path / "call.wav"
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"three and a half seconds\n"
        child.send_signal(signal.SIGKILL)
    sound = read(path)
    assert len(sound) == 3 * 8000
    assert np.array_equal(sound, np.arange(3 * 8000).astype(np.int16))


LIMITED = """
import resource, sys
import numpy as np
from media.codecs.g711 import Pcm
from media.wav import RecordingError, WavRecorder
resource.setrlimit(resource.RLIMIT_FSIZE, (20_001, 20_001))
file = WavRecorder(sys.argv[1], reserve_bytes=0)
try:
    file.append(np.ones(16000, np.int16))
except RecordingError as error:
    print(error.reason, file.samples)
"""


def test_the_kernel_refusing_to_grow_the_file_is_a_full_disk(tmp_path: Path) -> None:
    """A real limit of the system, met in the middle of a sample."""
    path = tmp_path / "call.wav"
    answer = subprocess.check_output([sys.executable, "-c", LIMITED, str(path)], cwd=ROOT, text=True)
    assert answer.split() == ["disk_full", str((20_001 - 44) // 2)]
    assert len(read(path)) == (20_001 - 44) // 2
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_001


def damaged(path: Path, claimed: int, data: bytes) -> Path:
    """A file of ours whose header claims something else than what follows."""
    path.write_bytes(header(claimed, 8000, 1) + data)
    return path


def test_repair_takes_in_what_the_header_does_not_know(tmp_path: Path) -> None:
    """Killed between the samples and the sizes."""
    sound = noise(5000)
    path = damaged(tmp_path / "call.wav", 4000, sound.tobytes())
    assert repair(path) == 5000
    assert np.array_equal(read(path), sound)


def test_repair_cuts_a_half_sample_and_sizes_that_promise_too_much(tmp_path: Path) -> None:
    """A power cut may leave fewer bytes than the sizes say, and an odd number of them."""
    sound = noise(500)
    path = damaged(tmp_path / "call.wav", 8000, sound.tobytes() + b"\x01")
    assert repair(path) == 500
    assert path.stat().st_size == 44 + 1000
    assert np.array_equal(read(path), sound)


def test_repair_leaves_a_whole_file_alone(tmp_path: Path) -> None:
    """Not even its time of change moves."""
    file = recorder(tmp_path / "call.wav")
    file.append(noise(8000))
    file.close()
    os.utime(tmp_path / "call.wav", ns=(1, 1))
    assert repair(tmp_path / "call.wav") == 8000
    assert (tmp_path / "call.wav").stat().st_mtime_ns == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"\0" * 100,
        header(10, 8000, 1)[:43],
        header(10, 8000, 0) + b"x" * 10,
        header(10, 0, 1) + b"x" * 10,
        header(10, 8000, 9) + b"x" * 10,
        header(10, 8000, 1).replace(b"data", b"LIST") + b"x" * 10,
        b"\xff" * 100,
    ],
)
def test_repair_touches_no_file_of_others(tmp_path: Path, content: bytes) -> None:
    """Anything but our own header is refused and left as it was."""
    path = tmp_path / "other.wav"
    path.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        repair(path)
    assert caught.value.reason == "not_ours"
    assert path.read_bytes() == content


def test_repair_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Typed as well."""
    with pytest.raises(RecordingError) as caught:
        repair(tmp_path / "gone.wav")
    assert caught.value.reason == "unwritable"
