"""The subscription of a REFER as plain state (RFC 6665, RFC 3515)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.subscription import MAX_EXPIRES, ReferNotifier, ReferSubscriber, SubscriptionState


def test_states() -> None:
    assert SubscriptionState.parse("active;expires=60") == SubscriptionState("active", 60)
    ended = SubscriptionState.parse("Terminated ; reason=noresource")
    assert ended.terminated
    assert str(ended) == "terminated;reason=noresource"
    assert str(SubscriptionState("active", 5)) == "active;expires=5"


@pytest.mark.parametrize(
    "text", ["", "(", "active;expires=x", "active;expires=-1", "active;expires=4294967296"]
)
def test_unreadable_states(text: str) -> None:
    with pytest.raises(ParseError):
        SubscriptionState.parse(text)


@given(st.text(max_size=40))
def test_any_text_is_a_state_or_typed(text: str) -> None:
    with contextlib.suppress(ParseError):
        state = SubscriptionState.parse(text)
        assert SubscriptionState.parse(str(state)) == state


def test_a_notifier_counts_down() -> None:
    notifier = ReferNotifier(None, now=10.0)
    assert notifier.headers(70.4, last=False) == [
        ("Event", "refer"),
        ("Subscription-State", "active;expires=120"),
    ]
    assert notifier.headers(500.0, last=False)[1][1] == "active;expires=0"
    assert notifier.renew(10**6, 100.0) == MAX_EXPIRES
    assert notifier.expires_at == 100.0 + MAX_EXPIRES


def test_a_subscriber_knows_its_notify() -> None:
    subscriber = ReferSubscriber(7, 32.0)
    owned = [
        subscriber.owns(*event)
        for event in (("refer", None), ("refer", "7"), ("refer", "8"), ("x", None), (None, None))
    ]
    assert owned == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("state", "status", "final"),
    [("active", 180, False), ("active", None, False), ("active", 200, True), ("terminated", 100, True)],
)
def test_the_last_notify(state: str, status: int | None, final: bool) -> None:
    subscriber = ReferSubscriber(7, 32.0)
    subscriber.take(SubscriptionState(state, 60), status, 5.0)
    assert subscriber.final is final
    assert subscriber.expires_at == 65.0
