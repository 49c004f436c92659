"""Definitions that cannot be are refused with the field's name; policies are laid one over another."""

from __future__ import annotations

import pytest

from conference.definition import RoomDefinition
from conference.policy import MeetingPolicy, PolicyChoices, resolve


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"number": "90a"}, "number"),
        ({"number": ""}, "number"),
        ({"number": "9" * 21}, "number"),
        ({"host_pin": "123"}, "host_pin"),
        ({"guest_pin": "12345678901234"}, "guest_pin"),
        ({"host_pin": "1234", "guest_pin": "1234"}, "guest_pin"),
        ({"name": "x" * 81}, "name"),
        ({"max_participants": 0}, "max_participants"),
        ({"loudest": -1}, "loudest"),
        ({"host_grace": float("nan")}, "host_grace"),
    ],
)
def test_what_cannot_be(rules: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        RoomDefinition(**{"number": "9001", **rules})  # type: ignore[arg-type]  # what is wrong is the test


def test_no_pin_is_shown() -> None:
    assert "4711" not in repr(RoomDefinition(number="9001", host_pin="4711", guest_pin="47110"))


def test_the_user_overrides_the_group_and_the_group_the_default() -> None:
    default = PolicyChoices(max_participants=100, recording=False)
    group = PolicyChoices(max_participants=50, dial_out=False)
    assert resolve(default, group, PolicyChoices(dial_out=True)) == MeetingPolicy(
        max_participants=50, recording=False, dial_out=True
    )
    assert resolve() == MeetingPolicy()
    with pytest.raises(ValueError, match="max_participants"):
        resolve(PolicyChoices(max_participants=0))
