"""How digits travel on a link: as events, in INFO requests, or in the sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sip.offer_answer import Codec

if TYPE_CHECKING:
    from engine.store import DtmfMode
    from sip.offer_answer import Audio


def without_events(mode: DtmfMode, codecs: Sequence[Codec]) -> tuple[Codec, ...]:
    """What to negotiate: no telephone-event where digits are to travel otherwise."""
    if mode in ("auto", "rfc4733"):
        return tuple(codecs)
    return tuple(codec for codec in codecs if not codec.is_event)


def in_the_sound(mode: DtmfMode, audio: Audio | None) -> bool:
    """Whether a leg's digits are in its sound."""
    return mode == "inband" or (mode == "auto" and audio is not None and audio.receive_event_type is None)
