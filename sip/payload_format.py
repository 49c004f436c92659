"""Payload formats of an audio stream: what rtpmap and fmtp say, and which one to use (RFC 3551, RFC 4733)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sip.format_parameters import opus_fmtp
from sip.sdp import MediaSection, SdpError, number

EVENTS = "0-15"  # RFC 4733: the sixteen DTMF digits
FIRST_DYNAMIC = 96
PTIME_MS = 20


class Codec(NamedTuple):
    """A payload format. ``payload_type`` is None until one is chosen for a dynamic format."""

    name: str
    rate: int
    channels: int = 1
    payload_type: int | None = None
    fmtp: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        return (self.name.upper(), self.rate, self.channels)

    @property
    def is_event(self) -> bool:
        return self.name.lower() == "telephone-event"


PCMU = Codec("PCMU", 8000, 1, 0)
PCMA = Codec("PCMA", 8000, 1, 8)
G722 = Codec("G722", 8000, 1, 9)
G729 = Codec("G729", 8000, 1, 18)
OPUS = Codec("opus", 48000, 2, 111, opus_fmtp(48000))  # RFC 7587 section 7: always said to be stereo
L16 = (Codec("L16", 16000), Codec("L16", 8000), Codec("L16", 48000))
TELEPHONE_EVENT = Codec("telephone-event", 8000, 1, 101, EVENTS)
_EVENT_TYPES = {8000: 101, 48000: 110}


def with_events(speech: Sequence[Codec]) -> tuple[Codec, ...]:
    """The formats and telephone-event at each of their clock rates (RFC 4733 section 2.1)."""
    rates = dict.fromkeys(codec.rate for codec in speech)
    events = [Codec("telephone-event", rate, 1, _EVENT_TYPES.get(rate), EVENTS) for rate in rates]
    return (*speech, *events)


def packet_ms(codec: Codec) -> int:
    """How long our packets are: 20 ms, but of L16 at 48 kHz only half of it goes into one."""
    return 10 if codec.name == "L16" and codec.rate == 48000 else PTIME_MS


_STATIC = {codec.payload_type: codec for codec in (PCMU, PCMA, G722, Codec("GSM", 8000, 1, 3), G729)}

# A clock rate or channel count that is not in this table makes the format unusable, whatever it claims.
_KNOWN: dict[str, frozenset[tuple[int, int]]] = {
    "PCMU": frozenset({(8000, 1)}),
    "PCMA": frozenset({(8000, 1)}),
    "G722": frozenset({(8000, 1)}),
    "GSM": frozenset({(8000, 1)}),
    "G729": frozenset({(8000, 1)}),
    "OPUS": frozenset({(48000, 2)}),
    "L16": frozenset({(8000, 1), (16000, 1), (44100, 1), (44100, 2), (48000, 1), (48000, 2)}),
    "TELEPHONE-EVENT": frozenset({(8000, 1), (16000, 1), (48000, 1)}),
}


def payloads(section: MediaSection) -> list[Codec]:
    """The usable formats of a stream, in its order; a bad or unknown rtpmap costs that format only."""
    maps: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, value in section.attributes:
        if value and (name == "rtpmap" or name == "fmtp"):
            key, _, content = value.partition(" ")
            (maps if name == "rtpmap" else parameters).setdefault(key, content)
    found = []
    for word in section.formats:
        payload_type = number(word, 127)
        if payload_type is None:
            continue
        codec = _mapped(maps[word]) if word in maps else _STATIC.get(payload_type)
        if codec is not None:
            found.append(Codec(codec.name, codec.rate, codec.channels, payload_type, parameters.get(word)))
    return found


@lru_cache(maxsize=1024)
def _known(name: str, rate: int, channels: int) -> Codec | None:
    return Codec(name, rate, channels) if (rate, channels) in _KNOWN.get(name.upper(), ()) else None


def _mapped(value: str) -> Codec | None:
    """An rtpmap value: ``<name>/<clock rate>[/<channels>]``."""
    words = value.strip().split("/")
    if not 2 <= len(words) <= 3 or len(words[0]) > 32:
        return None
    rate = number(words[1], 192000)
    channels = number(words[2], 255) if len(words) == 3 else 1
    if rate is None or channels is None:
        return None
    return _known(words[0], rate, channels)


def pick_codec(candidates: Sequence[Codec]) -> tuple[Codec, Codec | None]:
    """The first speech codec, and the telephone-event of its clock rate (RFC 4733 section 2.1).

    Some phones offer the events of 8000 only, Opus or not: better those than no digits.
    """
    for codec in candidates:
        if not codec.is_event:
            events = {other.rate: other for other in reversed(candidates) if other.is_event}
            return codec, events.get(codec.rate) or events.get(TELEPHONE_EVENT.rate)
    raise SdpError("sdp_no_common_codec")


def type_of(codec: Codec) -> int:
    assert codec.payload_type is not None  # payloads() always sets it
    return codec.payload_type


def number_codecs(codecs: Sequence[Codec], previous: MediaSection | None) -> list[Codec]:
    """Give every codec a payload type: the one it had, else its own, else a free dynamic one."""
    had = {codec.key: type_of(codec) for codec in payloads(previous)} if previous is not None else {}
    taken = set(had.values())
    result = []
    for codec in codecs:
        payload_type = had.get(codec.key, codec.payload_type)
        if payload_type is None or (codec.key not in had and payload_type in taken):
            payload_type = next(free for free in range(FIRST_DYNAMIC, 128) if free not in taken)
        taken.add(payload_type)
        result.append(codec._replace(payload_type=payload_type))
    return result
