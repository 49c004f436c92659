"""What is known of codecs without computing anything: the control process reads this and needs no arrays for it."""

from __future__ import annotations

from typing import Literal

CodecName = Literal["PCMU", "PCMA", "G722", "OPUS", "L16", "G729"]

ULAW_SILENCE = 0xFF
"""The octet of a zero sample in mu-law (G.711)."""
ALAW_SILENCE = 0xD5
"""The octet of the smallest positive value in A-law, which has no zero."""
