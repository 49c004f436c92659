"""``polyphony recordings``: what callers have left."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from engine.cli.administration import json_option, opened_store, show, store_options
from engine.language import of_environment, say

COLUMNS = ("number", "caller", "started_at", "seconds", "reason", "path")


@click.command(help=say("cli.recordings", of_environment()))
@store_options
@click.option("--number", help="Only those of this automate.")
@click.option(
    "--count", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest first."
)
@json_option
def recordings(
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    number: str | None,
    count: int,
    as_json: bool,
) -> None:
    """List the newest recordings; help comes from the catalogue of texts."""
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        found = [asdict(each) for each in store.recordings.latest(count, number)]
    if not as_json:
        for each in found:
            each["reason"] = each["reason"] or say("recordings.going_on", of_environment())
    show(found, COLUMNS, as_json=as_json)
