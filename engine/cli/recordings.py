"""``polyphony recordings``: what callers have left, and in which format somebody wants it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from engine.cli.administration import json_option, opened_store, show, store_options
from engine.language import of_environment, say
from engine.recording_files import describe

COLUMNS = ("id", "number", "caller", "started_at", "seconds", "format", "tracks", "pauses", "reason", "path")


@click.group(help=say("cli.recordings", of_environment()), invoke_without_command=True)
@store_options
@click.option("--number", help="Only those of this automate.")
@click.option(
    "--count", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest first."
)
@json_option
@click.pass_context
def recordings(
    context: click.Context,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    number: str | None,
    count: int,
    as_json: bool,
) -> None:
    """Without a command: the newest recordings; help comes from the catalogue of texts."""
    if context.invoked_subcommand is not None:
        return
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        latest = store.recordings.latest(count, number)
    found = [asdict(each) | asdict(describe(Path(each.path))) for each in latest]
    if not as_json:
        for each in found:
            each["reason"] = each["reason"] or say("recordings.going_on", of_environment())
    show(found, COLUMNS, as_json=as_json)


@recordings.command(help=say("recordings.export", of_environment()))
@click.argument("identity", metavar="ID", type=int)
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@store_options
@click.option(
    "--layout",
    type=click.Choice(["mix", "channels", "tracks"]),
    default="mix",
    show_default=True,
    help=say("recordings.layout", of_environment()),
)
def export(
    identity: int,
    target: Path,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    layout: str,
) -> None:
    """Write a recording in another format; help comes from the catalogue of texts."""
    from media.recording.conversion import ConversionError
    from media.recording.export import export as write  # numpy and libsndfile, for this command alone

    with opened_store(data, file, overrides, to_read=True) as (store, _):
        found = store.recordings.get(identity)
    if found is None:
        raise click.ClickException(say("recordings.unknown", of_environment(), id=identity))
    try:
        paths = write(Path(found.path), target, layout)  # type: ignore[arg-type]  # click's choices
    except ConversionError as error:
        raise click.ClickException(say("recordings.not_exported", of_environment(), error=error)) from error
    click.echo(say("recordings.exported", of_environment(), paths=", ".join(map(str, paths))))
