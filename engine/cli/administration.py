"""What the commands that change the store share: which data directory, the open store, passwords, tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource
from sqlalchemy.exc import SQLAlchemyError

from engine.cli.config import file_option, load_or_exit, set_option
from engine.cli.engine_client import EngineNotRunning, read, tell_to_reload
from engine.config import Config
from engine.data_directory import DataDirectory, DataDirectoryError
from engine.language import of_environment, say
from engine.store import Store, StoreError


def _data_of_group(context: click.Context, option: click.Parameter, value: Path) -> Path:
    """``polyphony links --data X add ...`` means X as much as ``polyphony links add ... --data X`` does."""
    given_here = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    of_group = None if context.parent is None else context.parent.params.get("data")
    return of_group if isinstance(of_group, Path) and not given_here else value


data_option = click.option(
    "--data",
    envvar="POLYPHONY_DATA",
    default="data",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    callback=_data_of_group,
    help="The data directory.",
)
password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File whose first line is the password; without it you are asked.",
)
srtp_option = click.option(
    "--srtp",
    type=click.Choice(["off", "optional", "required"]),
    help="Whether the sound is protected by SRTP; without it, media.srtp decides.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data``, ``--config`` and ``--set``."""
    return data_option(file_option(set_option(command)))


@contextmanager
def opened_store(
    data: Path, file: Path | None, overrides: tuple[str, ...], *, to_read: bool = False
) -> Iterator[tuple[Store, Config]]:
    """The store of a data directory; what it refuses is said in one line.

    to_read: the directory must be there already; a mistyped ``--data`` must not look like an empty one.
    """
    config = load_or_exit(file, overrides)
    directory = DataDirectory(data.absolute())
    if to_read and not directory.root.is_dir():
        raise click.ClickException(say("cli.no_data", of_environment(), data=directory.root))
    store = Store(config.store.url_in(directory.root))
    try:
        directory.prepare()
        store.open()
    except (DataDirectoryError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        raise click.ClickException(say("cli.no_store", of_environment(), error=_first_line(error))) from error
    try:
        yield store, config
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


def _first_line(error: Exception) -> str:
    """What went wrong, without the statement and the link to the manual that SQLAlchemy adds."""
    return str(error).partition("\n")[0]


def show_running(
    data: Path,
    what: str,
    columns: Sequence[str],
    *,
    as_json: bool,
    gather: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list,
) -> None:
    """Print what the engine on this data directory says of ``what``: automates, links, lines.

    gather: makes fewer rows of them, for people; JSON has them all.
    """
    try:
        found = read(DataDirectory(data.absolute()), what)
    except EngineNotRunning as error:
        raise click.ClickException(say("cli.no_engine", of_environment(), data=error)) from error
    show(found if as_json else gather(found), columns, as_json=as_json)


def saved(data: Path, what: str) -> None:
    """Say what was done, and have a running engine take it up."""
    reloaded = tell_to_reload(DataDirectory(data.absolute()))
    language = of_environment()
    click.echo(f"{what} {say('cli.reloaded' if reloaded else 'cli.not_running', language)}")


def read_password(path: Path | None) -> str:
    """The password of ``--password-file``, or asked for without echo."""
    if path is not None:
        try:
            password = path.read_text("utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{path}: {error}") from error
    elif sys.stdin.isatty():
        password = click.prompt(
            say("cli.password", of_environment()), hide_input=True, confirmation_prompt=True
        )
    else:
        raise click.UsageError(say("cli.give_password", of_environment()))
    if not password:
        raise click.ClickException(say("cli.empty_password", of_environment()))
    return str(password)


def show(found: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print records as JSON, whole, or ``columns`` of them as a table."""
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    language = of_environment()
    lines = [[say(f"column.{name}", language) for name in columns]]
    lines += [[_cell(name, each[name]) for name in columns] for each in found]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(column: str, value: object) -> str:
    """Times on this host's clock, lists with commas; what a PBX answered must not move a terminal's cursor."""
    match value:
        case float() if column in ("since", "started_at", "opened_at"):
            text = (
                datetime.fromtimestamp(value, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""
            )
        case float():
            text = f"{value:.1f}"
        case list():
            text = ", ".join(map(str, value))
        case _:
            text = str(value)
    return "".join(each if each.isprintable() else " " for each in text)
