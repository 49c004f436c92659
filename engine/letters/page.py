"""A letter as plain text and as HTML, from the same paragraphs; everything from people is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

_STYLE = "font-family:sans-serif;font-size:14px;color:#222"
_CELL = "padding:3px 12px 3px 0;text-align:left;vertical-align:top"


@dataclass(slots=True)
class Page:
    """What a letter says, top to bottom."""

    title: str
    language: str
    _text: list[str] = field(default_factory=list)
    _html: list[str] = field(default_factory=list)

    def paragraph(self, text: str) -> None:
        """Text; its line feeds are kept."""
        self._text.append(text)
        self._html.append(f"<p>{escape(text).replace(chr(10), '<br>')}</p>")

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """A name and what holds of it, a line each."""
        self._text.append(listed(facts, self.language))
        rows = "\n".join(
            f'<tr><th style="{_CELL}">{escape(name)}</th><td style="{_CELL}">{_linked(value)}</td></tr>'
            for name, value in facts
        )
        self._html.append(f"<table>\n{rows}\n</table>")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns, aligned in the text with spaces."""
        lines = [head, *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        self._text.append(
            "\n".join(
                "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
                for line in lines
            )
        )
        cells = [
            "".join(f'<{tag} style="{_CELL}">{escape(text)}</{tag}>' for text in line)
            for tag, line in [("th", head), *(("td", row) for row in rows)]
        ]
        self._html.append("<table>\n" + "\n".join(f"<tr>{each}</tr>" for each in cells) + "\n</table>")

    def picture(self, name: str, words: str) -> None:
        """A picture of the message (RFC 2392); the text has nothing of it."""
        self._html.append(f'<p><img src="cid:{escape(name)}" alt="{escape(words)}"></p>')

    @property
    def text(self) -> str:
        """All of it, plain."""
        return "\n\n".join(self._text) + "\n"

    @property
    def html(self) -> str:
        """All of it, as a document."""
        head = f'<meta charset="utf-8"><title>{escape(self.title)}</title>'
        body = "\n".join(self._html)
        return (
            f'<!DOCTYPE html>\n<html lang="{self.language}"><head>{head}</head>\n'
            f'<body style="{_STYLE}">\n{body}\n</body></html>\n'
        )


def listed(facts: Sequence[tuple[str, str]], language: str) -> str:
    """The facts as plain text, a line each."""
    colon = " : " if language == "fr" else ": "
    return "\n".join(f"{name}{colon}{value}" for name, value in facts)


def _linked(value: str) -> str:
    shown = escape(value)
    return f'<a href="{shown}">{shown}</a>' if value.startswith(("https://", "http://")) else shown
