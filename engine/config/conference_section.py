"""The keys of section ``conference``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.config.annotation import key

_MOST = 1_000_000


class ConferenceSection(msgspec.Struct, frozen=True, kw_only=True):
    """How many may meet. Above a limit a caller is told so and refused; 0: as many as the machine carries."""

    max_rooms: Annotated[
        int, key("Meetings at once. 0: any.", unit="rooms", low=0, high=_MOST, reloads=True)
    ] = 0
    max_participants: Annotated[
        int,
        key("Participants of all meetings together. 0: any.", unit="people", low=0, high=_MOST, reloads=True),
    ] = 0
    max_per_domain: Annotated[
        int,
        key(
            "Participants in the rooms of one domain. 0: any.",
            unit="people",
            low=0,
            high=_MOST,
            reloads=True,
        ),
    ] = 0
    max_per_user: Annotated[
        int,
        key(
            "Participants in the rooms of one owner. 0: any.",
            unit="people",
            low=0,
            high=_MOST,
            reloads=True,
        ),
    ] = 0
