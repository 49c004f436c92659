"""Which codecs this machine has what they need for, found out without loading more than that."""

from __future__ import annotations

from media.codecs import g729_library, opus_library


def available(name: str) -> bool:
    """Whether legs can speak this codec here."""
    if name.upper() == "OPUS":
        return opus_library.is_there()
    if name == "G729":
        return g729_library.is_there()
    return True  # PyAV, which has G.722, is always installed
