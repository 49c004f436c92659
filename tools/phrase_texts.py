"""What is spoken for each element of ``media.phrases``. French ones are written as they sound where they are bound."""

# A list of words is easier to read, and to proof-read, as a sentence.
# ruff: noqa: SIM905
from __future__ import annotations

_EN_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_EN_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
).split()
_EN_MONTHS = "January February March April May June July August September October November December".split()
_EN_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_FR_UNITS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf"
).split()
_FR_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
_FR_ORDINALS = (
    "deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième onzième douzième treizième "
    "quatorzième quinzième seizième dix-septième dix-huitième dix-neuvième"
).split()
_FR_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
_FR_DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()


def _english() -> dict[str, str]:
    texts = {f"n-{n}": text for n, text in enumerate(_EN_UNITS)}
    texts |= {f"n-{10 * n}": text for n, text in enumerate(_EN_TENS, 2)}
    texts |= {f"ordinal-{n}": text for n, text in enumerate(_EN_ORDINALS, 1)}
    texts |= {f"ordinal-{10 * n}": f"{text[:-1]}ieth" for n, text in enumerate(_EN_TENS, 2)}
    texts |= {f"month-{n}": text for n, text in enumerate(_EN_MONTHS, 1)}
    texts |= {f"weekday-{n}": text for n, text in enumerate(_EN_DAYS, 1)}
    texts |= {"o-clock": "o'clock", "am": "A M", "pm": "P M", "oh": "oh"}
    same = (
        "hundred thousand million billion and minus noon midnight the of hundredth thousandth millionth billionth "
        "euro euros cent cents pound pounds penny pence dollar dollars day days hour hours minute minutes second "
        "seconds"
    )
    return texts | {word: word for word in same.split()}


def _french() -> dict[str, str]:
    texts = {f"n-{n}": text for n, text in enumerate(_FR_UNITS)} | {"n-100": "cent"}
    texts |= {f"n-{n}": text for n, text in _FR_TENS.items()}
    texts |= {
        "n-6-c": "si",
        "n-8-c": "ui",
        "n-10-c": "di",
        "n-18-c": "dizui",
        "n-1-f": "une",
        "n-20-t": "vingte",
    }
    texts |= {f"ordinal-{n}": text for n, text in enumerate(_FR_ORDINALS, 2)}
    texts |= {f"ordinal-{n}": f"{text.rstrip('e')}ième" for n, text in _FR_TENS.items()}
    texts |= {"premiere": "première", "unieme": "unième", "centieme": "centième", "millieme": "millième"}
    texts |= {"millionieme": "millionième", "milliardieme": "milliardième"}
    texts |= {"et-un": "et un", "et-une": "et une", "et-onze": "et onze"}
    texts |= {"et-unieme": "et unième", "et-onzieme": "et onzième"}
    texts |= {f"month-{n}": text for n, text in enumerate(_FR_MONTHS, 1)}
    texts |= {f"weekday-{n}": text for n, text in enumerate(_FR_DAYS, 1)}
    hours = {n: text for n, text in enumerate(_FR_UNITS) if n} | {20: "vingt", 21: "vingt et une"}
    hours |= {1: "une", 22: "vingt-deux", 23: "vingt-trois"}
    texts |= {f"h-{n}": f"{text} heure{'s' if n > 1 else ''}" for n, text in hours.items() if n != 12}
    texts |= {
        "euro-z": "zeuros",
        "euro-t": "teuros",
        "euro-n": "neuro",
        "euro-d": "deuro",
        "cent-us": "sènts",
    }
    texts |= {"heure-z": "zeures", "heure-t": "teures", "heure-d": "deures", "pence": "pènce"}
    same = (
        "premier mille million milliard et moins le midi minuit de euro heure centime livre penny dollar jour minute "
        "seconde"
    )
    return texts | {word: word for word in same.split()}


TEXTS = {"en": _english(), "fr": _french()}
"""By language and element; letters, digits and keys apart."""
