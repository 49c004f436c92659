"""``polyphony automates``: the SIP bots, their registrations and calls."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.administration import (
    data_option,
    json_option,
    opened_store,
    password_option,
    read_password,
    saved,
    show_running,
    store_options,
)
from engine.language import of_environment, say
from engine.store import AutomateRange

APPLICATIONS = ("echo", "announcement", "readback", "recorder")
"""Those of ``engine.automates.catalogue``, which would load the media code; a test compares the two."""


@click.group(invoke_without_command=True, help=say("cli.automates", of_environment()))
@data_option
@json_option
@click.pass_context
def automates(context: click.Context, data: Path, as_json: bool) -> None:
    """Without a command: every automate of the running engine and its state."""
    if context.invoked_subcommand is None:
        columns = ("number", "application", "link", "state", "since", "calls", "last_error")
        show_running(data, "automates", columns, as_json=as_json)


@automates.command()
@click.argument("first")
@click.argument("application", type=click.Choice(APPLICATIONS))
@store_options
@click.option("--count", type=int, default=1, show_default=True, help="How many numbers, from FIRST upwards.")
@click.option("--link", "link_name", help="The link they register on, or are called over.")
@password_option
@click.option("--prompt", help="announcement: the prompt it plays.")
@click.option("--loop/--once", default=None, help="announcement: again and again, or once and then hang up.")
@click.option("--language", type=click.Choice(["en", "fr"]), help="Its language; without it the engine's.")
def add(
    first: str,
    application: str,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    count: int,
    link_name: str | None,
    password_file: Path | None,
    prompt: str | None,
    loop: bool | None,
    language: str | None,
) -> None:
    """Have APPLICATION answer FIRST and the numbers after it."""
    chosen = {"prompt": prompt, "loop": loop, "language": language}
    parameters = {name: value for name, value in chosen.items() if value is not None}
    password = read_password(password_file) if password_file is not None else None
    with opened_store(data, file, overrides) as (store, _):
        link = None if link_name is None else store.links.get(link_name)
        if link_name is not None and link is None:
            raise click.ClickException(say("links.unknown", of_environment(), name=link_name))
        store.automate_ranges.add(
            AutomateRange(
                first_number=first,
                application=application,
                count=count,
                link_id=None if link is None else link.id,
                password=password,
                parameters=parameters,
            )
        )
    saved(data, say("automates.added", of_environment(), first=first, count=count))


@automates.command()
@click.argument("first")
@store_options
def remove(first: str, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Remove the range that begins at FIRST."""
    with opened_store(data, file, overrides) as (store, _):
        store.automate_ranges.remove(first)
    saved(data, say("automates.removed", of_environment(), first=first))
