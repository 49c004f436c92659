"""The announcements that ship with the engine: spoken English and French, 8 kHz mono 16-bit WAV.

Made by ``tools/make_prompts.py``; the name of a prompt is its path here without the ending: ``en/welcome``.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["catalogue"]


def catalogue() -> dict[str, Path]:
    """Every shipped prompt by name, in the order of names."""
    folder = Path(__file__).parent
    found = {f"{path.parent.name}/{path.stem}": path for path in folder.glob("*/*.wav")}
    return dict(sorted(found.items()))
