"""``polyphony doctor``: places real calls through the running engine and says in words what works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import msgspec

from engine.cli.administration import data_option
from engine.cli.config import file_option, load_or_exit, set_option
from engine.doctor import Server, Visit, examine, well
from engine.language import LANGUAGES, Language, of_environment
from engine.language import say as main_say
from engine.softphone.findings import Finding, Verdict
from engine.softphone.settings import TransportName
from engine.softphone.texts import say

PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+)(?::(?P<port>\d{1,5}))?")
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


@click.command(help=main_say("cli.doctor", of_environment()))
@data_option
@file_option
@set_option
@click.option(
    "--sip", "place", metavar="HOST:PORT", help="Examine this server instead of the data directory's."
)
@click.option("--transport", type=click.Choice(list(DEFAULT_PORTS)), default="udp", help="With --sip.")
@click.option(
    "--ca", type=click.Path(exists=True, dir_okay=False), help="Check the TLS server against this file."
)
@click.option("--user", default="", help="Register, and call, as this line.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File whose first line is the line's password.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Without it, the environment's.")
def doctor(
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    place: str | None,
    transport: TransportName,
    ca: str | None,
    user: str,
    password_file: Path | None,
    as_json: bool,
    language: Language | None,
) -> None:
    """Examine, tell, and exit 1 if anything fails; help comes from the catalogue of texts."""
    language = language or of_environment()
    first, _, last = load_or_exit(file, overrides).media.ports.partition("-")
    visit = Visit(
        data=data if place is None else None,
        server=None if place is None else _server(place, transport),
        rtp_ports=(int(first), int(last)),
        user=user,
        password="" if password_file is None else password_file.read_text("utf-8").partition("\n")[0],
        ca_file=ca or "",
    )
    findings = []
    for finding in examine(visit):
        findings.append(finding)
        if not as_json:
            _tell(finding, language)
    if as_json:
        click.echo(msgspec.json.encode([_record(finding, language) for finding in findings]).decode())
    elif well(findings):
        click.echo(say("doctor.all_well", language))
    else:
        count = sum(finding.verdict is Verdict.FAILS for finding in findings)
        click.echo(say("doctor.not_well", language, count=count))
    sys.exit(0 if well(findings) else 1)


def _server(place: str, transport: TransportName) -> Server:
    match = PLACE.fullmatch(place)
    if match is None or int(match["port"] or 0) > 65535:
        raise click.BadParameter(place, param_hint="--sip")
    return Server(match["host"].strip("[]"), int(match["port"] or DEFAULT_PORTS[transport]), transport)


def _tell(finding: Finding, language: Language) -> None:
    colour = {Verdict.WORKS: "green", Verdict.NOTE: "yellow", Verdict.FAILS: "red"}[finding.verdict]
    word = say(f"doctor.{finding.verdict.value}", language)
    click.echo(f"{click.style(f'{word:8}', fg=colour)} {_sentence(finding, language)}")


def _sentence(finding: Finding, language: Language) -> str:
    return say(f"doctor.{finding.key}", language, **finding.values)


def _record(finding: Finding, language: Language) -> dict[str, object]:
    return {
        "check": finding.check,
        "verdict": finding.verdict.value,
        "key": finding.key,
        "text": _sentence(finding, language),
        "values": {
            name: value if isinstance(value, int | float) else str(value)
            for name, value in finding.values.items()
        },
    }
