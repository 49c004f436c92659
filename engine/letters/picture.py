"""The talk-time picture of a report: who was there and who talked when, a lane each.

Drawn by Pillow in a process of its own (``python -m engine.letters.picture``, a drawing as JSON on standard input, the
PNG on standard output): the engine holds neither the library nor the canvas.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

WIDTH = 900
LABELS, TIMES = 230, 70
"""Pixels left and right of the lanes."""
LANE, TOP, BOTTOM = 24, 44, 48
LONGEST_LABEL = 34
STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
"""Seconds between marks of the clock: the first that gives at most ten."""
BACKGROUND, TEXT, GRID, PRESENT, TALKING = "#ffffff", "#222222", "#dddddd", "#cfe3f5", "#1f6fb2"
FONT = "DejaVuSans.ttf"
LARGEST_INPUT = 8 << 20


class Lane(msgspec.Struct):
    """One participant. Times: Unix seconds; talks: (began, ended); said: the total, in words."""

    label: str
    came: float
    left: float
    talks: list[tuple[float, float]]
    said: str


class Drawing(msgspec.Struct):
    """The whole picture. clock_offset: seconds the clock shown is ahead of UTC."""

    title: str
    began: float
    ended: float
    clock_offset: float
    lanes: list[Lane]
    footer: str = ""


def draw(drawing: Drawing) -> bytes:
    """The PNG."""
    from PIL import Image, ImageDraw

    height = TOP + LANE * max(1, len(drawing.lanes)) + BOTTOM
    image = Image.new("RGB", (WIDTH, height), BACKGROUND)
    canvas = ImageDraw.Draw(image)
    small, large = Pen(11), Pen(14)
    large.write(canvas, (10, 12), drawing.title, 100)
    _marks(canvas, drawing, small, height)
    for index, lane in enumerate(drawing.lanes):
        top = TOP + LANE * index
        small.write(canvas, (10, top + 5), lane.label, LONGEST_LABEL)
        canvas.rectangle((_x(drawing, lane.came), top + 4, _x(drawing, lane.left), top + LANE - 5), PRESENT)
        for began, ended in lane.talks:
            left, right = _x(drawing, began), _x(drawing, ended)
            canvas.rectangle((left, top + 4, max(left, right), top + LANE - 5), TALKING)
        small.write(canvas, (WIDTH - TIMES + 8, top + 5), lane.said, LONGEST_LABEL)
    small.write(canvas, (10, height - 20), drawing.footer, LONGEST_LABEL)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _marks(canvas: ImageDraw, drawing: Drawing, pen: Pen, height: int) -> None:
    """The clock beneath the lanes, and a line up from each mark."""
    bottom = height - BOTTOM
    span = drawing.ended - drawing.began
    step = next((each for each in STEPS if span / each <= 10), STEPS[-1])
    first = drawing.began + drawing.clock_offset
    mark = -(-first // step) * step
    while mark <= first + span:
        x = _x(drawing, mark - drawing.clock_offset)
        canvas.line((x, TOP, x, bottom), GRID)
        minutes = int(mark // 60) % 1440
        pen.write(canvas, (x - 14, bottom + 6), f"{minutes // 60:02}:{minutes % 60:02}", LONGEST_LABEL)
        mark += step


def _x(drawing: Drawing, at: float) -> int:
    share = (at - drawing.began) / max(1.0, drawing.ended - drawing.began)
    return LABELS + round((WIDTH - LABELS - TIMES) * min(1.0, max(0.0, share)))


class Pen:
    """Writes in the system's DejaVu Sans; without it in Pillow's own font, which has ASCII only."""

    def __init__(self, size: int) -> None:
        from PIL import ImageFont

        self._font: Font
        try:
            self._font, self._every_letter = ImageFont.truetype(FONT, size), True
        except OSError:
            self._font, self._every_letter = ImageFont.load_default(size), False

    def write(self, canvas: ImageDraw, at: tuple[int, int], text: str, length: int) -> None:
        """``text``, cut to so many characters."""
        cut = text if len(text) <= length else text[: length - 3] + "..."
        canvas.text(at, cut if self._every_letter else plain(cut), TEXT, font=self._font)


def plain(text: str) -> str:
    """``text`` in ASCII: accents go, what has no such letter becomes a question mark."""
    bare = (each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return "".join(bare).encode("ascii", "replace").decode()


def main() -> None:
    """Draw what comes on standard input."""
    drawing = msgspec.json.decode(sys.stdin.buffer.read(LARGEST_INPUT), type=Drawing)
    sys.stdout.buffer.write(draw(drawing))


if __name__ == "__main__":
    main()
