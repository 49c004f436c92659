"""``polyphony calls``: the calls that are over, and how they sounded."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from engine.cli.administration import json_option, opened_store, show, store_options
from engine.language import of_environment, say

COLUMNS = (
    "started_at",
    "direction",
    "number",
    "link",
    "codec",
    "seconds",
    "packets_received",
    "lost",
    "late",
    "jitter_average_ms",
    "delay_ms",
    "mos_lowest",
    "mos_average",
)


@click.command(help=say("cli.calls", of_environment()))
@store_options
@click.option("--number", help="Only those with this number.")
@click.option(
    "--count", type=click.IntRange(min=1), default=50, show_default=True, help="How many, the newest first."
)
@json_option
def calls(
    data: Path, file: Path | None, overrides: tuple[str, ...], number: str | None, count: int, as_json: bool
) -> None:
    """The newest calls; help comes from the catalogue of texts."""
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        found = [asdict(each) for each in store.calls.latest(count, number)]
    if not as_json:
        for each in found:
            for name, value in each.items():
                if isinstance(value, float) and name != "started_at":
                    each[name] = round(value, 2)
    show(found, COLUMNS, as_json=as_json)
