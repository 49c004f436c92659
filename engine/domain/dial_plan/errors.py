"""What a dial plan refuses."""

from __future__ import annotations


class DialPlanError(Exception):
    """A field of a rule or of a domain's settings does not hold what it must."""

    def __init__(self, field: str, expected: str, row: int | None = None) -> None:
        """row: the line of a CSV file, from 1."""
        place = field if row is None else f"row {row}, {field}"
        super().__init__(f"{place}: expected {expected}")
        self.field = field
        self.expected = expected
        self.row = row
