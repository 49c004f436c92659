"""The closing report of a conference: who was there when, how long each talked, and how it sounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from conference.attendance import Attendance, MeetingReport
from conference.role import Role
from engine.domain.scope import plain
from engine.language import LANGUAGES, Language
from engine.letters.page import Page
from engine.letters.picture import Drawing, Lane
from engine.letters.texts import clock, day, length, write
from engine.mail.message import Message, Picture

PICTURE = "talk-time.png"
MOST_LANES = 40
"""People in the picture; who talked least is left out of it, never of the table."""
GOOD_MOS, FAIR_MOS = 3.8, 3.1
"""Bounds of the words: users satisfied, and some dissatisfied, by G.107 annex B (R 75 and 60)."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom the report is for. zone: the one its times are told in."""

    name: str
    address: str
    language: str
    zone: tzinfo


def report_letter(
    report: MeetingReport,
    to: Addressee,
    sender: str,
    picture: bytes | None,
    made_at: datetime,
    identity: str,
) -> Message:
    """The letter. picture: a PNG of ``drawing``; None: the letter goes without."""
    language = _language(to.language)
    opened, closed = (datetime.fromtimestamp(at, to.zone) for at in (report.opened_at, report.closed_at))
    name = _name(report, language)
    subject = write("report.subject", language, name=name, day=day(opened, language))
    page = Page(subject, language)
    page.paragraph(write("report.opening", language, name=name))
    when = write(
        "report.when",
        language,
        day=day(opened, language),
        start=clock(opened),
        end=clock(closed),
        zone=opened.tzname() or "UTC",
        length=length(report.closed_at - report.opened_at),
    )
    people = write("report.most", language, people=len(report.attendances), most=report.most)
    recorded = write("report.recorded" if report.recorded else "report.not_recorded", language)
    page.paragraph("\n".join([when, write(f"report.reason.{report.reason}", language), people, recorded]))
    if report.attendances:
        page.table(_head(language), [_row(each, to.zone, language) for each in report.attendances])
    if picture is not None:
        page.picture(PICTURE, write("report.picture", language))
    return Message(
        sender=("Polyphony", sender),
        recipient=(to.name, to.address),
        subject=subject,
        text=page.text,
        html=page.html,
        picture=None if picture is None else Picture(PICTURE, picture),
        date=made_at,
        identity=identity,
        language=language,
    )


def drawing(report: MeetingReport, to: Addressee) -> Drawing:
    """What the picture shows: a lane for each participant, those who talked most on top."""
    language = _language(to.language)
    talks: dict[int, list[tuple[float, float]]] = {}
    for talk in report.talks:
        talks.setdefault(talk.participant, []).append((talk.began, talk.ended))
    present = [each for each in report.attendances if each.entered_at is not None]
    present.sort(key=lambda each: -each.talk_seconds)
    lanes = [
        Lane(
            _who(each, language),
            each.entered_at or each.joined_at,
            each.left_at,
            talks.get(each.participant, []),
            length(each.talk_seconds),
        )
        for each in present[:MOST_LANES]
    ]
    left_out = len(present) - len(lanes)
    opened = datetime.fromtimestamp(report.opened_at, to.zone)
    return Drawing(
        title=write(
            "report.picture_title", language, name=_name(report, language), day=day(opened, language)
        ),
        began=report.opened_at,
        ended=report.closed_at,
        clock_offset=_ahead(opened),
        lanes=lanes,
        footer=write("report.more", language, n=left_out) if left_out else "",
    )


def _head(language: Language) -> list[str]:
    columns = ("participant", "role", "from", "to", "present", "talked", "quality")
    return [write(f"report.{each}", language) for each in columns]


def _row(attendance: Attendance, zone: tzinfo, language: Language) -> list[str]:
    came = attendance.entered_at if attendance.entered_at is not None else attendance.joined_at
    waited_only = attendance.entered_at is None
    return [
        _who(attendance, language),
        write("report.host" if attendance.role is Role.HOST else "report.guest", language),
        clock(datetime.fromtimestamp(came, zone)),
        clock(datetime.fromtimestamp(attendance.left_at, zone)),
        write("report.lobby", language) if waited_only else length(attendance.left_at - came),
        length(attendance.talk_seconds),
        _quality(attendance.mos, language),
    ]


def _quality(mos: float | None, language: Language) -> str:
    if mos is None:
        return write("quality.none", language)
    word = "good" if mos >= GOOD_MOS else "fair" if mos >= FAIR_MOS else "poor"
    figure = f"{mos:.1f}"
    return (
        f"{write(f'quality.{word}', language)} ({figure.replace('.', ',') if language == 'fr' else figure})"
    )


def _who(attendance: Attendance, language: Language) -> str:
    name, number = attendance.name, attendance.number
    if name and number and name != number:
        return f"{name} ({number})"
    return name or number or write("report.unknown", language)


def _name(report: MeetingReport, language: Language) -> str:
    return report.name or write("report.room", language, number=plain(report.number))


def _language(language: str) -> Language:
    return language if language in LANGUAGES else "en"


def _ahead(at: datetime) -> float:
    """Seconds its clock is ahead of UTC."""
    offset = at.utcoffset()
    return 0.0 if offset is None else offset.total_seconds()
