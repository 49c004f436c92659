"""The memory in which one worker of a room lets the others hear what its legs say."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from media.room_memory import FRAMES, MOST_SAMPLES, NoMemory, RoomMemory

TOKEN = 0x1234567890ABCDEF


def test_what_is_written_is_read_by_another() -> None:
    """Under the number of its tick and its rate, and under no other."""
    own = RoomMemory.create(TOKEN)
    other = RoomMemory.attach(os.getpid(), own.fd, TOKEN)
    own.best_rate = 48000
    own.write(7, 8000, np.arange(160, dtype=np.float32))
    assert other.best_rate == 48000
    frame = other.read(7, 8000)
    assert frame is not None
    assert frame.tolist() == list(range(160))
    assert other.read(7, 16000) is None
    assert other.read(6, 8000) is None
    own.write(7 + FRAMES, 48000, np.ones(MOST_SAMPLES, np.float32))
    assert other.read(7, 8000) is None
    own.close()
    assert other.best_rate == 0


def test_nothing_is_heard_before_it_is_said() -> None:
    """Of no tick, the first one included."""
    own = RoomMemory.create(TOKEN)
    assert [own.read(number, 8000) for number in range(-1, FRAMES)] == [None] * (FRAMES + 1)
    own.close()


def test_only_the_memory_that_was_meant_is_opened() -> None:
    """Not one of another token, not any other file, not one that could shrink beneath us, not one that is gone."""
    own = RoomMemory.create(TOKEN)
    with pytest.raises(NoMemory, match="another room"):
        RoomMemory.attach(os.getpid(), own.fd, TOKEN + 1)
    unsealed = os.memfd_create("unsealed", os.MFD_ALLOW_SEALING)
    os.ftruncate(unsealed, os.fstat(own.fd).st_size)
    with pytest.raises(NoMemory, match="another size"):
        RoomMemory.attach(os.getpid(), unsealed, TOKEN)
    os.close(unsealed)
    nothing = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(NoMemory):
        RoomMemory.attach(os.getpid(), nothing, TOKEN)
    os.close(nothing)
    fd = own.fd
    own.close()
    with pytest.raises(NoMemory):
        RoomMemory.attach(os.getpid(), fd, TOKEN)


def test_it_is_written_by_one_process_and_read_by_others() -> None:
    """Another process reads it, cannot write it, and keeps what is there when its maker is gone."""
    maker = (
        "import sys, numpy as np; from media.room_memory import RoomMemory;"
        f"own = RoomMemory.create({TOKEN}); own.write(1, 8000, np.full(160, 5, np.float32));"
        "print(own.fd, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", maker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        other = RoomMemory.attach(process.pid, int(process.stdout.readline()), TOKEN)
        process.kill()
    frame = other.read(1, 8000)
    assert frame is not None
    assert frame.tolist() == [5.0] * 160
    with pytest.raises(ValueError, match="read-only"):
        frame[0] = 1
