"""A short run of requests made up from the API's description; ``bench/api_fuzz.py`` is the long one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench.api_fuzz import command
from tests.admin_api.paper_noun import PaperThings
from tests.admin_api.served import USER, Served


@pytest.mark.slow
def test_no_answer_is_undeclared(tmp_path: Path) -> None:
    """Of every route: no 500, no status, type or body that its description does not have."""
    served = Served(tmp_path, "http.source_rate=0", "http.token_rate=0", extra=lambda store: [PaperThings()])
    try:
        wanted = json.dumps({"name": "fuzzer", "scopes": ["*:write"]}).encode()
        kind = {"Content-Type": "application/json"}
        token = served.ask("/api/v1/api-tokens", method="POST", user=USER, body=wanted, **kind).json["token"]
        options = ("--max-examples=3", "--max-time=20", "--seed=1", "--no-shrink")
        done = subprocess.run(
            command(f"http://127.0.0.1:{served.port}", token, *options),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    finally:
        served.close()
    assert done.returncode == 0, done.stdout[-8000:]
