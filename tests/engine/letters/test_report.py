"""The closing report: golden text in both languages, the picture, and who gets it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from conference.attendance import CloseReason, LeaveReason, MeetingReport, Talk
from conference.role import Role
from engine.letters.office import drawn
from engine.letters.picture import BACKGROUND, LABELS, LANE, PRESENT, TALKING, TIMES, TOP, WIDTH, plain
from engine.letters.report import MOST_LANES, Addressee, drawing, report_letter
from tests.engine.conferences.test_meeting_store import REPORT

GOLDEN = Path(__file__).parent.parent.parent / "golden" / "letters"
T0 = datetime(2026, 9, 21, 14, tzinfo=UTC).timestamp()
ZOE = Addressee("Zoé", "zoe@example.com", "fr", ZoneInfo("Europe/Paris"))
ANN = Addressee("", "ann@example.com", "en", UTC)
_THERE = REPORT.attendances[1]
MEETING = replace(
    REPORT,
    name="Réunion <hebdo>",
    opened_at=T0,
    closed_at=T0 + 600,
    most=2,
    reason=CloseReason.EMPTY,
    attendances=(
        replace(
            _THERE,
            participant=1,
            name="Zoé",
            number="101",
            joined_at=T0,
            entered_at=T0,
            left_at=T0 + 600,
            talk_seconds=150.0,
            mos=4.2,
        ),
        replace(
            _THERE,
            participant=2,
            name="",
            number="0612345678",
            role=Role.GUEST,
            joined_at=T0 + 60,
            entered_at=T0 + 120,
            left_at=T0 + 480,
            talk_seconds=60.0,
            mos=3.3,
            reason=LeaveReason.HUNG_UP,
        ),
        replace(
            _THERE,
            participant=3,
            name="",
            number="",
            role=Role.GUEST,
            joined_at=T0 + 200,
            entered_at=None,
            left_at=T0 + 230,
            talk_seconds=0.0,
            mos=None,
            reason=LeaveReason.DENIED,
        ),
    ),
    talks=(
        Talk(participant=1, began=T0 + 150, ended=T0 + 300),
        Talk(participant=2, began=T0 + 300, ended=T0 + 360),
    ),
)


def letter(to: Addressee, report: MeetingReport = MEETING, picture: bytes | None = b"\x89PNG") -> str:
    made = report_letter(
        report, to, "conferences@example.com", picture, datetime(2026, 9, 21, 15, tzinfo=UTC), "id@b"
    )
    made.encode()
    return f"{made.subject}\n\n{made.text}\n{made.html}"


@pytest.mark.parametrize(("name", "to"), [("report.fr.txt", ZOE), ("report.en.txt", ANN)])
def test_golden_letters(name: str, to: Addressee) -> None:
    """To the letter, in the time zone and the language of whom it is for; what people typed is escaped."""
    assert letter(to) == (GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize("reason", CloseReason)
def test_every_end_has_words(reason: CloseReason) -> None:
    """In both languages; also for a room without a name in which nobody was, and without a picture."""
    empty = replace(MEETING, reason=reason, name="", attendances=(), talks=(), recorded=False)
    assert letter(ZOE, empty, None).startswith("Compte rendu : salle 9010, lundi 21 septembre 2026\n")
    assert "cid:" not in letter(ANN, empty, None)


def test_the_picture() -> None:
    """A lane for each who was in, who talked most on top: light while there, dark while talking, white before."""
    png = drawn(drawing(MEETING, ZOE))
    assert png is not None
    image = Image.open(io.BytesIO(png)).convert("RGB")
    assert image.size[0] == WIDTH

    def colour(lane: int, seconds: float) -> str:
        x = LABELS + round((WIDTH - LABELS - TIMES) * seconds / 600)
        red, green, blue = image.getpixel((x, TOP + LANE * lane + LANE // 2))  # type: ignore[misc]  # three of RGB
        return f"#{red:02x}{green:02x}{blue:02x}"

    assert [colour(0, at) for at in (100, 200, 400)] == [PRESENT, TALKING, PRESENT]
    assert [colour(1, at) for at in (90, 200, 330, 450, 500)] == [
        BACKGROUND,
        PRESENT,
        TALKING,
        PRESENT,
        BACKGROUND,
    ]


def test_a_large_meeting() -> None:
    """The picture stays of a size to look at, and says how many are left out."""
    crowd = replace(
        MEETING, attendances=tuple(replace(_THERE, participant=at) for at in range(MOST_LANES + 5))
    )
    made = drawing(crowd, ANN)
    assert (len(made.lanes), made.footer) == (MOST_LANES, "and 5 more")


def test_what_cannot_be_drawn_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report goes without its picture."""
    monkeypatch.setattr("engine.letters.office.sys.executable", "/nowhere/python")
    assert drawn(drawing(MEETING, ZOE)) is None


def test_letters_without_accents() -> None:
    """What Pillow's own font shows where the system has no other."""
    assert plain("Zoé Lefèvre 王") == "Zoe Lefevre ?"
