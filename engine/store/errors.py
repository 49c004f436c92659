"""What the store refuses, each with what the user needs to put it right."""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked."""


class Taken(StoreError):
    """A name or a number is in use already; ``other`` says by what."""

    def __init__(self, what: str, value: str, other: str) -> None:
        super().__init__(f"{what} {value} is taken by {other}")
        self.what = what
        self.value = value
        self.other = other


class NotFound(StoreError):
    """There is no such thing."""

    def __init__(self, what: str, value: str) -> None:
        super().__init__(f"there is no {what} {value}")
        self.what = what
        self.value = value


class InUse(StoreError):
    """It cannot be removed while ``other`` needs it."""

    def __init__(self, what: str, value: str, other: str) -> None:
        super().__init__(f"{what} {value} is needed by {other}")
        self.what = what
        self.value = value
        self.other = other


class Invalid(StoreError):
    """A field does not hold what it must; the value itself is not repeated, it may be a secret."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


class Forbidden(StoreError):
    """The actor's role or token does not allow it; ``what`` says what that takes."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this takes {what}")
        self.what = what


class Stale(StoreError):
    """Somebody else changed it since it was read; ``version`` is what it has become."""

    def __init__(self, what: str, value: str, version: int) -> None:
        super().__init__(f"{what} {value} has been changed meanwhile")
        self.what = what
        self.value = value
        self.version = version


class Spent(StoreError):
    """A company has had all of what it was granted of ``what``: ``limit``."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"all {limit} of {what} are in use")
        self.what = what
        self.limit = limit


class NewerStore(StoreError):
    """The database was last used by a newer version and cannot be understood."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the store is at revision {revision}, which this version does not know; upgrade Polyphony"
        )
        self.revision = revision
