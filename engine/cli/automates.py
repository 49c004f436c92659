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
from engine.cli.number_runs import gathered
from engine.language import of_environment, say
from engine.prompts import catalogue
from engine.store import AutomateRange, Store

APPLICATIONS = ("echo", "announcement", "readback", "recorder", "room", "conference")
"""Those of ``engine.automates.catalogue``, which would load the media code; a test compares the two."""

COLUMNS = ("number", "application", "link", "state", "since", "calls", "last_error")


@click.group(invoke_without_command=True, help=say("cli.automates", of_environment()))
@data_option
@json_option
@click.pass_context
def automates(context: click.Context, data: Path, as_json: bool) -> None:
    """Without a command: every automate of the running engine and its state."""
    if context.invoked_subcommand is None:
        show_running(data, "status/automates", COLUMNS, as_json=as_json, gather=gathered)


@automates.command(help=say("automates.add", of_environment()))
@click.argument("first")
@click.argument("application", type=click.Choice(APPLICATIONS))
@store_options
@click.option("--count", type=int, default=1, show_default=True, help="How many numbers, from FIRST upwards.")
@click.option("--link", "link_name", help="The link they register on, or are called over.")
@password_option
@click.option("--prompt", help="announcement: the prompt it plays.")
@click.option("--text", help="announcement: a text to be spoken in place of a prompt, through espeak-ng.")
@click.option("--loop/--once", default=None, help="announcement: again and again, or once and then hang up.")
@click.option(
    "--room",
    help="room: its name, else each number is a room; conference: its number, else the caller is asked.",
)
@click.option(
    "--loudest", type=click.IntRange(0), help="room: how many talkers are mixed at once, 0 for everybody."
)
@click.option(
    "--record", type=click.Choice(["mix", "tracks"]), help="room: record its mix, or a track for each talker."
)
@click.option(
    "--beep", type=click.IntRange(2, 3600), help="recorder: a tone every so many seconds while it records."
)
@click.option(
    "--both", is_flag=True, default=None, help="recorder: what the caller hears, too, as a second channel."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["wav", "g711", "flac", "ogg"]),
    help="recorder: the format of its files; without it media.recording_format.",
)
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
    text: str | None,
    loop: bool | None,
    room: str | None,
    loudest: int | None,
    record: str | None,
    beep: int | None,
    both: bool | None,
    form: str | None,
    language: str | None,
) -> None:
    """Have APPLICATION answer FIRST and the numbers after it; help comes from the catalogue of texts."""
    of_room = {"room": room, "loudest": loudest, "record": record}
    of_recorder = {"beep": beep, "both": both, "format": form}
    chosen = {"prompt": prompt, "text": text, "loop": loop, **of_room, **of_recorder, "language": language}
    parameters = {name: value for name, value in chosen.items() if value is not None}
    password = read_password(password_file) if password_file is not None else None
    with opened_store(data, file, overrides) as (store, _):
        _check_prompt(store, prompt)
        store.automate_ranges.add(
            AutomateRange(
                first_number=first,
                application=application,
                count=count,
                link_id=_link_id(store, link_name),
                password=password,
                parameters=parameters,
            )
        )
    saved(data, say("automates.added", of_environment(), first=first, count=count))


def _link_id(store: Store, name: str | None) -> int | None:
    if name is None:
        return None
    link = store.links.get(name)
    if link is None:
        raise click.ClickException(say("links.unknown", of_environment(), name=name))
    return link.id


def _check_prompt(store: Store, name: str | None) -> None:
    """Refuse a name that would be silence: neither imported nor shipped, in a language or in all."""
    if name is None or store.prompts.get(name) is not None:
        return
    shipped = catalogue()
    if name not in shipped and f"en/{name}" not in shipped:
        raise click.ClickException(say("prompts.unknown", of_environment(), name=name))


@automates.command(help=say("automates.remove", of_environment()))
@click.argument("first")
@store_options
def remove(first: str, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Remove the range that begins at FIRST."""
    with opened_store(data, file, overrides) as (store, _):
        store.automate_ranges.remove(first)
    saved(data, say("automates.removed", of_environment(), first=first))
