"""RTP header extensions in SDP (RFC 8285): of those there are, the level a client says of its sound (RFC 6464)."""

from __future__ import annotations

from sip.sdp import MediaSection, number

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_IDS = range(1, 15)
"""Of the one-byte form, the only one we read."""


def audio_level_id(section: MediaSection) -> int | None:
    """The id under which a stream carries its level; None where it does not, or not towards its receiver."""
    for name, value in section.attributes:
        if name != "extmap" or not value:
            continue
        words = value.split()
        if len(words) < 2 or words[1] != AUDIO_LEVEL:
            continue
        local, _, direction = words[0].partition("/")
        found = number(local, 255)
        if found in _IDS and direction != "inactive":
            return found
    return None


def audio_level_line(local_id: int) -> str:
    """That we would be told the level; we tell none (RFC 8285 section 7)."""
    return f"a=extmap:{local_id}/recvonly {AUDIO_LEVEL}"
