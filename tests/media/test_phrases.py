"""Numbers, dates, times, money and keys as prompt names: golden lists, and every name exists."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.phrases import (
    ELEMENTS,
    LANGUAGES,
    MOST,
    SPOKEN,
    calendar,
    cardinal,
    clock,
    digits,
    duration,
    money,
    ordinal,
    spelled,
)
from tools.phrase_texts import TEXTS

WRITTEN = {
    "n-6-c": "six",
    "n-8-c": "huit",
    "n-10-c": "dix",
    "n-18-c": "dix-huit",
    "n-20-t": "vingt",
    "cent-us": "cents",
    "pence": "pence",
    **{f"euro{link}": "euros" for link in ("-z", "-t", "-n")},
    "euro-d": "d'euros",
    **{f"heure{link}": "heures" for link in ("-z", "-t")},
    "heure-d": "d'heures",
}
"""What stands for the sound of bound French elements."""


def text(names: list[str]) -> str:
    """A phrase as it would be written, plurals of French units apart."""
    words = []
    for name in names:
        language, _, element = name.partition("/")
        assert element in ELEMENTS[language], name
        words.append((WRITTEN if language == "fr" else {}).get(element) or TEXTS[language][element])
    return " ".join(words)


def elements(names: list[str]) -> str:
    return " ".join(name.partition("/")[2] for name in names)


class TestDigits:
    def test_a_number_keeps_its_leading_zeros(self) -> None:
        """Digit by digit, in order."""
        assert digits("00105", "en") == ["en/digit-0", "en/digit-0", "en/digit-1", "en/digit-0", "en/digit-5"]

    def test_keys_that_are_no_digits(self) -> None:
        """Star, hash, the plus of an international number, the fourth column in either case."""
        assert digits("*+#aD", "fr") == ["fr/star", "fr/plus", "fr/hash", "fr/letter-a", "fr/letter-d"]

    def test_what_cannot_be_said_is_left_out(self) -> None:
        """Separators, names and digits of other scripts."""
        assert digits("+33 (1) 23-4", "en") == [
            f"en/{word}" for word in ("plus", *("digit-" + d for d in "331234"))
        ]
        assert digits("é٣ \0zoe", "en") == []
        assert digits("", "fr") == []

    def test_spelling(self) -> None:
        """Letters too."""
        assert elements(spelled("Zoé-7", "fr")) == "letter-z letter-o digit-7"

    @given(st.text(), st.sampled_from(LANGUAGES))
    def test_only_words_that_exist_are_named(self, said: str, language: str) -> None:
        """Whatever the caller's number holds, no name leads elsewhere."""
        for names in (digits(said, language), spelled(said, language)):
            assert {name.removeprefix(f"{language}/") for name in names} <= SPOKEN


FRENCH = {
    0: "zéro",
    1: "un",
    16: "seize",
    17: "dix-sept",
    20: "vingt",
    21: "vingt et un",
    22: "vingt deux",
    31: "trente et un",
    60: "soixante",
    69: "soixante neuf",
    70: "soixante dix",
    71: "soixante et onze",
    72: "soixante douze",
    79: "soixante dix-neuf",
    80: "quatre-vingt",
    81: "quatre-vingt un",
    90: "quatre-vingt dix",
    91: "quatre-vingt onze",
    99: "quatre-vingt dix-neuf",
    100: "cent",
    101: "cent un",
    121: "cent vingt et un",
    200: "deux cent",
    680: "six cent quatre-vingt",
    1000: "mille",
    1001: "mille un",
    1984: "mille neuf cent quatre-vingt quatre",
    2026: "deux mille vingt six",
    6000: "six mille",
    10_010: "dix mille dix",
    80_000: "quatre-vingt mille",
    1_000_000: "un million",
    2_000_001: "deux million un",
    1_200_000_000: "un milliard deux cent million",
    -5: "moins cinq",
}
ENGLISH = {
    0: "zero",
    13: "thirteen",
    20: "twenty",
    21: "twenty one",
    100: "one hundred",
    101: "one hundred and one",
    342: "three hundred and forty two",
    1000: "one thousand",
    1001: "one thousand and one",
    1100: "one thousand one hundred",
    12_345: "twelve thousand three hundred and forty five",
    1_000_000: "one million",
    1_000_017: "one million and seventeen",
    999_999_999_999: "nine hundred and ninety nine billion nine hundred and ninety nine million "
    "nine hundred and ninety nine thousand nine hundred and ninety nine",
    -7: "minus seven",
}


