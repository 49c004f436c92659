"""``polyphony prompts``: import announcements from anything ffmpeg reads."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict
from pathlib import Path

import click

from engine.cli.administration import json_option, opened_store, saved, show, store_options
from engine.data_directory import DataDirectory
from engine.language import of_environment, say
from engine.store import Prompt, StoreError


@click.group(help=say("cli.prompts", of_environment()))
def prompts() -> None:
    """List, import, remove."""


@prompts.command("list", help=say("prompts.list", of_environment()))
@store_options
@json_option
def list_(data: Path, file: Path | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Every imported prompt."""
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        found = [asdict(each) for each in store.prompts.all()]
    show(found, ("name", "seconds", "source_name"), as_json=as_json)


@prompts.command("import", help=say("prompts.import", of_environment()))
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@store_options
@click.option("--name", required=True, help="What announcements call it.")
def import_(source: Path, data: Path, file: Path | None, overrides: tuple[str, ...], name: str) -> None:
    """Convert SOURCE (sound or video file) to a prompt: one channel, 8 kHz, levelled."""
    from media.prompt import import_prompt  # PyAV takes its time; only an import needs it
    from media.prompt_file import PromptError

    destination = DataDirectory(data.absolute()).prompts / f"{secrets.token_hex(8)}.wav"
    with opened_store(data, file, overrides) as (store, _):
        try:
            info = import_prompt(source, destination)
        except PromptError as error:
            raise click.ClickException(f"{source}: {error}") from error
        record = Prompt(
            name=name,
            path=str(destination),
            seconds=info.seconds,
            sha256=info.sha256,
            source_name=source.name,
        )
        try:
            store.prompts.add(record)
        except StoreError:
            destination.unlink(missing_ok=True)
            raise
    saved(data, say("prompts.imported", of_environment(), name=name, seconds=f"{info.seconds:.1f}"))


@prompts.command("say", help=say("prompts.say", of_environment()))
@click.argument("text")
@store_options
@click.option("--name", required=True, help="What announcements call it.")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
def say_(
    text: str, data: Path, file: Path | None, overrides: tuple[str, ...], name: str, language: str
) -> None:
    """Speak TEXT into a prompt, through espeak-ng."""
    from media.speech import SpeechError, speak

    destination = DataDirectory(data.absolute()).prompts / f"{secrets.token_hex(8)}.wav"
    with opened_store(data, file, overrides) as (store, _):
        try:
            seconds = speak(text, language, destination)
        except SpeechError as error:
            raise click.ClickException(
                say(f"speech.{error.reason}", of_environment(), error=error)
            ) from error
        record = Prompt(
            name=name,
            path=str(destination),
            seconds=seconds,
            sha256=hashlib.sha256(destination.read_bytes()).hexdigest(),
            source_name=f"espeak-ng {language}",
        )
        try:
            store.prompts.add(record)
        except StoreError:
            destination.unlink(missing_ok=True)
            raise
    saved(data, say("prompts.imported", of_environment(), name=name, seconds=f"{seconds:.1f}"))


@prompts.command(help=say("prompts.remove", of_environment()))
@click.argument("name")
@store_options
def remove(name: str, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Forget the prompt NAME and delete its file."""
    with opened_store(data, file, overrides) as (store, _):
        found = store.prompts.get(name)
        store.prompts.remove(name)
        if found is not None:
            Path(found.path).unlink(missing_ok=True)
    saved(data, say("prompts.removed", of_environment(), name=name))
