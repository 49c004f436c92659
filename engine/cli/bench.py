"""``polyphony bench``: measure this machine with an engine of its own."""

from __future__ import annotations

from dataclasses import asdict

import click
import msgspec

from engine.bench.engine_under_test import BenchError, running_engine
from engine.bench.sip_calls import measure
from engine.language import of_environment, say


@click.group(help=say("cli.bench", of_environment()))
def bench() -> None:
    """The kinds of measurement."""


@bench.command()
@click.option("--rate", type=click.IntRange(1, 2000), default=300, show_default=True, help="Calls a second.")
@click.option("--calls", type=click.IntRange(1), default=3000, show_default=True, help="Calls measured.")
@click.option("--number", default="7000", show_default=True, help="What is called.")
def sip(rate: int, calls: int, number: str) -> None:
    """Processor time of one complete call (sipp's uac, 100 ms a call), in JSON."""
    try:
        with running_engine() as engine:
            result = measure(engine, rate=rate, calls=calls, number=number)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(msgspec.json.encode(asdict(result)).decode())
