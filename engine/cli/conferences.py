"""``polyphony conferences``: rooms with their numbers and PINs, planned meetings, and those that are over."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from engine.cli.administration import json_option, opened_store, show, store_options
from engine.cli.planning import cancel, plan
from engine.language import of_environment, say
from engine.store.conferences.records import DEFINITION, ConferenceRoom

ROOM_COLUMNS = ("number", "name", "kind", "owner", "host_pin", "guest_pin")
MEETING_COLUMNS = ("room", "title", "next", "uid")
HELD_COLUMNS = ("number", "name", "opened_at", "seconds", "most", "reason")


@click.group(invoke_without_command=True, help=say("cli.conferences", of_environment()))
@store_options
@json_option
@click.pass_context
def conferences(
    context: click.Context, data: Path, file: Path | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Without a command: every room, with its PINs. Whoever reads the data directory is its administrator."""
    if context.invoked_subcommand is None:
        with opened_store(data, file, overrides, to_read=True) as (store, _):
            rooms = store.rooms.all()
        show([_room(each) for each in rooms], ROOM_COLUMNS, as_json=as_json)


@conferences.command(help=say("conferences.meetings", of_environment()))
@store_options
@json_option
def meetings(data: Path, file: Path | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Planned meetings, with who is invited (in JSON)."""
    found: list[dict[str, Any]] = []
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        for each in store.planned_meetings.all():
            coming = each.next(datetime.now(UTC))
            invited = [asdict(invitee) for invitee in store.planned_meetings.invitees(each.uid)]
            at = "" if coming is None else coming.start.isoformat()
            found.append({**asdict(each), "next": at, "invitees": invited})
    show(found, MEETING_COLUMNS, as_json=as_json)


@conferences.command(help=say("conferences.held", of_environment()))
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@store_options
@json_option
def held(data: Path, file: Path | None, overrides: tuple[str, ...], count: int, as_json: bool) -> None:
    """Meetings that are over; in JSON with who was there."""
    with opened_store(data, file, overrides, to_read=True) as (store, _):
        found = [
            {
                **asdict(each),
                "seconds": each.closed_at - each.opened_at,
                "attendances": [asdict(one) for one in store.conference_journal.attendances(each.meeting)],
            }
            for each in store.conference_journal.held(count)
        ]
    show(found, HELD_COLUMNS, as_json=as_json)


conferences.add_command(plan)
conferences.add_command(cancel)


def _room(room: ConferenceRoom) -> dict[str, Any]:
    """As it is printed: nothing where there is no PIN or owner."""
    values = {name: getattr(room.definition, name) for name in DEFINITION}
    shown = {name: values[name] or "" for name in ("owner", "host_pin", "guest_pin")}
    return {**values, **shown, "owner_address": room.owner_address, "enabled": room.enabled}
