"""Shares of ports: no two processes have the same."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

from tests.port_share import PortShare, port_share

ROOT = Path(__file__).resolve().parents[1]


def ports(share: PortShare) -> set[int]:
    return {port for each in share for port in each}


def test_two_processes_have_nothing_in_common() -> None:
    """Nor have the parts of one share; all lie below the system's range for outgoing sockets."""
    mine = port_share()
    code = "from tests.port_share import port_share; print(port_share().engines[0], port_share().sound[-1])"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, last = map(int, told.stdout.split())
    assert not ports(mine) & set(range(first, last + 1))
    assert all(not set(one) & set(other) for one, other in combinations(mine, 2))
    assert max(*ports(mine), last) < 32768
    assert port_share() is mine
