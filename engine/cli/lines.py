"""``polyphony lines``: the numbers phones register under with our own registrar."""

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
    srtp_option,
    store_options,
)
from engine.language import of_environment, say
from engine.store import Line
from engine.store.numbers import line_secrets
from engine.store.records import SrtpMode


@click.group(invoke_without_command=True, help=say("cli.lines", of_environment()))
@data_option
@json_option
@click.pass_context
def lines(context: click.Context, data: Path, as_json: bool) -> None:
    """Without a command: every line of the running engine and the phones registered under it."""
    if context.invoked_subcommand is None:
        columns = ("number", "contacts")
        show_running(data, "status/lines", columns, as_json=as_json)


@lines.command(help=say("lines.add", of_environment()))
@click.argument("number")
@store_options
@password_option
@srtp_option
@click.option("--name", "display_name", default="", help="Whose it is, for those who administer.")
def add(
    number: str,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    password_file: Path | None,
    display_name: str,
    srtp: SrtpMode | None,
) -> None:
    """Let a phone register as NUMBER with a password; only its digest is kept."""
    password = read_password(password_file)
    with opened_store(data, file, overrides) as (store, config):
        realm = config.sip.realm
        secrets = line_secrets(number, realm, password)
        line = Line(number=number, display_name=display_name, realm=realm, ha1=secrets, srtp=srtp)
        store.lines.add(line)
    saved(data, say("lines.added", of_environment(), number=number))


@lines.command(help=say("lines.remove", of_environment()))
@click.argument("number")
@store_options
def remove(number: str, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Forget the line NUMBER and its registrations."""
    with opened_store(data, file, overrides) as (store, _):
        store.lines.remove(number)
    saved(data, say("lines.removed", of_environment(), number=number))
