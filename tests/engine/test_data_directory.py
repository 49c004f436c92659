"""The data directory: private, and used by one engine at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

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


def test_a_second_engine_is_refused(tmp_path: Path) -> None:
    """A living process in the file refuses us; a dead one does not."""
    directory = DataDirectory(tmp_path)
    directory.pid_file.write_text(f"{os.getppid()}\n")
    with pytest.raises(DataDirectoryError, match=str(os.getppid())):
        directory.claim()
    directory.pid_file.write_text("999999999\n")
    directory.claim()
    assert directory.pid_file.read_text() == f"{os.getpid()}\n"
    directory.release()
    assert not directory.pid_file.exists()
