"""What fmtp says of a speech format: Opus (RFC 7587 section 6.1) and G.729 (RFC 4856 section 2.1.9).

Read as strangers wrote it: what is not understood, or out of range, counts as not said.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sip.sdp import number

OPUS_RATES = (8000, 16000, 48000)
"""What sound we take Opus for. Medium band and super-wide band are rounded down."""
_OPUS_BITRATES = range(6000, 510_001)


class OpusParameters(NamedTuple):
    """What the describing side would have its peer send."""

    rate: int = 48000
    """``maxplaybackrate``, as one of ``OPUS_RATES``."""
    bitrate: int = 0
    """``maxaveragebitrate`` in bit/s; 0: not said."""
    fec: bool = False
    dtx: bool = False


def read(fmtp: str | None) -> dict[str, str]:
    """``name=value`` pairs, names in lower case."""
    pairs = [word.partition("=") for word in (fmtp or "").split(";")]
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


@lru_cache(maxsize=256)
def opus_parameters(fmtp: str | None) -> OpusParameters:
    """Read the fmtp of Opus."""
    said = read(fmtp)
    limit = number(said.get("maxplaybackrate", ""), 192_000) or OPUS_RATES[-1]
    bitrate = number(said.get("maxaveragebitrate", ""), 10_000_000) or 0
    return OpusParameters(
        max((rate for rate in OPUS_RATES if rate <= limit), default=OPUS_RATES[0]),
        bitrate if bitrate in _OPUS_BITRATES else 0,
        said.get("useinbandfec") == "1",
        said.get("usedtx") == "1",
    )


def opus_fmtp(rate: int) -> str:
    """What we say of ourselves: mono, up to ``rate``, and send us as little as you can."""
    limit = "" if rate == OPUS_RATES[-1] else f"maxplaybackrate={rate};sprop-maxcapturerate={rate};"
    return f"{limit}stereo=0;sprop-stereo=0;useinbandfec=1;usedtx=1"


@lru_cache(maxsize=256)
def annex_b(fmtp: str | None) -> bool:
    """Whether G.729 annex B, its pauses, may be used; it may unless it is said not to."""
    return read(fmtp).get("annexb", "yes").lower() != "no"


def answered(name: str, ours: str | None, theirs: str | None) -> str | None:
    """The fmtp of our answer: ours, but G.729 has one annex B for both (RFC 4856 section 2.1.9)."""
    return "annexb=no" if name == "G729" and not annex_b(theirs) else ours
