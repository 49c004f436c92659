"""``polyphony prompts``: import announcements from anything ffmpeg reads."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from engine.cli.administration import opened_store, saved, store_options, table
from engine.data_directory import DataDirectory
from engine.language import of_environment, say
from engine.store import Prompt, StoreError


@click.group(help=say("cli.prompts", of_environment()))
def prompts() -> None:
    """List, import, remove."""


@prompts.command("list")
@store_options
def list_(data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Every imported prompt."""
    with opened_store(data, file, overrides) as (store, _):
        table(
            ("name", "seconds", "source"),
            ((each.name, f"{each.seconds:.1f}", each.source_name) for each in store.prompts.all()),
        )


@prompts.command("import")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@store_options
@click.option("--name", required=True, help="What announcements call it.")
def import_(source: Path, data: Path, file: Path | None, overrides: tuple[str, ...], name: str) -> None:
    """Convert SOURCE (sound or video file) to a prompt: one channel, 8 kHz, levelled."""
    from media.prompt import PromptError, import_prompt  # PyAV takes its time; only an import needs it

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


@prompts.command()
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
