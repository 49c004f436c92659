"""A thousand numbers as one row."""

from __future__ import annotations

from typing import Any

from engine.cli.number_runs import gathered


def automate(number: str, application: str = "room", **more: Any) -> dict[str, Any]:
    row = {"number": number, "application": application, "link": "", "state": "answering"}
    return {**row, "since": 0.0, "last_error": "", "calls": 1, **more}


def numbers(*automates: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["number"], each["calls"]) for each in gathered(automates)]


def test_a_range_is_one_row_with_its_calls_added_up() -> None:
    assert numbers(*(automate(str(number)) for number in range(8000, 9000))) == [("8000-8999", 1000)]


def test_what_differs_or_does_not_follow_stands_alone() -> None:
    assert numbers(automate("5000", "echo"), automate("5001"), automate("5003")) == [
        ("5000", 1),
        ("5001", 1),
        ("5003", 1),
    ]
    failed = automate("101", state="failed", last_error="403")
    assert numbers(automate("100"), failed, automate("102")) == [("100", 1), ("101", 1), ("102", 1)]


def test_zeros_in_front_and_letters_are_no_numbers_in_a_row() -> None:
    assert numbers(automate("099"), automate("100")) == [("099-100", 2)]
    assert numbers(automate("99"), automate("100")) == [("99", 1), ("100", 1)]
    assert numbers(automate("alice"), automate("bob")) == [("alice", 1), ("bob", 1)]


def test_nothing_is_nothing_and_the_rows_given_stay_as_they_are() -> None:
    rows = [automate("1"), automate("2")]
    gathered(rows)
    assert rows == [automate("1"), automate("2")]
    assert gathered([]) == []
