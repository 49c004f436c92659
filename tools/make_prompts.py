"""Speak the shipped prompts again, for maintainers: ``python -m tools.make_prompts [NAME ...]``.

Needs espeak-ng; running the engine does not. Each text is spoken, its silent ends are cut, the ends that the
prompt should have are put on, and it is imported as any other prompt is: so the shipped ones have the same
level and form. Change a text here, run this with its name, listen, and commit the WAV with the text.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

from media.prompt import import_prompt
from tools.conference_texts import texts as conference_texts
from tools.phrase_texts import TEXTS

Language = Literal["en", "fr"]

FOLDER = Path(__file__).parents[1] / "engine" / "prompts"
VOICES: dict[Language, str] = {"en": "en-gb-x-rp", "fr": "fr-fr"}
SPEED = 150  # words a minute
DIGIT_SPEED = 135  # a number is written down while it is heard

# Seconds of silence before, after, after what is said in a row, and after what is looped.
LEAD, TAIL, DIGIT_TAIL, LOOP_TAIL = 0.04, 0.25, 0.12, 1.0
ELEMENT_SPEED = 160
ELEMENT_LEAD, ELEMENT_TAIL = 0.022, 0.022
"""Elements run into each other: no more than the frame at each end that has to be silent."""
_SILENT = 0.003  # of full scale; espeak-ng is silent to the bit

SENTENCES = {
    "en": {
        "welcome": "Welcome to Polyphony. This announcement is played by the engine itself. "
        "If you can hear it, signalling and sound both work.",
        "your-number-is": "Your number is",
        "press-keys": "Please press some keys. They will be repeated to you.",
        "you-pressed": "You pressed",
        "record-after-tone": "Please speak after the tone. Hang up when you have finished.",
        "goodbye": "Goodbye.",
        "not-in-service": "The number you have dialled is not in service.",
        "all-lines-busy": "All lines are busy. Please call again later.",
    },
    "fr": {
        "welcome": "Bienvenue sur Polyphony. Cette annonce est diffusée par le moteur lui-même. "
        "Si vous l'entendez, la signalisation et le son fonctionnent.",
        "your-number-is": "Votre numéro est le",
        "press-keys": "Appuyez sur des touches. Elles vous seront répétées.",
        "you-pressed": "Vous avez composé",
        "record-after-tone": "Parlez après le signal sonore. Raccrochez quand vous avez terminé.",
        "goodbye": "Au revoir.",
        "not-in-service": "Le numéro que vous avez composé n'est pas attribué.",
        "all-lines-busy": "Toutes les lignes sont occupées. Veuillez rappeler plus tard.",
    },
}

DIGITS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "fr": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
}
KEYS = {
    "en": {"star": "star", "hash": "hash", "plus": "plus"},
    "fr": {"star": "étoile", "hash": "dièse", "plus": "plusse"},  # its end sounded, as in arithmetic
}


def speak(text: str, voice: str, speed: int, path: Path) -> None:
    """Let espeak-ng write ``text`` to a WAV file of its own rate."""
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(path), text], check=True)


def with_ends(sound: npt.NDArray[np.float64], rate: int, lead: float, tail: float) -> npt.NDArray[np.float64]:
    """The sound without its own silent ends, with ours."""
    heard = np.flatnonzero(np.abs(sound) > _SILENT)
    body = sound[heard[0] : heard[-1] + 1]
    return np.concatenate((np.zeros(int(lead * rate)), body, np.zeros(int(tail * rate))))


def make(language: Language, word: str, text: str, speed: int, lead: float, tail: float) -> None:
    """Speak one prompt into its place."""
    name = f"{language}/{word}"
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder, "spoken.wav")
        speak(text, VOICES[language], speed, spoken)
        sound, rate = soundfile.read(spoken)
        soundfile.write(spoken, with_ends(sound, rate, lead, tail), rate, subtype="FLOAT")
        destination = FOLDER / f"{name}.wav"
        destination.parent.mkdir(exist_ok=True)
        info = import_prompt(spoken, destination)
        destination.chmod(0o644)
    sys.stdout.write(
        f"{name:24}{info.seconds:6.2f} s, {info.level_dbfs:.1f} dBFS, peak {info.peak_dbfs:.1f}\n"
    )


def texts(language: Language) -> Iterator[tuple[str, str, int, float, float]]:
    """Word, text, speed, lead and tail of each prompt of a language."""
    for word, text in SENTENCES[language].items():
        yield word, text, SPEED, LEAD, LOOP_TAIL if word == "welcome" else TAIL
    said = {f"digit-{number}": text for number, text in enumerate(DIGITS[language])}
    said |= KEYS[language] | {f"letter-{letter.lower()}": letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    for word, text in said.items():
        yield word, text, DIGIT_SPEED, LEAD, DIGIT_TAIL
    for word, text in conference_texts(language).items():
        yield word, text, SPEED, LEAD, TAIL
    for word, text in TEXTS[language].items():
        yield word, text, ELEMENT_SPEED, ELEMENT_LEAD, ELEMENT_TAIL


def main(wanted: list[str]) -> None:
    """Make the prompts named, or all."""
    for language in VOICES:
        for word, *how in texts(language):
            if not wanted or f"{language}/{word}" in wanted:
                make(language, word, *how)


if __name__ == "__main__":
    main(sys.argv[1:])
