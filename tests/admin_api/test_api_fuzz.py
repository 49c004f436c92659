"""A short run of requests made up from the API's description; ``bench/api_fuzz.py`` is the long one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.api_fuzz import command
from tests.admin_api.paper_noun import PaperThings
from tests.admin_api.served import PASSWORD, USER, Served


@pytest.mark.slow
def test_no_answer_is_undeclared(tmp_path: Path) -> None:
    """Of every route: no 500, no status, type or body that its description does not have."""
    served = Served(tmp_path, "http.source_rate=0", extra=lambda store: [PaperThings()])
    try:
        options = ("--max-examples=3", "--max-time=20", "--seed=1", "--no-shrink")
        done = subprocess.run(
            command(f"http://127.0.0.1:{served.port}", USER, PASSWORD, *options),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    finally:
        served.close()
    assert done.returncode == 0, done.stdout[-8000:]
