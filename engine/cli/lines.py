"""``polyphony lines``: the numbers phones register under with our own registrar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.administration.lines import Lines
from engine.cli.administration import (
    data_option,
    json_option,
    read_password,
    saved,
    show_running,
    store_options,
)
from engine.cli.noun_office import Office, opened_office
from engine.cli.nouns import command_of, field_options, given_fields, list_command, set_command, show_command
from engine.domain.identity import is_uid
from engine.language import of_environment, say
from engine.store import NotFound


@click.group(invoke_without_command=True, help=say("cli.lines", of_environment()))
@data_option
@json_option
@click.pass_context
def lines(context: click.Context, data: Path, as_json: bool) -> None:
    """Without a command: every line of the running engine and the phones registered under it."""
    if context.invoked_subcommand is None:
        columns = ("number", "contacts")
        show_running(data, "status/lines", columns, as_json=as_json)


def _add(
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    number: str,
    password: Path | None,
    **given: Any,
) -> None:
    """Let a phone register as NUMBER with a password; only its digests are kept."""
    fields = given_fields(Lines, given) | {"number": number, "password": read_password(password)}
    with opened_office(data, file, overrides, "lines", to_read=False) as office:
        office.add(fields)
    saved(data, say("lines.added", of_environment(), number=number))


def _remove(data: Path, file: Path | None, overrides: tuple[str, ...], line: str) -> None:
    """Forget a line, given by its number or its uid, and its registrations."""
    with opened_office(data, file, overrides, "lines") as office:
        office.remove(line if is_uid(line, "lin") else _found(office, line))
    saved(data, say("lines.removed", of_environment(), number=line))


def _found(office: Office, number: str) -> str:
    """The uid of the line of that number."""
    found, _ = office.page({"number": number, "limit": "2"}, None)
    if not found:
        raise click.ClickException(str(NotFound("line", number)))
    if len(found) > 1:
        raise click.ClickException(say("lines.several", of_environment(), number=number))
    return str(found[0]["uid"])


def _options() -> list[click.Parameter]:
    """Of a new line: its fields, the name also as it was called before lines had others."""
    options = [each for each in field_options(Lines, needed=False) if each.name != "number"]
    for each in options:
        if each.name == "display_name":
            each.opts.append("--name")
    return options


lines.add_command(
    command_of("add", store_options(_add), [click.Argument(["number"]), *_options()], "lines.add")
)
lines.add_command(command_of("remove", store_options(_remove), [click.Argument(["line"])], "lines.remove"))
for made in (list_command(Lines), show_command(Lines), set_command(Lines)):
    lines.add_command(made)
