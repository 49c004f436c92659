"""Why somebody is not let in."""

from __future__ import annotations

import enum


class Why(enum.Enum):
    """What is told of it; the value is the word for programs."""

    WRONG = "wrong"
    """A name, a password, a token or a session that is none, or no more: nobody is to learn which."""
    CODE = "code"
    """The password is right; the one-time code is missing, or wrong, or was used."""
    SILENCED = "silenced"
    """Not looked at: this source has been guessing, or too many ask at once."""


class NotAdmitted(Exception):
    """Whoever asks is not let in."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why
