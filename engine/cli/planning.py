"""``polyphony conferences plan`` and ``cancel``: meetings, and the messages to those concerned."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click

from conference.role import Role
from engine.cli.administration import opened_store, saved, store_options
from engine.language import of_environment, say
from engine.letters.planning import Planning, Told, new_identity, way_of
from engine.store.conferences.records import Invitee
from engine.store.conferences.rules import planned_meeting

WALL_CLOCK = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.command(help=say("conferences.plan", of_environment()))
@click.argument("room")
@click.argument("title")
@click.argument("start", type=WALL_CLOCK)
@click.argument("end", type=WALL_CLOCK)
@click.option("--zone", required=True, help="Time zone of START and END, such as Europe/Paris.")
@click.option("--repeat", default="", help="RRULE of RFC 5545, such as FREQ=WEEKLY;COUNT=10.")
@click.option("--early", default=15, show_default=True, help="Minutes before the start one may come in.")
@click.option("--text", default="", help="What it is about.")
@click.option("--organiser", default="", help="The organiser's name.")
@click.option("--organiser-address", default="", help="Where answers and the report go.")
@click.option(
    "--language", default="en", show_default=True, help="Of the organiser, and of who has none given."
)
@click.option("--guest", "guests", multiple=True, help="ADDRESS or LANGUAGE:ADDRESS; repeatable.")
@click.option("--host", "hosts", multiple=True, help="The same for who is told the host PIN.")
@store_options
def plan(
    room: str,
    title: str,
    start: datetime,
    end: datetime,
    zone: str,
    repeat: str,
    early: int,
    text: str,
    organiser: str,
    organiser_address: str,
    language: str,
    guests: tuple[str, ...],
    hosts: tuple[str, ...],
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Plan a meeting TITLE in ROOM from START to END, on the wall clock, and invite."""
    invitees = [_invitee(each, Role.HOST, language) for each in hosts]
    invitees += [_invitee(each, Role.GUEST, language) for each in guests]
    with opened_store(data, file, overrides, to_read=True) as (store, config):
        meeting = planned_meeting(
            uid=new_identity(config.mail.sender),
            room=room,
            title=title,
            start=start,
            end=end,
            time_zone=zone,
            recurrence=repeat,
            early_minutes=early,
            description=text,
            organiser_name=organiser,
            organiser_address=organiser_address,
            language=language,
        )
        planned, told = Planning(store, way_of(config.mail), time.time).plan(meeting, invitees)
    saved(data, f"{say('conferences.planned', of_environment(), uid=planned.uid)} {_said(told)}")


@click.command(help=say("conferences.cancel", of_environment()))
@click.argument("uid")
@store_options
def cancel(uid: str, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Cancel the planned meeting UID and tell everybody who was invited."""
    with opened_store(data, file, overrides, to_read=True) as (store, config):
        _, told = Planning(store, way_of(config.mail), time.time).cancel(uid)
    saved(data, f"{say('conferences.cancelled', of_environment(), uid=uid)} {_said(told)}")


def _said(told: Told) -> str:
    return say("conferences.told", of_environment(), mails=told.invited + told.changed + told.cancelled)


def _invitee(text: str, role: Role, language: str) -> Invitee:
    own, separator, address = text.partition(":")
    return Invitee(address=address if separator else own, language=own if separator else language, role=role)
