"""From entries to users: the mapping of fields, numbers, what is left out and why."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.imports.candidate import Candidate, Ignored, Reading
from engine.domain.imports.entry import Entry
from engine.domain.imports.mapping import FieldMap, FieldSource, MappingError

FIELDS = {"login": "sAMAccountName", "first_name": "givenName", "number": "telephoneNumber"}


def entry(reference: str = "cn=ann", key: str = "k", enabled: bool | None = None, **values: str) -> Entry:
    """An entry whose attributes have one value each."""
    return Entry(reference, key, {name.lower(): (value,) for name, value in values.items()}, enabled)


def digits(number: str) -> str:
    """The number without what people write between its digits."""
    found = "".join(filter(str.isdigit, number))
    if not found:
        raise ValueError(number)
    return found


def short_first_name(values: Mapping[str, str]) -> str | None:
    """Refuses a first name of more than five letters."""
    return "first_name" if len(values.get("first_name", "")) > 5 else None


def read(*entries: Entry, leaves_out_disabled: bool = False) -> list[Candidate | Ignored]:
    """What becomes of the entries."""
    reading = Reading(FieldMap.parse(FIELDS), short_first_name, digits, leaves_out_disabled)
    return list(reading.candidates(entries))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("sn", "Doe"),
        ("SN", "Doe"),
        ("mail|userPrincipalName", "ann@corp"),
        ("{givenName}.{sn}@example.com", "Ann.Doe@example.com"),
        ("{mail|sn}!", "Doe!"),
        ("{givenName} {mail}", ""),
        ("cn;lang-fr", "Anne"),
        ("First name", "Ann"),
    ],
)
def test_sources_of_a_field(source: str, value: str) -> None:
    """An attribute, the first of several, a text with some; a text that lacks one is empty."""
    attributes = {
        "sn": "Doe",
        "givenName": "Ann",
        "userPrincipalName": "ann@corp",
        "cn;lang-fr": "Anne",
        "First name": "Ann",
    }
    assert FieldSource.parse("x", source).value(entry(**attributes)) == value


@pytest.mark.parametrize("source", ["", "{", "{}", "{sn", "a}b{sn}", "1abc", "a|", "é", "x" * 256, "{a\nb}"])
def test_sources_that_are_none(source: str) -> None:
    """The error names the field."""
    with pytest.raises(MappingError) as refused:
        FieldMap.parse({"login": "uid", "email": source})
    assert refused.value.field == "email"


@given(st.text(max_size=300))
def test_any_text_is_a_source_or_refused(text: str) -> None:
    """Nothing else happens, and what is taken gives a value."""
    with contextlib.suppress(MappingError):
        assert isinstance(FieldSource.parse("x", text).value(entry(sn="Doe")), str)


def test_the_attributes_to_be_read() -> None:
    """Those in braces and in choices too."""
    fields = FieldMap.parse({"login": "uid", "email": "{mail|other}@x"})
    assert fields.attributes == {"uid", "mail", "other"}


def test_a_user() -> None:
    """Its number is adapted; blank values are none; the first value counts."""
    found = Entry(
        "cn=ann",
        "k",
        {"samaccountname": ("  ", " ann "), "givenname": ("Ann", "B"), "telephonenumber": ("2 00",)},
        True,
    )
    assert read(found) == [
        Candidate("cn=ann", "k", {"login": "ann", "first_name": "Ann", "number": "200"}, True)
    ]


def test_what_the_source_does_not_say_is_emptied_but_for_the_number() -> None:
    """Nobody loses her line for an empty attribute."""
    assert read(entry(sAMAccountName="ann")) == [
        Candidate("cn=ann", "k", {"login": "ann", "first_name": ""}, None)
    ]


@pytest.mark.parametrize(("said", "culture"), [("fr-FR", "fr"), ("EN", "en"), ("de", None), ("", None)])
def test_culture(said: str, culture: str | None) -> None:
    """As directories write languages; another than ours leaves the user's as it is."""
    fields = FieldMap.parse({"login": "uid", "culture": "preferredLanguage"})
    [found] = Reading(fields, short_first_name, digits).candidates([entry(uid="ann", preferredLanguage=said)])
    assert isinstance(found, Candidate)
    assert found.values.get("culture") == culture


def test_without_a_lasting_key_the_login_is_it() -> None:
    """So rows of a file are recognised."""
    [found] = read(entry(key="", sAMAccountName="Ann"))
    assert found.key == "ann"


@pytest.mark.parametrize(
    ("broken", "reason", "field"),
    [
        (entry(), "missing", "login"),
        (entry(sAMAccountName="ann", givenName="Annabelle"), "invalid", "first_name"),
        (entry(sAMAccountName="ann", telephoneNumber="none"), "invalid", "number"),
        (entry(sAMAccountName="ann", enabled=False), "account_disabled", ""),
        (Entry("3", "", {}, error="row"), "row", ""),
    ],
)
def test_what_cannot_be_a_user(broken: Entry, reason: str, field: str) -> None:
    """It is left out with its reason, and the others stand."""
    ignored, other = read(broken, entry(key="other", sAMAccountName="bob"), leaves_out_disabled=True)
    assert isinstance(ignored, Ignored)
    assert (ignored.reason, ignored.field) == (reason, field)
    assert isinstance(other, Candidate)


@pytest.mark.parametrize("second", [entry(key="k", sAMAccountName="b"), entry(key="j", sAMAccountName="ANN")])
def test_the_same_twice(second: Entry) -> None:
    """Of two entries with one key, or one login, the first counts."""
    _, ignored = read(entry(sAMAccountName="ann"), second)
    assert isinstance(ignored, Ignored)
    assert ignored.reason == "twice"
