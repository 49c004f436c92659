"""Ending the programs a test has started, each by its own PID."""

from __future__ import annotations

import subprocess


def ended(process: subprocess.Popen[bytes], timeout: float) -> int:
    """SIGTERM, wait, SIGKILL if it must be; the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode
