"""What the kernel says of an engine's processes: their memory, their files, how long they waited for a core."""

from __future__ import annotations

import re
from pathlib import Path

_RESIDENT = re.compile(r"VmRSS:\s+(\d+)")
_STALLED = re.compile(r"some .*total=(\d+)")


def family(root: int) -> list[int]:
    """A process and its living children, and theirs."""
    found = [root]
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue  # it ended while we looked
    return found


def resident_mb(pid: int) -> float:
    """Memory of one process in MiB; 0 when it is gone."""
    try:
        found = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return 0.0 if found is None else int(found[1]) / 1024


def open_files(pid: int) -> tuple[int, int]:
    """How many descriptors a process has open, and how many of them are sockets."""
    files = sockets = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets += str(entry.readlink()).startswith("socket:")
        except OSError:
            continue  # closed while we looked
        files += 1
    return files, sockets


def waited_seconds(pid: int) -> float:
    """How long the threads of a process were ready to run and had no core; 0 where the kernel does not say."""
    waited = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            waited += int((task / "schedstat").read_text().split()[1])
    except OSError:
        return 0.0
    return waited / 1e9


def machine_stalled_seconds() -> float:
    """How long somebody on this machine waited for a core, since it was started; 0 where the kernel does not say."""
    try:
        found = _STALLED.search(Path("/proc/pressure/cpu").read_text())
    except OSError:
        return 0.0
    return 0.0 if found is None else int(found[1]) / 1e6
