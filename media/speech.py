"""Text to speech: espeak-ng speaks a text, and it becomes a prompt as any other sound does.

``python -m media.speech LANGUAGE DESTINATION`` reads the text on standard input; the engine runs it as a child, so that
neither the control process nor a worker waits or grows. The text reaches espeak-ng on its standard input, so nothing in
it can be taken for an option or by a shell.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = "espeak-ng"
VOICES = {"en": "en-gb-x-rp", "fr": "fr-fr"}
WORDS_A_MINUTE = 150
MOST_CHARACTERS = 2000
"""About two minutes of speech."""
PATIENCE_SECONDS = 20.0
ABSENT, FAILED = 3, 4
"""Exit codes."""


class SpeechError(Exception):
    """A text cannot be spoken. ``reason``: absent, text, language, timeout, failed."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def clean(text: str) -> str:
    """What is spoken: one line, without control characters. Raises SpeechError: nothing left, or too long."""
    spoken = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if not spoken:
        raise SpeechError("text", "nothing to say")
    if len(spoken) > MOST_CHARACTERS:
        raise SpeechError("text", f"more than {MOST_CHARACTERS} characters")
    return spoken


def voice_of(language: str) -> str:
    """The voice of a language. Raises SpeechError."""
    if language not in VOICES:
        raise SpeechError("language", language)
    return VOICES[language]


def speak(text: str, language: str, destination: Path) -> float:
    """Make the prompt ``destination`` from a text; its length in seconds. Blocks. Raises SpeechError."""
    spoken, voice = clean(text), voice_of(language)
    program = shutil.which(PROGRAM)
    if program is None:
        raise SpeechError("absent", f"{PROGRAM} is not installed")
    from media.prompt import import_prompt
    from media.prompt_file import PromptError

    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder, "speech.wav")
        command = [program, "-v", voice, "-s", str(WORDS_A_MINUTE), "--stdin", "-w", str(sound)]
        try:
            subprocess.run(
                command, input=spoken.encode(), check=True, capture_output=True, timeout=PATIENCE_SECONDS
            )
            return import_prompt(sound, destination).seconds
        except subprocess.TimeoutExpired as error:
            raise SpeechError("timeout") from error
        except (subprocess.CalledProcessError, OSError, PromptError) as error:
            raise SpeechError("failed", str(error)) from error


def main(arguments: list[str]) -> int:
    """Speak standard input."""
    language, destination = arguments
    try:
        speak(sys.stdin.buffer.read().decode("utf-8", "replace"), language, Path(destination))
    except SpeechError as error:
        sys.stderr.write(f"{error}\n")
        return ABSENT if error.reason == "absent" else FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
