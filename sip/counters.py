"""Counters of what was dropped, refused or sent, each with a stable label."""

from __future__ import annotations


class Counters:
    """Named whole numbers that only grow; a label is a word of ours, never text of a peer."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._counts: dict[str, int] = {}

    def count(self, label: str, n: int = 1) -> None:
        """Add ``n`` under ``label``."""
        counts = self._counts
        counts[label] = counts.get(label, 0) + n

    def __getitem__(self, label: str) -> int:
        """Give the count of one label, 0 when it was never counted."""
        return self._counts.get(label, 0)

    def snapshot(self) -> dict[str, int]:
        """Copy all counts, for a report."""
        return dict(self._counts)
