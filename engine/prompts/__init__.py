"""The announcements that ship with the engine: spoken English and French, 8 kHz mono 16-bit WAV.

Made by ``tools/make_prompts.py``; the name of a prompt is its path here without the ending: ``en/welcome``.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["catalogue", "is_rare"]


def catalogue() -> dict[str, Path]:
    """Every shipped prompt by name, in the order of names."""
    folder = Path(__file__).parent
    found = {f"{path.parent.name}/{path.stem}": path for path in folder.glob("*/*.wav")}
    return dict(sorted(found.items()))


def is_rare(name: str) -> bool:
    """Whether a prompt is read when it is first played: what conferences say is eight minutes of sound."""
    return name.partition("/")[2].startswith("conference-")
