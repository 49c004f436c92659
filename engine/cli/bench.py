"""``polyphony bench``: measure this machine with an engine of its own."""

from __future__ import annotations

from dataclasses import asdict, replace

import click
import msgspec

from engine.bench.engine_under_test import BenchError, running_engine
from engine.bench.media.scenarios import BY_NAME, MEMORY_KINDS
from engine.bench.sip_calls import measure
from engine.language import of_environment, say


@click.group(help=say("cli.bench", of_environment()))
def bench() -> None:
    """The kinds of measurement."""


@bench.command()
@click.option("--rate", type=click.IntRange(1, 2000), default=100, show_default=True, help="Calls a second.")
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


@bench.command(help=say("bench.churn", of_environment()))
@click.option("--minutes", type=click.FloatRange(0.05), default=30.0, show_default=True)
@click.option("--warm-up", type=click.FloatRange(0), help=say("bench.warm_up", of_environment()))
@click.option("--rate", type=click.FloatRange(0.1), default=20.0, show_default=True, help="Calls a second.")
@click.option("--shortest", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds.")
@click.option("--longest", type=click.FloatRange(0.1), default=20.0, show_default=True, help="Seconds.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option("--cpu", type=click.IntRange(0), help=say("bench.cpu", of_environment()))
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help=say("bench.set", of_environment())
)
def churn(
    minutes: float,
    warm_up: float | None,
    rate: float,
    shortest: float,
    longest: float,
    workers: int,
    cpu: int | None,
    settings: tuple[str, ...],
) -> None:
    """One JSON object in the end, the verdict on standard error; status 1 when something was left or too late."""
    from engine.bench.media.churn import churn as let_calls_come_and_go
    from engine.bench.media.churn_result import verdict
    from engine.bench.media.measure import apart

    try:
        # keys may travel in clear on loopback
        allowed = ("media.srtp_any_signalling=true", *settings)
        with apart(cpu), running_engine(workers, more=allowed, cpu=cpu) as engine:
            result = let_calls_come_and_go(
                engine,
                minutes=minutes,
                warm_up=warm_up,
                rate=rate,
                shortest=shortest,
                longest=longest,
            )
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    click.echo(msgspec.json.encode(asdict(result)).decode())
    click.echo(verdict(result, of_environment()), err=True)
    raise SystemExit(0 if result.kept else 1)


@bench.command(help=say("bench.memory", of_environment()))
@click.option(
    "--kind",
    "names",
    type=click.Choice(list(MEMORY_KINDS)),
    multiple=True,
    help=say("bench.scenario", of_environment()),
)
@click.option(
    "--few", type=click.IntRange(1), default=100, show_default=True, help=say("bench.few", of_environment())
)
@click.option(
    "--many", type=click.IntRange(2), default=500, show_default=True, help=say("bench.many", of_environment())
)
@click.option(
    "--settle",
    type=click.FloatRange(0.1),
    default=12.0,
    show_default=True,
    help=say("bench.settle", of_environment()),
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help=say("bench.set", of_environment())
)
def memory(names: tuple[str, ...], few: int, many: int, settle: float, settings: tuple[str, ...]) -> None:
    """Each kind on its own engine, one JSON object a line; status 1 when a leg takes too much."""
    from engine.bench.media.leg_memory import leg_memory  # numpy, for those who measure

    if many <= few:
        raise click.UsageError(say("bench.many_few", of_environment()))
    kept = True
    for name in names or MEMORY_KINDS:
        try:
            with running_engine(more=("media.srtp_any_signalling=true", *settings)) as engine:
                result = leg_memory(MEMORY_KINDS[name], engine, few, many, settle)
        except BenchError as error:
            raise click.ClickException(f"{name}: {error}") from error
        kept = kept and result.kept
        click.echo(msgspec.json.encode(asdict(result)).decode())
    raise SystemExit(0 if kept else 1)


@bench.command(help=say("bench.media", of_environment()))
@click.option(
    "--scenario",
    "names",
    type=click.Choice(list(BY_NAME)),
    multiple=True,
    help=say("bench.scenario", of_environment()),
)
@click.option("--calls", type=click.IntRange(1), help=say("bench.calls", of_environment()))
@click.option("--seconds", type=click.FloatRange(1), default=10.0, show_default=True)
@click.option("--warm-up", type=click.FloatRange(0), default=2.0, show_default=True)
@click.option(
    "--cpu", type=click.IntRange(0), default=0, show_default=True, help=say("bench.cpu", of_environment())
)
@click.option("--to", "address", help=say("bench.to", of_environment()))
@click.option("--pid", "pids", type=int, multiple=True, help=say("bench.pid", of_environment()))
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help=say("bench.set", of_environment())
)
def media(
    names: tuple[str, ...],
    calls: int | None,
    seconds: float,
    warm_up: float,
    cpu: int,
    address: str | None,
    pids: tuple[int, ...],
    settings: tuple[str, ...],
) -> None:
    """Each scenario on its own engine, one JSON object a line."""
    from engine.bench.media.suite import Options, run_scenario  # numpy, for those who measure

    options = Options(seconds, warm_up, cpu, address, pids, settings)
    for name in names or tuple(BY_NAME):
        scenario = BY_NAME[name] if calls is None else replace(BY_NAME[name], calls=calls)
        try:
            result: object = asdict(run_scenario(scenario, options))
        except BenchError as error:
            result = {"scenario": name, "error": str(error)}
        click.echo(msgspec.json.encode(result).decode())
