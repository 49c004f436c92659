"""``polyphony serve``: the engine, in the foreground."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from engine.cli.config import file_option, load_or_exit, set_option
from engine.config import Config
from engine.data_directory import DataDirectory, DataDirectoryError
from engine.language import of_environment, say


@click.command(help=say("cli.serve", of_environment()))
@click.option(
    "--data", required=True, type=click.Path(path_type=Path, file_okay=False), help="The data directory."
)
@file_option
@set_option
def serve(data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Run until SIGTERM; help comes from the catalogue of texts."""
    config = load_or_exit(file, overrides)
    directory = DataDirectory(data.absolute())
    _obey_signals_early()
    try:
        directory.prepare()
        directory.claim()
    except DataDirectoryError as error:
        raise click.ClickException(str(error)) from error
    try:
        sys.exit(_run(directory, config, file, overrides))
    finally:
        directory.release()


def _obey_signals_early() -> None:
    """What signals do before the engine has its own handlers, which takes a second of importing.

    A command that changed the store sends SIGHUP to whoever's process id it finds. Nothing is read yet, so there
    is nothing to read again.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _run(directory: DataDirectory, config: Config, file: Path | None, overrides: tuple[str, ...]) -> int:
    from engine.reactor import install  # first of all that imports Twisted

    reactor = install()
    from engine.process import EngineProcess

    return EngineProcess(reactor, directory, config, file, overrides).run()
