"""Answers that are true for a little while, so that a page with ten requests costs one look-up."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by secret texts, of which only a keyed hash is held. seconds: how long each is true."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._key = secrets.token_bytes(32)
        self._values: dict[bytes, tuple[float, T]] = {}

    def get(self, text: str, now: float) -> T | None:
        """What is remembered of ``text``, while it is true."""
        until, value = self._values.get(self._hash(text), (0.0, None))
        return value if now < until else None

    def put(self, text: str, value: T, now: float, until: float | None = None) -> None:
        """Remember ``value``, not longer than ``until``; the one remembered longest makes room."""
        proof = self._hash(text)
        self._values.pop(proof, None)
        if len(self._values) >= self._most:
            del self._values[next(iter(self._values))]
        end = now + self._seconds
        self._values[proof] = (end if until is None else min(end, until), value)

    def drop(self, text: str) -> None:
        """It is not true any more."""
        self._values.pop(self._hash(text), None)

    def clear(self) -> None:
        """Nothing may be true any more."""
        self._values.clear()

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
