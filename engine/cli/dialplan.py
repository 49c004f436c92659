"""``polyphony dialplan``: try a number on a domain's dial plan, export its rules and import them."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from engine.cli.administration import json_option, show, store_options
from engine.cli.noun_office import Office, Shown, opened_office
from engine.language import of_environment, say

LARGEST_FILE = 1 << 20
"""Octets of a CSV file that is read at all; 400 rules take a tenth."""

domain_option = click.option("--domain", help=say("dialplan.domain", of_environment()))


@click.group(help=say("cli.dialplan", of_environment()))
def dialplan() -> None:
    """The group; the text of ``--help`` comes from the catalogue."""


@dialplan.command("try", help=say("dialplan.try", of_environment()))
@click.argument("number")
@domain_option
@click.option("--incoming", is_flag=True, help=say("dialplan.incoming", of_environment()))
@json_option
@store_options
def try_number(
    number: str,
    domain: str | None,
    incoming: bool,
    as_json: bool,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """What the plan makes of NUMBER, by which rule, and each step."""
    body = {"number": number, "direction": "incoming" if incoming else "outgoing"}
    with opened_office(data, file, overrides, "domains") as office:
        tried = office.act("POST", _uid(office, domain), "dial-plan/try", body)
    if as_json:
        click.echo(msgspec.json.encode(tried).decode())
        return
    language, rule = of_environment(), tried["rule"]
    click.echo(tried["number"] or say("dialplan.nothing", language))
    if rule is not None:
        click.echo(say("dialplan.by_rule", language, **rule))
    show(tried["steps"], ("kind", "number", "text"), as_json=False)


@dialplan.command(help=say("dialplan.export", of_environment()))
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@domain_option
@store_options
def export(
    target: Path, domain: str | None, data: Path, file: Path | None, overrides: tuple[str, ...]
) -> None:
    """Write the rules as CSV; - is the standard output."""
    with opened_office(data, file, overrides, "domains") as office:
        text = office.act("GET", _uid(office, domain), "dial-plan/rules")
    if str(target) == "-":
        click.echo(text, nl=False)
        return
    try:
        target.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise click.ClickException(f"{target}: {error.strerror}") from error


@dialplan.command("import", help=say("dialplan.import", of_environment()))
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@domain_option
@store_options
def import_rules(
    source: Path, domain: str | None, data: Path, file: Path | None, overrides: tuple[str, ...]
) -> None:
    """Make the rules those of a CSV file, all or none."""
    text = _read(source)
    with opened_office(data, file, overrides, "domains") as office:
        done = office.act("PUT", _uid(office, domain), "dial-plan/rules", {"csv": text})
    click.echo(say("dialplan.imported", of_environment(), **done))


def _read(source: Path) -> str:
    try:
        if str(source) == "-":
            return sys.stdin.read(LARGEST_FILE)
        with source.open(encoding="utf-8", newline="") as opened:
            return opened.read(LARGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{source}: {error}") from error


def _uid(office: Office, wanted: str | None) -> str:
    """The domain of that identity or name; the only one there is, when none is named."""
    found: list[Shown] = []
    cursor = None
    while True:
        items, cursor = office.page({}, cursor)
        found += [each for each in items if wanted is None or wanted in (each["uid"], each["name"])]
        if cursor is None:
            break
    if len(found) != 1:
        names = ", ".join(f"{each['uid']} ({each['name']})" for each in found[:10])
        key = "dialplan.which" if found else "dialplan.no_domain"
        raise click.ClickException(say(key, of_environment(), names=names, name=wanted))
    uid: str = found[0]["uid"]
    return uid
