"""The keys of the section ``journal``: how long people's calls are remembered."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.config.annotation import key


class JournalSection(msgspec.Struct, frozen=True, kw_only=True):
    """The call journal: calls that came in, went out or were missed."""

    days: Annotated[
        int, key("How long calls stay in the journal.", unit="days", low=1, high=3650, reloads=True)
    ] = 365
    most: Annotated[
        int,
        key(
            "Calls kept for each company, the newest; 0: as many as there are.",
            unit="calls",
            low=0,
            high=100_000_000,
            reloads=True,
        ),
    ] = 1_000_000
    least: Annotated[
        int,
        key(
            "Calls each user keeps, the newest, however old they are and however many there are.",
            unit="calls",
            low=0,
            high=10_000,
            reloads=True,
        ),
    ] = 50
    clean_at: Annotated[
        str,
        key(
            "When what need not be kept goes, each day, on the clock of the machine.",
            check="time_of_day",
            reloads=True,
        ),
    ] = "03:30"
