"""What other servers carried a core, for comparison: measured on one 2.5 GHz core, PCMU, with the same kind of
load: every call sends and hears 50 packets a second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Others:
    """Calls a core, from and to; None where it was not measured."""

    asterisk_23: tuple[int, int] | None = None
    freeswitch_1_11: tuple[int, int] | None = None


CONFERENCE = Others((305, 360), (300, 320))
"""Everybody talking in one room."""
RECORDING = Others((770, 920), (150, 250))
ANNOUNCEMENT = Others()
