"""What a source of users gives: entries, each with attributes; and how a source fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One person of a directory or one row of a file.

    reference: where a person finds it, a DN or ``line 17``. key: what stays when everything else changes (objectGUID,
    entryUUID), empty where the source knows none. attributes: names in lower case, values in the source's order.
    enabled: None where the source does not say. error: why it cannot be used, a key of the texts.
    """

    reference: str
    key: str
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enabled: bool | None = None
    error: str = ""

    def first(self, attribute: str) -> str:
        """The first value that is not blank, without blanks around it; empty where there is none."""
        values = self.attributes.get(attribute.lower(), ())
        return next((value.strip() for value in values if value.strip()), "")


class SourceError(Exception):
    """The source could not be read to its end, so nothing of it may be used.

    reason: a key of the texts (``unreachable``, ``refused``, ``limited``, ``filter``, ``base``, ``tls``, ``text``).
    detail: what a person needs to put it right; never a password.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
