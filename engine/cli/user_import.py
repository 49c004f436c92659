"""``polyphony users import``: carry an import out, in the running engine or in the store, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from engine.administration.user_import_outcomes import UserImportOutcomes
from engine.administration.user_import_runs import COUNTS, UserImportRuns
from engine.administration.user_imports import UserImports
from engine.cli.administration import json_option, opened_store, show, store_options
from engine.cli.noun_office import Office, Shown, StoreOffice, opened_office
from engine.domain.imports.run_state import DONE, UNDER_WAY
from engine.imports.texts import say
from engine.language import Language, of_environment

LOOK_SECONDS = 0.5
_SHOWN = ("action", "login", "cause", "field", "reference", "changes")


@click.command("import", help=say("help", of_environment()))
@click.argument("source", metavar="IMPORT")
@click.option(
    "--file",
    "csv",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=say("file", of_environment()),
)
@click.option("--dry-run", is_flag=True, help=say("dry_run", of_environment()))
@click.option("--force", is_flag=True, help=say("force", of_environment()))
@click.option("--report", is_flag=True, help=say("report", of_environment()))
@store_options
@json_option
def import_users(
    source: str,
    csv: Path | None,
    dry_run: bool,
    force: bool,
    report: bool,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Ask for a run, wait for its end; the exit status is 1 when it failed."""
    where = (data, file, overrides)
    with opened_office(*where, UserImports.name) as imports:
        asked: dict[str, Any] = {"user_import": _found(imports, source), "dry_run": dry_run, "force": force}
    if csv is not None:
        asked["csv"] = _text(csv)
    with opened_office(*where, UserImportRuns.name) as runs:
        run = runs.add(asked)
        while not isinstance(runs, StoreOffice) and run["state"] in UNDER_WAY:
            _say_progress(run)
            time.sleep(LOOK_SECONDS)
            run = runs.get(run["uid"])
    if run["state"] in UNDER_WAY:  # no engine runs that would carry it out
        with opened_store(*where, to_read=True) as (store, _config):
            from engine.imports.run import runner

            runner(store.database).run_called(run["uid"])
        with opened_office(*where, UserImportRuns.name) as runs:
            run = runs.get(run["uid"])
    lines = []
    if report:
        with opened_office(*where, UserImportOutcomes.name) as outcomes:
            lines = _all(outcomes, {"run": run["uid"]})
    _print(run, lines, as_json)
    if run["state"] != DONE:
        raise SystemExit(1)


def _found(imports: Office, source: str) -> str:
    """The uid of the import of that name, or uid."""
    matching = [each["uid"] for each in _all(imports, {}) if source in (each["uid"], each["name"])]
    if len(matching) != 1:
        raise click.ClickException(say("unknown", of_environment(), name=source))
    uid: str = matching[0]
    return uid


def _all(office: Office, wanted: Mapping[str, str]) -> list[Shown]:
    found, cursor = office.page(wanted, None)
    while cursor is not None:
        items, cursor = office.page(wanted, cursor)
        found += items
    return found


def _text(path: Path) -> str:
    """A file as text: spreadsheets write UTF-8 with a mark, or the letters of Windows."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _say_progress(run: Shown) -> None:
    language = of_environment()
    stage = say(f"stage.{run['stage'] or 'waiting'}", language, entries=run["entries"])
    click.echo(stage, err=True)


def _print(run: Shown, lines: list[Shown], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode({**run, "outcomes": lines} if lines else run).decode())
        return
    language = of_environment()
    if lines:
        show([_row(each, language) for each in lines], _SHOWN, as_json=False)
    click.echo(say(f"{'dry' if run['dry_run'] else 'over'}", language, **{n: run[n] for n in COUNTS}))
    if run["state"] != DONE:
        reason = say(f"why.{run['reason'] or 'interrupted'}", language, detail=run["detail"])
        click.echo(say("nothing", language, reason=reason), err=True)


def _row(outcome: Shown, language: Language) -> dict[str, str]:
    """A line of the report, in words."""
    reason, changes = outcome["reason"], outcome["changes"].items()
    return {
        "action": say(f"action.{outcome['action']}", language),
        "login": outcome["login"],
        "cause": say(f"of.{reason}", language) if reason else "",
        "field": outcome["field"],
        "reference": outcome["reference"],
        "changes": ", ".join(f"{name}: {before!s} > {after!s}" for name, (before, after) in changes),
    }
