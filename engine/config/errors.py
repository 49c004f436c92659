"""What a bad configuration is refused with."""

from __future__ import annotations


class ConfigError(Exception):
    """One thing wrong in the configuration.

    ``file`` is the path as given, or ``--set``; ``line`` is 0 where no line can be named; ``key`` is
    ``section.key``, or empty where the file as a whole cannot be read.
    """

    def __init__(self, file: str, line: int, key: str, expected: str) -> None:
        super().__init__(file, line, key, expected)
        self.file = file
        self.line = line
        self.key = key
        self.expected = expected

    def __str__(self) -> str:
        """``file:line: key: what was expected``, as compilers write it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.expected) if part)