class TestCardinals:
    @pytest.mark.parametrize(("number", "said"), FRENCH.items())
    def test_french(self, number: int, said: str) -> None:
        """Seventy is sixty-ten, eighty four twenties; "et" before un and onze, but not after quatre-vingt."""
        assert text(cardinal(number, "fr")) == said

    @pytest.mark.parametrize(("number", "said"), ENGLISH.items())
    def test_english(self, number: int, said: str) -> None:
        """With "and", as in Britain."""
        assert text(cardinal(number, "en")) == said

    def test_feminine(self) -> None:
        """Une, vingt et une, quatre-vingt une; mille et un million stay as they are."""
        said = {n: text(cardinal(n, "fr", feminine=True)) for n in (1, 21, 81, 101, 21_001, 21_000)}
        assert said == {
            1: "une",
            21: "vingt et une",
            81: "quatre-vingt une",
            101: "cent une",
            21_001: "vingt et un mille une",
            21_000: "vingt et un mille",
        }

    @given(st.integers(1 - MOST, MOST - 1), st.sampled_from(LANGUAGES), st.booleans())
    def test_every_number_is_said_of_what_there_is(self, number: int, language: str, feminine: bool) -> None:
        """No name without a prompt; another number is said in other words."""
        said = cardinal(number, language, feminine=feminine)
        assert text(said)
        assert said != cardinal(number + 1 if number < MOST - 1 else 0, language, feminine=feminine)

    def test_all_numbers_below_ten_thousand_differ(self) -> None:
        """As prompts, so that none is heard as another."""
        for language in LANGUAGES:
            assert len({tuple(cardinal(number, language)) for number in range(10_000)}) == 10_000

    @pytest.mark.parametrize("number", [MOST, -MOST])
    def test_too_large(self, number: int) -> None:
        """A thousand billions are not said."""
        with pytest.raises(ValueError, match="not said"):
            cardinal(number, "en")


class TestOrdinals:
    def test_french(self) -> None:
        """Premier and première; -ième after whatever the number ends with."""
        said = {n: text(ordinal(n, "fr")) for n in (1, 2, 9, 17, 21, 71, 80, 81, 91, 100, 101, 1000, 2000)}
        assert said == {
            1: "premier",
            2: "deuxième",
            9: "neuvième",
            17: "dix-septième",
            21: "vingt et unième",
            71: "soixante et onzième",
            80: "quatre-vingtième",
            81: "quatre-vingt unième",
            91: "quatre-vingt onzième",
            100: "centième",
            101: "cent unième",
            1000: "millième",
            2000: "deux millième",
        }
        assert text(ordinal(1, "fr", feminine=True)) == "première"
        assert text(ordinal(10**6, "fr")) == "millionième"

    def test_english(self) -> None:
        """First, second, third, twelfth, twentieth, twenty-first."""
        said = {n: text(ordinal(n, "en")) for n in (1, 2, 3, 12, 20, 21, 40, 100, 103, 1000)}
        assert said == {
            1: "first",
            2: "second",
            3: "third",
            12: "twelfth",
            20: "twentieth",
            21: "twenty first",
            40: "fortieth",
            100: "one hundredth",
            103: "one hundred and third",
            1000: "one thousandth",
        }

    @given(st.integers(1, MOST - 1), st.sampled_from(LANGUAGES))
    def test_every_ordinal_is_said(self, number: int, language: str) -> None:
        """Of what there is."""
        assert text(ordinal(number, language))

    def test_nought_has_none(self) -> None:
        """Nor has anything below."""
        with pytest.raises(ValueError, match="not said"):
            ordinal(0, "fr")


class TestDatesAndTimes:
    def test_french_dates(self) -> None:
        """Le premier mars; the other days are cardinals, short before a consonant."""
        assert text(calendar(date(2026, 3, 1), "fr")) == "le premier mars deux mille vingt six"
        assert text(calendar(date(2026, 11, 22), "fr", weekday=True, year=False)) == (
            "le dimanche vingt deux novembre"
        )
        assert elements(calendar(date(2026, 3, 6), "fr", year=False)) == "le n-6-c month-3"
        assert elements(calendar(date(2026, 4, 6), "fr", year=False)) == "le n-6 month-4"

    def test_english_dates(self) -> None:
        """The 1st of March; years in pairs, but for the first of a millennium."""
        assert text(calendar(date(2026, 3, 1), "en")) == "the first of March twenty twenty six"
        assert text(calendar(date(1984, 12, 22), "en", weekday=True)) == (
            "Saturday the twenty second of December nineteen eighty four"
        )
        years = {n: text(calendar(date(n, 5, 31), "en")).split("May ")[1] for n in (1900, 1905, 2000, 2006)}
        assert years == {
            1900: "nineteen hundred",
            1905: "nineteen oh five",
            2000: "two thousand",
            2006: "two thousand and six",
        }

    @given(st.dates(), st.sampled_from(LANGUAGES), st.booleans(), st.booleans())
    def test_every_date(self, day: date, language: str, weekday: bool, year: bool) -> None:
        """Of what there is."""
        assert text(calendar(day, language, weekday=weekday, year=year))

    def test_french_times(self) -> None:
        """Hours whole, with the link to "heures" in them; minutes are feminine; midi and minuit."""
        said = {each: text(clock(time(*each), "fr")) for each in ((0, 0), (12, 30), (1, 1), (21, 21), (9, 5))}
        assert said == {
            (0, 0): "minuit",
            (12, 30): "midi trente",
            (1, 1): "une heure une",
            (21, 21): "vingt et une heures vingt et une",
            (9, 5): "neuf heures cinq",
        }

    def test_english_times(self) -> None:
        """Twelve hours, o'clock, oh five, noon and midnight."""
        said = {
            each: text(clock(time(*each), "en"))
            for each in ((0, 0), (12, 0), (0, 5), (12, 30), (15, 0), (23, 59))
        }
        assert said == {
            (0, 0): "midnight",
            (12, 0): "noon",
            (0, 5): "twelve oh five A M",
            (12, 30): "twelve thirty P M",
            (15, 0): "three o'clock P M",
            (23, 59): "eleven fifty nine P M",
        }

    @given(st.times(), st.sampled_from(LANGUAGES))
    def test_every_time(self, at: time, language: str) -> None:
        """Of what there is."""
        assert text(clock(at, language))


