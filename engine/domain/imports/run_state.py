"""The states of a run."""

from __future__ import annotations

WAITING, RUNNING, DONE, FAILED, INTERRUPTED = "waiting", "running", "done", "failed", "interrupted"
UNDER_WAY = frozenset({WAITING, RUNNING})
READING, COMPARING, WRITING = "reading", "comparing", "writing"
"""The stages of one that is running."""
