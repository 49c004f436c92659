"""Guessing passwords ends in silence, for the guesser only (security reference C4)."""

from __future__ import annotations

import pytest

import sip.guessing
from sip.guessing import GuessingGuard, GuessingSettings


def fail(
    guard: GuessingGuard, times: int, *, source: str = "192.0.2.1", user: str = "100", at: float = 0.0
) -> bool:
    """Guess wrong some times; tell whether a silence began with the last."""
    begun = False
    for _ in range(times):
        begun = guard.failed(source, user, at)
    return begun


def test_the_tenth_failure_within_a_minute_begins_a_minute_of_silence() -> None:
    guard = GuessingGuard()
    assert not fail(guard, 9)
    assert not guard.silenced("192.0.2.1", "100", 0.0)
    assert fail(guard, 1)
    assert guard.silenced("192.0.2.1", "100", 59.9)
    assert not guard.silenced("192.0.2.1", "100", 60.0)


def test_failures_spread_over_more_than_a_minute_are_forgiven() -> None:
    guard = GuessingGuard()
    for at in range(0, 1000, 7):
        assert not guard.failed("192.0.2.1", "100", float(at))


def test_guessing_many_users_from_one_source_silences_the_source() -> None:
    guard = GuessingGuard()
    for user in range(10):
        guard.failed("192.0.2.1", str(user), 0.0)
    assert guard.silenced("192.0.2.1", "never tried", 1.0)


def test_the_silence_doubles_up_to_an_hour() -> None:
    guard, now, lengths = GuessingGuard(), 0.0, []
    for _ in range(8):
        fail(guard, 10, at=now)
        length = 0
        while guard.silenced("192.0.2.1", "100", now + length):
            length += 30
        lengths.append(length)
        now += length
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_an_hour_after_a_silence_the_next_is_short_again() -> None:
    guard = GuessingGuard()
    fail(guard, 10)
    fail(guard, 10, at=60.0)
    fail(guard, 10, at=60.0 + 120.0 + 3600.1)
    assert not guard.silenced("192.0.2.1", "100", 60.0 + 120.0 + 3600.1 + 60.0)


def test_a_stranger_cannot_lock_the_true_user_out_from_elsewhere() -> None:
    guard = GuessingGuard()
    fail(guard, 1000, source="203.0.113.9", user="100")
    assert guard.silenced("203.0.113.9", "100", 1.0)
    assert not guard.silenced("192.0.2.1", "100", 1.0)


def test_one_phone_with_an_old_password_does_not_silence_its_neighbours() -> None:
    guard = GuessingGuard()
    guard.succeeded("192.0.2.1", "101", 0.0)
    fail(guard, 10, user="100", at=1.0)
    assert guard.silenced("192.0.2.1", "100", 2.0)
    assert not guard.silenced("192.0.2.1", "101", 2.0)


def test_a_trusted_source_that_guesses_at_large_is_silenced_too() -> None:
    guard = GuessingGuard()
    guard.succeeded("192.0.2.1", "101", 0.0)
    for user in range(100):
        guard.failed("192.0.2.1", str(user), 1.0)
    assert guard.silenced("192.0.2.1", "101", 2.0)


def test_a_right_password_forgives_the_user_at_that_source() -> None:
    guard = GuessingGuard()
    fail(guard, 9)
    guard.succeeded("192.0.2.1", "100", 0.0)
    assert not fail(guard, 9)


def test_an_ipv6_guesser_has_one_name_for_its_whole_network() -> None:
    guard = GuessingGuard()
    for last in range(10):
        guard.failed(f"2001:db8::{last:x}", "100", 0.0)
    assert guard.silenced("2001:db8::ffff", "100", 1.0)
    assert not guard.silenced("2001:db8:0:1::1", "100", 1.0)


def test_a_mapped_address_is_the_ipv4_one_and_an_odd_one_is_itself() -> None:
    guard = GuessingGuard()
    fail(guard, 10, source="::ffff:192.0.2.1")
    fail(guard, 10, source="not:an:address")
    assert guard.silenced("192.0.2.1", "100", 1.0)
    assert guard.silenced("not:an:address", "100", 1.0)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip.guessing, "REMEMBERED", 10)
    guard = GuessingGuard(GuessingSettings(failures=1))
    for host in range(100):
        guard.failed(f"192.0.2.{host}", "100", 0.0)
    assert len(guard._records) <= 10
    assert guard.silenced("192.0.2.99", "100", 1.0)
