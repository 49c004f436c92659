"""Nonces: stateless until used, bound to realm and source, good once per count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sip.nonce
from sip.nonce import COUNT_WINDOW, LIFETIME, CountWindow, NonceSource, Verdict


@pytest.fixture
def nonces() -> NonceSource:
    return NonceSource(b"secret", "example.net")


def test_a_new_nonce_is_fresh_until_its_lifetime_ends(nonces: NonceSource) -> None:
    nonce = nonces.new(1000.0, "192.0.2.1")
    assert nonces.check(nonce, 1000.0, "192.0.2.1") is Verdict.FRESH
    assert nonces.check(nonce, 1000.0 + LIFETIME, "192.0.2.1") is Verdict.FRESH
    assert nonces.check(nonce, 1000.001 + LIFETIME, "192.0.2.1") is Verdict.STALE


def test_no_two_nonces_are_equal_even_at_one_moment(nonces: NonceSource) -> None:
    assert len({nonces.new(5.0) for _ in range(1000)}) == 1000


def test_a_nonce_of_another_secret_realm_source_or_time_to_come_is_forged(nonces: NonceSource) -> None:
    ours = nonces.new(10.0, "192.0.2.1")
    assert nonces.check(ours, 10.0, "192.0.2.2") is Verdict.FORGED
    assert nonces.check(ours, 9.0, "192.0.2.1") is Verdict.FORGED
    for other in (NonceSource(b"other", "example.net"), NonceSource(b"secret", "example.org")):
        assert nonces.check(other.new(10.0, "192.0.2.1"), 10.0, "192.0.2.1") is Verdict.FORGED


@given(st.text(max_size=40))
def test_any_text_is_judged_and_never_raises(text: str) -> None:
    assert NonceSource(b"secret").check(text, 100.0) is Verdict.FORGED


@pytest.mark.parametrize("text", ["!" * 36, "\u00e9" * 36, "=" * 36, "A" * 36])
def test_what_is_no_nonce_of_ours_is_forged(nonces: NonceSource, text: str) -> None:
    assert nonces.check(text, 100.0) is Verdict.FORGED


@given(st.integers(0, 35), st.sampled_from("AZaz09-_"))
def test_a_changed_character_is_noticed(position: int, character: str) -> None:
    nonces = NonceSource(b"secret")
    nonce = nonces.new(1.0)
    changed = nonce[:position] + character + nonce[position + 1 :]
    assert (nonces.check(changed, 1.0) is Verdict.FRESH) == (changed == nonce)


def test_each_count_is_good_once(nonces: NonceSource) -> None:
    nonce = nonces.new(0.0)
    assert [nonces.use(nonce, count, 0.0) for count in (1, 1, 2, 4, 3, 3, 4)] == [
        True, False, True, True, True, False, False,
    ]  # fmt: skip


def test_a_nonce_without_count_is_good_for_one_request(nonces: NonceSource) -> None:
    nonce = nonces.new(0.0)
    assert nonces.use(nonce, 0, 0.0)
    assert not nonces.use(nonce, 0, 0.0)


def test_a_nonce_used_with_counts_is_not_good_without(nonces: NonceSource) -> None:
    nonce = nonces.new(0.0)
    assert nonces.use(nonce, 1, 0.0)
    assert not nonces.use(nonce, 0, 0.0)


def test_counts_older_than_the_window_are_refused() -> None:
    window = CountWindow()
    assert window.accept(COUNT_WINDOW + 1)
    assert not window.accept(1)
    assert window.accept(2)
    assert window.accept(0xFFFFFFFF)
    assert not window.accept(COUNT_WINDOW + 1)


@given(st.lists(st.integers(1, 200), max_size=60))
def test_the_window_agrees_with_a_set_of_seen_counts(counts: list[int]) -> None:
    window, seen, highest = CountWindow(), set[int](), 0
    for count in counts:
        expected = count not in seen and count > highest - COUNT_WINDOW
        assert window.accept(count) is expected
        if expected:
            seen.add(count)
            highest = max(highest, count)


def test_used_nonces_are_forgotten_when_they_expire(nonces: NonceSource) -> None:
    old = nonces.new(0.0)
    nonces.use(old, 1, 0.0)
    nonces.use(nonces.new(LIFETIME + 1), 1, LIFETIME + 1)
    assert old not in nonces._used


def test_a_nonce_forgotten_under_pressure_cannot_be_replayed(
    nonces: NonceSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sip.nonce, "REMEMBERED", 2)
    made = [nonces.new(float(at)) for at in range(3)]
    for at, nonce in enumerate(made):
        assert nonces.use(nonce, 1, at + 0.5)
    assert nonces.check(made[0], 4.0) is Verdict.STALE
    assert nonces.check(made[1], 4.0) is Verdict.FRESH
    assert not nonces.use(made[1], 1, 4.0)


def test_the_secret_does_not_show() -> None:
    assert "hunter2" not in repr(NonceSource(b"hunter2", "r"))
