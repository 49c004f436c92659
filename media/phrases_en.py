"""English as the elements that say it: names of prompts without their language. British usage ("and", day first)."""

from __future__ import annotations

from datetime import date, time

_UNITS = [f"n-{n}" for n in range(20)]
_TENS = {10 * n: f"n-{10 * n}" for n in range(2, 10)}
_GROUPS = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"))
MONEY = {"EUR": ("euro", "cent"), "GBP": ("pound", "penny"), "USD": ("dollar", "cent")}
_PLURALS = {"penny": "pence"}
SPANS = ("day", "hour", "minute", "second")

ELEMENTS: frozenset[str] = frozenset(
    [*_UNITS, *_TENS.values(), "hundred", "and", "minus", "oh", "o-clock", "am", "pm", "noon", "midnight"]
    + [name for _, name in _GROUPS]
    + [f"ordinal-{n}" for n in (*range(1, 20), *range(20, 100, 10))]
    + ["hundredth", "thousandth", "millionth", "billionth", "the", "of"]
    + [f"month-{n}" for n in range(1, 13)]
    + [f"weekday-{n}" for n in range(1, 8)]
    + [name for pair in MONEY.values() for unit in pair for name in (unit, _PLURALS.get(unit, f"{unit}s"))]
    + [name for unit in SPANS for name in (unit, f"{unit}s")]
)


def _small(n: int) -> list[str]:
    """1 to 999."""
    hundreds, rest = divmod(n, 100)
    names = [_UNITS[hundreds], "hundred"] if hundreds else []
    if rest and hundreds:
        names.append("and")
    if rest >= 20:
        names.append(_TENS[rest - rest % 10])
        rest %= 10
    return [*names, _UNITS[rest]] if rest else names


def cardinal(n: int) -> list[str]:
    """A number below 10 ** 12 either way."""
    if n < 0:
        return ["minus", *cardinal(-n)]
    if n == 0:
        return [_UNITS[0]]
    names = []
    for size, name in _GROUPS:
        count, n = divmod(n, size)
        if count:
            names += [*_small(count), name]
    if names and 0 < n < 100:
        names.append("and")
    return names + _small(n)


def ordinal(n: int) -> list[str]:
    """First, twenty-first, one hundred and first, ...; n from 1."""
    names = cardinal(n)
    last = names.pop()
    return [*names, f"ordinal-{last.removeprefix('n-')}" if last.startswith("n-") else f"{last}th"]


def year(n: int) -> list[str]:
    """Nineteen eighty-four, nineteen oh five, nineteen hundred, two thousand and six, twenty twenty-six."""
    century, rest = divmod(n, 100)
    if not 1000 < n < 10_000 or n % 1000 < 10:
        return cardinal(n)
    if rest == 0:
        return [*_small(century), "hundred"]
    return [*_small(century), *(["oh"] if rest < 10 else []), *_small(rest)]


def calendar(day: date, *, weekday: bool, with_year: bool) -> list[str]:
    """Sunday the first of March twenty twenty-six."""
    names = [f"weekday-{day.isoweekday()}"] if weekday else []
    names += ["the", *ordinal(day.day), "of", f"month-{day.month}"]
    return names + (year(day.year) if with_year else [])


def clock(at: time) -> list[str]:
    """Three o'clock pm, three oh five am, noon, midnight."""
    if at.minute == 0 and at.hour in (0, 12):
        return ["midnight" if at.hour == 0 else "noon"]
    names = _small((at.hour - 1) % 12 + 1)
    if at.minute == 0:
        names.append("o-clock")
    else:
        names += [*(["oh"] if at.minute < 10 else []), *_small(at.minute)]
    return [*names, "am" if at.hour < 12 else "pm"]


def _counted(n: int, unit: str) -> list[str]:
    return [*cardinal(n), unit if n == 1 else _PLURALS.get(unit, f"{unit}s")]


def money(cents: int, currency: str) -> list[str]:
    """Three pounds and one penny."""
    whole, part = divmod(abs(cents), 100)
    large, small = MONEY[currency]
    names = ["minus"] if cents < 0 else []
    if whole or not part:
        names += _counted(whole, large)
    if part:
        names += [*(["and"] if whole else []), *_counted(part, small)]
    return names


def span(parts: list[tuple[int, str]]) -> list[str]:
    """Two hours one minute and three seconds; no part is nought, but for a span of no seconds at all."""
    names: list[str] = []
    for index, (count, unit) in enumerate(parts):
        if index and index == len(parts) - 1:
            names.append("and")
        names += _counted(count, unit)
    return names
