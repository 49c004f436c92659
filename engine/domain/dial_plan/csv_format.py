"""A domain's rules as CSV (RFC 4180), for a spreadsheet and back again.

Columns are found by their names, so they may come in any order and those that may be empty may be missing; a semicolon
separates as well as a comma, for spreadsheets write it in French.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from engine.domain.dial_plan.errors import DialPlanError
from engine.domain.dial_plan.plan import MOST_RULES, compile_rule
from engine.domain.dial_plan.rule import DialRule, Direction
from engine.domain.dial_plan.settings import DialSettings

COLUMNS = ("direction", "priority", "pattern", "result", "enabled", "note")
_NEEDED = ("direction", "priority", "pattern", "result")
_TRUE, _FALSE = frozenset({"true", "yes", "oui", "1", ""}), frozenset({"false", "no", "non", "0"})
_FORMULA = ("=", "+", "-", "@", "'")
_LARGEST_CELL = 1024


def write_rules(rules: Iterable[DialRule]) -> str:
    """The rules, in the order given, under a line of names."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in rules:
        enabled = "true" if each.enabled else "false"
        writer.writerow(
            (
                each.direction.value,
                each.priority,
                _safe(each.pattern),
                _safe(each.result),
                enabled,
                _safe(each.note),
            )
        )
    return text.getvalue()


def read_rules(text: str, settings: DialSettings) -> list[DialRule]:
    """The rules of a CSV file, each of which can be one of a domain with these ``settings``.

    Raises DialPlanError naming the row, as a spreadsheet counts, and the column.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    head = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
    try:
        names = [each.strip().lower() for each in next(reader, [])]
        _check_names(names)
        found = []
        for row in reader:
            if any(row):
                if len(row) != len(names):
                    raise DialPlanError("row", f"{len(names)} cells, there are {len(row)}", reader.line_num)
                found.append(_rule(dict(zip(names, row, strict=True)), settings, reader.line_num))
            if len(found) > 2 * MOST_RULES:
                raise DialPlanError("rules", f"at most {MOST_RULES} a direction", reader.line_num)
    except csv.Error as error:
        raise DialPlanError("row", f"CSV as in RFC 4180: {error}", reader.line_num) from error
    return found


def _check_names(names: list[str]) -> None:
    missing = [each for each in _NEEDED if each not in names]
    unknown = [each for each in names if each not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        raise DialPlanError("column names", f"{', '.join(_NEEDED)}, and at will enabled, note", 1)


def _rule(cells: Mapping[str, str], settings: DialSettings, row: int) -> DialRule:
    for name, cell in cells.items():
        if len(cell) > _LARGEST_CELL:
            raise DialPlanError(name, f"at most {_LARGEST_CELL} characters", row)
    direction, priority = cells["direction"].strip().lower(), cells["priority"].strip()
    enabled = cells.get("enabled", "").strip().lower()
    if direction not in {each.value for each in Direction}:
        raise DialPlanError("direction", "outgoing or incoming", row)
    if not (priority.isascii() and priority.isdigit() and len(priority) <= 4):
        raise DialPlanError("priority", "0 to 9999", row)
    if enabled not in _TRUE | _FALSE:
        raise DialPlanError("enabled", "true or false", row)
    rule = DialRule(
        Direction(direction),
        int(priority),
        _unsafe(cells["pattern"]),
        _unsafe(cells["result"]),
        enabled in _TRUE,
        _unsafe(cells.get("note", "")),
    )
    try:
        compile_rule(rule, settings)
    except DialPlanError as error:
        raise DialPlanError(error.field, error.expected, row) from error
    return rule


def _safe(cell: str) -> str:
    """Not a formula when a spreadsheet opens it; also a prefix such as + or 0033 stays text."""
    return f"'{cell}" if cell.startswith(_FORMULA) or (cell.isdigit() and cell.startswith("0")) else cell


def _unsafe(cell: str) -> str:
    return cell.removeprefix("'")
