"""``polyphony conferences`` and ``polyphony mail``: what an administrator sees of rooms, meetings and the queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.store import Store
from engine.store.first_start import fill
from engine.store.mails import Mail
from tests.engine.conferences.test_meeting_store import GUEST, MEETING, REPORT


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    data.mkdir()
    store = Store(f"sqlite:///{data / 'store.sqlite3'}")
    store.open()
    fill(store)
    yield store
    store.close()


def run(data: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--data", str(data)], env={"LANG": "en"})
    assert done.exit_code == 0, done.output
    return done.output


def test_rooms_with_their_pins(data: Path, store: Store) -> None:
    """The table has the PINs; JSON the whole definition."""
    closed = store.rooms.get("9010")
    assert closed is not None
    lines = run(data, "conferences").splitlines()
    assert lines[1].split() == ["9001", "Open", "room", "permanent"]
    assert f"{closed.definition.host_pin}" in lines[2]
    assert f"{closed.definition.guest_pin}" in lines[2]
    shown = json.loads(run(data, "conferences", "--json"))
    assert [(each["number"], each["lobby"]) for each in shown] == [("9001", "off"), ("9010", "until_host")]


def test_planned_meetings(data: Path, store: Store) -> None:
    """With when they are next held; one that is over has no such time."""
    store.planned_meetings.add(MEETING)
    past = datetime.fromisoformat("2001-01-01T10:00")
    over = replace(MEETING, uid="b@b", recurrence="", excluded=(), start=past, end=past + timedelta(hours=1))
    store.planned_meetings.add(over)
    store.planned_meetings.invite(MEETING.uid, [GUEST])
    shown = {each["uid"]: each for each in json.loads(run(data, "conferences", "meetings", "--json"))}
    assert shown["b@b"]["next"] == ""
    assert "T10:00:00+0" in shown[MEETING.uid]["next"]
    assert shown[MEETING.uid]["invitees"][0]["address"] == GUEST.address
    assert MEETING.title in run(data, "conferences", "meetings")


def test_meetings_that_are_over(data: Path, store: Store) -> None:
    """Who was there is in the JSON."""
    store.conference_journal.close(REPORT)
    assert "host_left" in run(data, "conferences", "held")
    (shown,) = json.loads(run(data, "conferences", "held", "--json"))
    assert [each["name"] for each in shown["attendances"]] == ["Bob", ""]


def test_the_queue_of_mail(data: Path, store: Store) -> None:
    """What was given up is seen with the server's words, sent again, or forgotten; the content is not shown."""
    store.mails.put(
        [Mail(recipient="bob@example.com", subject="Hé", content=b"a secret PIN", created_at=1.0, due_at=1.0)]
    )
    (mail,) = store.mails.all()
    store.mails.failed(mail.id, "550 nobody", None)
    listed = run(data, "mail")
    assert "given up" in listed
    assert "550 nobody" in listed
    assert "PIN" not in listed + run(data, "mail", "--json")
    assert "sent again" in run(data, "mail", "retry", str(mail.id))
    assert store.mails.all()[0].due_at is not None
    run(data, "mail", "remove", str(mail.id))
    assert store.mails.all() == []
    failed = CliRunner().invoke(main, ["mail", "remove", "99", "--data", str(data)], env={"LANG": "en"})
    assert failed.exit_code == 1
    assert "there is no mail 99" in failed.output


def test_planning_and_cancelling(data: Path, store: Store) -> None:
    """Everybody is written to in their language; a mistake is told by the field, and stores nothing."""
    mail = ["--set", "mail.host=mail.example.com", "--set", "mail.sender=conferences@example.com"]
    times = [
        "2026-11-30T10:00",
        "2026-11-30T11:00",
        "--zone",
        "Europe/Paris",
        "--repeat",
        "FREQ=WEEKLY;COUNT=3",
    ]
    people = ["--host", "fr:zoe@example.com", "--guest", "bob@example.com"]
    assert "Messages queued: 2." in run(data, "conferences", "plan", "9010", "Weekly", *times, *people, *mail)
    (meeting,) = store.planned_meetings.all()
    assert {each.subject for each in store.mails.all()} == {"Invitation: Weekly", "Invitation : Weekly"}
    assert "Messages queued: 2." in run(data, "conferences", "cancel", meeting.uid, *mail)
    assert store.planned_meetings.all()[0].cancelled
    for wrong, said in (
        (["9999", "Weekly", *times], "no room 9999"),
        (["9010", "Weekly", *times, "--guest", "bob"], "invitees"),
        (["9010", "Weekly", *times, "--early", "9999"], "early_minutes"),
        (["9010", "Weekly", *times, "--repeat", "FREQ=HOURLY"], "recurrence"),
    ):
        done = CliRunner().invoke(
            main, ["conferences", "plan", *wrong, "--data", str(data)], env={"LANG": "en"}
        )
        assert done.exit_code == 1
        assert said in done.output
    assert len(store.planned_meetings.all()) == 1
