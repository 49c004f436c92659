"""French as the elements that say it: names of prompts without their language. Usage of France (soixante-dix).

A number sounds otherwise before a word: six, huit and dix lose their last consonant before another ("dix livres") and
link to a vowel ("dix euros" as "di-zeuros"). So some numbers have a short element (``-c``) besides the full one, and a
unit that begins with a vowel has one for each consonant that may be heard before it (``-z``, ``-t``, ``-n``).
"""

from __future__ import annotations

from datetime import date, time

_SHORT = frozenset({6, 8, 10, 18})
_TENS = (20, 30, 40, 50, 60)
_GROUPS = ((10**9, "milliard"), (10**6, "million"), (1000, "mille"))
MONEY = {"EUR": ("euro", "centime"), "GBP": ("livre", "penny"), "USD": ("dollar", "cent-us")}
_PLURALS = {"penny": "pence"}
_FEMININE = frozenset({"livre", "heure", "minute", "seconde"})
_VOWELS = frozenset({"euro", "heure"})
SPANS = {"day": "jour", "hour": "heure", "minute": "minute", "second": "seconde"}
_ORDINALS = (*range(2, 20), *_TENS, 80)

ELEMENTS: frozenset[str] = frozenset(
    [f"n-{n}" for n in (*range(20), *_TENS, 80, 100)]
    + [f"n-{n}-c" for n in _SHORT]
    + ["n-1-f", "n-20-t", "et-un", "et-une", "et-onze", "et", "moins", "mille", "million", "milliard"]
    + [f"ordinal-{n}" for n in _ORDINALS]
    + ["premier", "premiere", "unieme", "et-unieme", "et-onzieme", "centieme"]
    + ["millieme", "millionieme", "milliardieme", "le"]
    + [f"month-{n}" for n in range(1, 13)]
    + [f"weekday-{n}" for n in range(1, 8)]
    + [f"h-{n}" for n in range(1, 24) if n != 12]
    + ["midi", "minuit", "de"]
    + ["euro", "euro-z", "euro-t", "euro-n", "euro-d", "heure", "heure-z", "heure-t", "heure-d"]
    + ["centime", "livre", "penny", "pence", "dollar", "cent-us", "jour", "minute", "seconde"]
)


def _unit(n: int, *, feminine: bool, short: bool) -> str:
    """0 to 19."""
    if n == 1 and feminine:
        return "n-1-f"
    return f"n-{n}-c" if short and n in _SHORT else f"n-{n}"


def _below_hundred(n: int, *, feminine: bool, short: bool) -> list[str]:
    """1 to 99."""
    if n < 20:
        return [_unit(n, feminine=feminine, short=short)]
    if n >= 80:
        rest = n - 80
        return ["n-80", _unit(rest, feminine=feminine, short=short)] if rest else ["n-80"]
    ten, rest = (60, n - 60) if n >= 60 else (n - n % 10, n % 10)
    if rest == 0:
        return [f"n-{ten}"]
    linked = "n-20-t" if ten == 20 else f"n-{ten}"
    if rest == 1:
        return [linked, "et-une" if feminine else "et-un"]
    if rest == 11:
        return [linked, "et-onze"]
    return [linked, _unit(rest, feminine=feminine, short=short)]


def _small(n: int, *, feminine: bool = False, short: bool = False) -> list[str]:
    """1 to 999."""
    hundreds, rest = divmod(n, 100)
    names = []
    if hundreds:
        names = [*([] if hundreds == 1 else [_unit(hundreds, feminine=False, short=True)]), "n-100"]
    return names + (_below_hundred(rest, feminine=feminine, short=short) if rest else [])


def cardinal(n: int, *, feminine: bool = False, short: bool = False) -> list[str]:
    """A number below 10 ** 12 either way. short: before a word it runs into."""
    if n < 0:
        return ["moins", *cardinal(-n, feminine=feminine, short=short)]
    if n == 0:
        return ["n-0"]
    names = []
    for size, name in _GROUPS:
        count, n = divmod(n, size)
        if count:
            names += [*([] if count == 1 and size == 1000 else _small(count, short=True)), name]
    return names + (_small(n, feminine=feminine, short=short) if n else [])


def ordinal(n: int, *, feminine: bool = False) -> list[str]:
    """Premier, première, deuxième, vingt et unième, ...; n from 1."""
    if n == 1:
        return ["premiere" if feminine else "premier"]
    names = cardinal(n)
    last = names.pop()
    special = {"n-1": "unieme", "et-un": "et-unieme", "et-onze": "et-onzieme", "n-100": "centieme"}
    if last.startswith("n-") and last not in special:
        return [*names, f"ordinal-{last[2:]}"]
    if last in ("million", "milliard") and names == ["n-1"]:
        names = []
    return [*names, special.get(last) or f"{last.removesuffix('e')}ieme"]


def _linking(n: int) -> str:
    """What is heard between a number and a unit that begins with a vowel: z, t, n, d (as "d'"), or nothing."""
    if n and n % 10**6 == 0:
        return "d"
    if n == 0 or n % 1000 == 0:
        return ""
    rest = n % 100
    if rest == 0:
        return "t" if n % 1000 == 100 else "z"
    if rest == 80:
        return "z"
    if rest > 80 or rest < 20:
        last = rest - 80 if rest > 80 else rest
    else:
        last = rest - 60 if rest > 60 else rest % 10
        if last == 0:
            return "t"
    return {1: "n", 2: "z", 3: "z", 6: "z", 10: "z"}.get(last, "")


def _counted(n: int, unit: str) -> list[str]:
    """A number and its unit."""
    feminine = unit in _FEMININE
    if unit in _VOWELS:
        link = _linking(n)
        if link == "n" and feminine:
            link = ""
        number = cardinal(n, feminine=feminine, short=link == "z")
        return [*number, f"{unit}-{link}" if link else unit]
    of = ["de"] if n and n % 10**6 == 0 else []
    plural = unit if n < 2 else _PLURALS.get(unit, unit)
    return [*cardinal(n, feminine=feminine, short=True), *of, plural]


def calendar(day: date, *, weekday: bool, with_year: bool) -> list[str]:
    """Le dimanche premier mars deux mille vingt-six."""
    names = ["le", f"weekday-{day.isoweekday()}"] if weekday else ["le"]
    before_vowel = day.month in (4, 8, 10)
    names += ["premier"] if day.day == 1 else cardinal(day.day, short=not before_vowel)
    names.append(f"month-{day.month}")
    return names + (cardinal(day.year) if with_year else [])


def clock(at: time) -> list[str]:
    """Quinze heures trente, midi, minuit cinq, une heure une."""
    names = ["minuit" if at.hour == 0 else "midi" if at.hour == 12 else f"h-{at.hour}"]
    return names + (_below_hundred(at.minute, feminine=True, short=False) if at.minute else [])


def money(cents: int, currency: str) -> list[str]:
    """Vingt et un euros et cinq centimes."""
    whole, part = divmod(abs(cents), 100)
    large, small = MONEY[currency]
    names = ["moins"] if cents < 0 else []
    if whole or not part:
        names += _counted(whole, large)
    if part:
        names += [*(["et"] if whole else []), *_counted(part, small)]
    return names


def span(parts: list[tuple[int, str]]) -> list[str]:
    """Deux heures une minute et trois secondes; no part is nought, but for a span of no seconds at all."""
    names: list[str] = []
    for index, (count, unit) in enumerate(parts):
        if index and index == len(parts) - 1:
            names.append("et")
        names += _counted(count, SPANS[unit])
    return names
