"""``polyphony plan``: how many calls this machine carries."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click
import msgspec

from engine.language import Language, of_environment, say

KIND_WIDTH, NUMBER_WIDTH = 34, 14


@click.command(help=say("cli.plan", of_environment()))
@click.option(
    "--max-load",
    type=click.IntRange(10, 100),
    default=85,
    show_default=True,
    help=say("plan.max_load", of_environment()),
)
@click.option("--workers", type=click.IntRange(1), help=say("plan.workers", of_environment()))
@click.option("--json", "as_json", is_flag=True, help=say("plan.json", of_environment()))
def plan(max_load: int, workers: int | None, as_json: bool) -> None:
    """Measure, then say it in words or in JSON."""
    from engine.plan.calibration import calibrate  # numpy, for those who measure
    from engine.plan.scratch_worker import CalibrationError

    language, count = of_environment(), workers or len(os.sched_getaffinity(0))

    def began(kind: str) -> None:
        click.echo(say("plan.measuring", language, kind=say(f"plan.{kind}", language)), err=True)

    try:
        found = calibrate(began)
    except CalibrationError as error:
        raise click.ClickException(say("plan.failed", language, error=error)) from error
    rows = found.table(max_load, count)
    if as_json:
        told = {"workers": count, "max_load_percent": max_load, "busy": found.busy, "kinds": rows}
        click.echo(msgspec.json.encode(told).decode())
        return
    for line in as_table(rows, language):
        click.echo(line)
    click.echo(say("plan.summary", language, workers=count, max_load=max_load))
    if found.busy:
        click.echo(say("plan.busy", language))


def as_table(rows: Iterable[dict[str, object]], language: Language) -> list[str]:
    """The rows as lines of text, a heading first."""
    heading = [say(f"plan.{column}", language) for column in ("kind", "cost", "per_core", "in_all")]
    lines = [_line(heading[0], heading[1:])]
    for row in rows:
        kind = say(f"plan.{row['kind']}", language)
        if row["legs_per_core"] is None:
            lines.append(_line(kind, [say("plan.unavailable", language)]))
        else:
            numbers = (row["microseconds_per_tick"], row["legs_per_core"], row["legs_in_all"])
            lines.append(_line(kind, [str(each) for each in numbers]))
    return lines


def _line(kind: str, columns: list[str]) -> str:
    return kind.ljust(KIND_WIDTH) + "".join(each.rjust(NUMBER_WIDTH) for each in columns)
