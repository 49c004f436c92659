"""What the commands that change the store share: which data directory, the open store, passwords, tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.cli.config import file_option, load_or_exit, set_option
from engine.cli.engine_client import EngineNotRunning, read, tell_to_reload
from engine.config import Config
from engine.data_directory import DataDirectory, DataDirectoryError
from engine.language import of_environment, say
from engine.store import Store, StoreError

data_option = click.option(
    "--data",
    envvar="POLYPHONY_DATA",
    default="data",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The data directory.",
)
password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File whose first line is the password; without it you are asked.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--data``, ``--config`` and ``--set``."""
    return data_option(file_option(set_option(command)))


@contextmanager
def opened_store(data: Path, file: Path | None, overrides: tuple[str, ...]) -> Iterator[tuple[Store, Config]]:
    """The store of a data directory; what it refuses is said in one line. A running engine is told to reload."""
    config = load_or_exit(file, overrides)
    directory = DataDirectory(data.absolute())
    try:
        directory.prepare()
        store = Store(config.store.url_in(directory.root))
        store.open()
    except (DataDirectoryError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    try:
        yield store, config
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


def show_running(data: Path, path: str, columns: Sequence[str], *, as_json: bool) -> None:
    """Print what the running engine says under ``/api/v1/PATH``, as a table of ``columns`` or as JSON."""
    try:
        found = read(DataDirectory(data.absolute()), path)
    except EngineNotRunning as error:
        raise click.ClickException(say("cli.no_engine", of_environment(), data=str(error))) from error
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        table(columns, ([shown(name, each[name]) for name in columns] for each in found))


def shown(column: str, value: object) -> str:
    """One cell: times on this host's clock, lists with commas."""
    if column == "since" and isinstance(value, float):
        return datetime.fromtimestamp(value, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
        raise click.UsageError("give --password-file")
    if not password:
        raise click.ClickException(say("cli.empty_password", of_environment()))
    return str(password)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings, columns as wide as they need."""
    cells = [[str(each) for each in row] for row in rows]
    widths = [max(len(line[at]) for line in [list(columns), *cells]) for at in range(len(columns))]
    for line in [list(columns), *cells]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
