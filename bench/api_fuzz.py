"""Requests made up from the API's own description: ``python -m bench.api_fuzz [SECONDS] [URL TOKEN]``.

For ten minutes, unless told otherwise, schemathesis asks every route what its description allows and what it does not:
no answer may be a 500, undeclared or unlike its description, or take more than a second. Without a URL an engine is
started for it. It asks with an API token: it tries wrong passwords, too, and whoever does that is not heard for a
while. The status is that of schemathesis: 0 when nothing was found.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine.bench.engine_under_test import running_engine

SECONDS = 600
MOST_SECONDS_OF_AN_ANSWER = 1.0
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
ENDLESS = "/events$"
"""Streams, whose answers do not end."""


def command(url: str, token: str, *more: str) -> list[str]:
    """The call of schemathesis. url: the engine's, without a path."""
    program = Path(sys.executable).with_name("schemathesis")
    return [
        str(program),
        "run",
        f"{url}/api/v1/openapi.json",
        f"--url={url}",
        f"--header=Authorization: Bearer {token}",
        "--phases=coverage,fuzzing",
        f"--checks={','.join(CHECKS)}",
        f"--exclude-path-regex={ENDLESS}",
        "--continue-on-failure",
        "--suppress-health-check=all",
        "--request-timeout=30",
        "--no-color",
        *more,
    ]


def ask_locally(data: str, method: str, path: str, body: object) -> Any:
    """A change over the engine's own socket, in everybody's name; its answer."""
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(Path(data) / "engine.sock"))
    connection.request(
        method, f"/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 201, said
    connection.close()
    return json.loads(said)


def against(url: str, token: str, seconds: float) -> int:
    """Run it; returns its status."""
    limits = (f"--max-response-time={MOST_SECONDS_OF_AN_ANSWER}", f"--max-time={round(seconds)}")
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command(url, token, "--max-examples=100000", *limits), cwd=folder).returncode


def main() -> int:
    """Against an engine that runs, or one of its own."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    if len(sys.argv) > 3:
        return against(sys.argv[2], sys.argv[3], seconds)
    who = {"name": "fuzzer", "password": secrets.token_urlsafe(16), "role": "super", "companies": None}
    with running_engine(
        more=("http.source_rate=0", "http.token_rate=0", "limits.guess_failures=1000")
    ) as engine:
        uid = ask_locally(engine.data, "POST", "administrators", who)["uid"]
        token = {"name": "fuzzer", "scopes": ["*:write"], "administrator": uid}
        secret = ask_locally(engine.data, "POST", "api-tokens", token)["token"]
        return against(engine.api.removesuffix("/api/v1"), secret, seconds)


if __name__ == "__main__":
    sys.exit(main())
