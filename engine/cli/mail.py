"""``polyphony mail``: messages on their way, and those that could not be delivered."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import click

from engine.cli.administration import json_option, opened_store, saved, show, store_options
from engine.language import of_environment, say

COLUMNS = ("mail", "recipient", "subject", "state", "attempts", "error")


@click.group(invoke_without_command=True, help=say("cli.mail", of_environment()))
@store_options
@json_option
@click.pass_context
def mail(
    context: click.Context, data: Path, file: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Without a command: every message in the queue, the newest first, without its content."""
    if context.invoked_subcommand is not None:
        return
    language = of_environment()
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        mails = store.mails.all()
    found = []
    for each in mails:
        values = asdict(each)
        values.pop("content")
        state = say("mail.given_up" if each.due_at is None else "mail.waits", language)
        found.append({**values, "mail": values.pop("id"), "state": state})
    show(found, COLUMNS, as_json=as_json)


@mail.command(help=say("mail.retry", of_environment()))
@click.argument("message", type=int)
@store_options
def retry(message: int, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Put MESSAGE at the beginning of its attempts."""
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        store.mails.try_again(message, time.time())
    saved(data, say("mail.retried", of_environment(), mail=message))


@mail.command(help=say("mail.remove", of_environment()))
@click.argument("message", type=int)
@store_options
def remove(message: int, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Forget MESSAGE."""
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        store.mails.remove(message)
    saved(data, say("mail.removed", of_environment(), mail=message))
