"""The data directory: private, and used by one engine at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.engine_client import tell_to_reload
from engine.data_directory import DataDirectory, DataDirectoryError


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """Every folder has mode 0700."""
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    for folder in (directory.root, directory.tls, directory.prompts, directory.recordings):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_the_way_is_said_in_one_line(tmp_path: Path) -> None:
    """What cannot be a directory is refused with its path."""
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirectoryError, match="data"):
        DataDirectory(tmp_path / "data").prepare()


def living(directory: DataDirectory) -> subprocess.Popen[str]:
    """Another process that has claimed the directory, and says so."""
    script = (
        "import sys, pathlib\nfrom engine.data_directory import DataDirectory\n"
        "DataDirectory(pathlib.Path(sys.argv[1])).claim()\nprint('claimed', flush=True)\nsys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(directory.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    return process


def test_a_second_engine_is_refused(tmp_path: Path) -> None:
    """A living one, by its process id; killed, it is in nobody's way, whatever its file still says."""
    directory = DataDirectory(tmp_path)
    with living(directory) as other:
        assert directory.running_pid() == other.pid
        with pytest.raises(DataDirectoryError, match=f"process id {other.pid} is running"):
            directory.claim()
        other.kill()
        other.wait()
    assert directory.pid_file.read_text() == f"{other.pid}\n"
    assert directory.running_pid() is None
    directory.claim()
    assert directory.pid_file.read_text() == f"{os.getpid()}\n"
    assert directory.running_pid() is None
    directory.release()
    directory.release()
    assert not directory.pid_file.exists()


def test_a_number_that_was_given_to_somebody_else(tmp_path: Path) -> None:
    """After a crash and a reboot the id in the file may be any process's: it must not be sent a signal."""
    directory = DataDirectory(tmp_path)
    directory.pid_file.write_text(f"{os.getppid()}\n")
    assert directory.running_pid() is None
    assert not tell_to_reload(directory)
    directory.claim()
    directory.release()


def test_a_file_removed_under_our_hands_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other engine ended between our opening its file and our locking it."""
    directory = DataDirectory(tmp_path)
    lock = DataDirectory._lock

    def unlucky(self: DataDirectory) -> int | None:
        held = lock(self)
        monkeypatch.setattr(DataDirectory, "_lock", lock)
        self.pid_file.unlink()
        return held

    monkeypatch.setattr(DataDirectory, "_lock", unlucky)
    directory.claim()
    assert directory.pid_file.read_text() == f"{os.getpid()}\n"
    directory.release()
