"""``polyphony config``: check a configuration, show it, and document every key."""

from __future__ import annotations

from pathlib import Path

import click

from engine.config import Config, ConfigError, documentation, load, problems
from engine.language import of_environment, say

file_option = click.option(
    "--config", "file", type=click.Path(path_type=Path, dir_okay=False), help="The TOML file."
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Override one key; repeatable."
)


def load_or_exit(file: Path | None, overrides: tuple[str, ...]) -> Config:
    """Read the configuration, or say what is wrong with it and exit 1."""
    try:
        return load(file, overrides)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@click.group(help=say("cli.config", of_environment()))
def config() -> None:
    """Check, show and document the configuration; help comes from the catalogue of texts."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@set_option
def check(file: Path, overrides: tuple[str, ...]) -> None:
    """Name everything wrong in FILE by file, line, key and what was expected."""
    found = problems(file, overrides)
    for problem in found:
        click.echo(str(problem), err=True)
    if found:
        raise click.ClickException(say("config.bad", of_environment(), count=len(found)))
    click.echo(say("config.good", of_environment(), file=file))


@config.command()
@file_option
@set_option
@click.option("--docs", is_flag=True, help="Document every key instead of showing values.")
@click.option("--format", "form", type=click.Choice(["text", "toml"]), default="text", show_default=True)
def show(file: Path | None, overrides: tuple[str, ...], docs: bool, form: str) -> None:
    """Show the values in force, passwords left out; or, with --docs, what every key means."""
    if docs:
        click.echo(documentation.as_toml() if form == "toml" else documentation.as_text(), nl=False)
        return
    click.echo(documentation.effective(load_or_exit(file, overrides)), nl=False)
