"""Which events a reader wants."""

from __future__ import annotations

import pytest

from engine.events.kinds import MOST_KINDS, Kinds
from engine.store.errors import Invalid


def test_all_without_a_choice() -> None:
    assert "users.added" in Kinds()
    assert "users.added" in Kinds.parse("")


def test_kinds_and_whole_nouns() -> None:
    kinds = Kinds.parse("users.*,calls.ended,call-rules.*")
    assert [each in kinds for each in ("users.added", "calls.ended", "call-rules.moved")] == [True] * 3
    assert [each in kinds for each in ("calls.started", "call.ended", "users-x.added")] == [False] * 3


@pytest.mark.parametrize(
    "text", ["users", "*", "*.*", "users.*,", " users.added", "Users.added", "users.added\n"]
)
def test_what_is_no_kind(text: str) -> None:
    with pytest.raises(Invalid, match="kinds"):
        Kinds.parse(text)


def test_too_many() -> None:
    with pytest.raises(Invalid):
        Kinds(["a" * (n + 1) + ".x" for n in range(MOST_KINDS + 1)])