class TestMoneyAndDurations:
    def test_french_links(self) -> None:
        """Deux-z-euros, vingt-t-euros, un-n-euro, six loses its s, un million d'euros."""
        said = {
            euros: elements(money(100 * euros, "EUR", "fr"))
            for euros in (0, 1, 2, 6, 8, 9, 10, 11, 20, 21, 70, 80, 81, 100, 200, 1000, 1_000_000)
        }
        assert said == {
            0: "n-0 euro",
            1: "n-1 euro-n",
            2: "n-2 euro-z",
            6: "n-6-c euro-z",
            8: "n-8 euro",
            9: "n-9 euro",
            10: "n-10-c euro-z",
            11: "n-11 euro",
            20: "n-20 euro-t",
            21: "n-20-t et-un euro-n",
            70: "n-60 n-10-c euro-z",
            80: "n-80 euro-z",
            81: "n-80 n-1 euro-n",
            100: "n-100 euro-t",
            200: "n-2 n-100 euro-z",
            1000: "mille euro",
            1_000_000: "n-1 million euro-d",
        }

    def test_french_money(self) -> None:
        """Cents, pounds (feminine) and pence, dollars and their cents; short numbers before consonants."""
        assert elements(money(1205, "EUR", "fr")) == "n-12 euro et n-5 centime"
        assert elements(money(2101, "GBP", "fr")) == "n-20-t et-une livre et n-1 penny"
        assert elements(money(806, "GBP", "fr")) == "n-8-c livre et n-6-c pence"
        assert elements(money(-1000, "USD", "fr")) == "moins n-10-c dollar"
        assert elements(money(50, "USD", "fr")) == "n-50 cent-us"
        assert elements(money(200_000_000, "GBP", "fr")) == "n-2 million de livre"

    def test_english_money(self) -> None:
        """One pound and one penny, two pounds and two pence."""
        assert text(money(101, "GBP", "en")) == "one pound and one penny"
        assert text(money(202, "GBP", "en")) == "two pounds and two pence"
        assert text(money(99, "USD", "en")) == "ninety nine cents"
        assert text(money(0, "EUR", "en")) == "zero euros"
        assert text(money(-150, "EUR", "en")) == "minus one euro and fifty cents"

    @given(
        st.integers(100 * (1 - MOST), 100 * MOST - 1),
        st.sampled_from(["EUR", "GBP", "USD"]),
        st.sampled_from(LANGUAGES),
    )
    def test_every_amount(self, cents: int, currency: str, language: str) -> None:
        """Of what there is."""
        assert text(money(cents, currency, language))  # type: ignore[arg-type]

    def test_durations(self) -> None:
        """What is nought is not said, unless all is."""
        assert text(duration(3661, "en")) == "one hour one minute and one second"
        assert text(duration(86_400 * 2 + 30, "en")) == "two days and thirty seconds"
        assert text(duration(0, "en")) == "zero seconds"
        assert elements(duration(7_263, "fr")) == "n-2 heure-z n-1-f minute et n-3 seconde"
        assert elements(duration(3600, "fr")) == "n-1-f heure"
        assert elements(duration(8 * 60 + 6, "fr")) == "n-8-c minute et n-6-c seconde"

    @given(st.integers(0, 10**15), st.sampled_from(LANGUAGES))
    def test_every_duration(self, seconds: int, language: str) -> None:
        """Of what there is."""
        assert text(duration(seconds, language))

    def test_what_is_not_said(self) -> None:
        """Negative times, and money nobody recorded."""
        with pytest.raises(ValueError, match="not said"):
            duration(-1, "en")
        with pytest.raises(ValueError, match="'CHF'"):
            money(1, "CHF", "fr")  # type: ignore[arg-type]


def test_an_unknown_language_is_our_mistake() -> None:
    """Not silence, in any of them."""
    for say in (digits, spelled):
        with pytest.raises(ValueError, match="'de'"):
            say("1", "de")
    for say_number in (cardinal, ordinal, duration):
        with pytest.raises(ValueError, match="'de'"):
            say_number(1, "de")


def test_every_element_has_its_text() -> None:
    """And no text is spoken for nothing."""
    for language in LANGUAGES:
        assert set(TEXTS[language]) == ELEMENTS[language] - SPOKEN
