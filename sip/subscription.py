"""The subscription that a REFER makes (RFC 3515 section 2.4, RFC 6665): both sides as plain state."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import ParseError
from sip.grammar import find_param, is_token, parse_integer, parse_params

REFER_EXPIRES = 180  # seconds we keep a subscriber informed; a call rings no longer
MAX_EXPIRES = 3600


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """The Subscription-State header (RFC 6665 section 8.2.3)."""

    state: str
    expires: int | None = None
    reason: str | None = None

    @classmethod
    def parse(cls, text: str) -> SubscriptionState:
        """Read a value. Raises ParseError."""
        state, semicolon, rest = text.partition(";")
        state = state.strip().lower()
        if not is_token(state):
            raise ParseError("subscription_state", "expected active, pending or terminated")
        params = parse_params(rest) if semicolon else ()
        seconds = find_param(params, "expires")
        expires = parse_integer(seconds, 2**32 - 1, "subscription_state") if seconds else None
        return cls(state, expires, find_param(params, "reason"))

    def __str__(self) -> str:
        text = self.state
        if self.expires is not None:
            text += f";expires={self.expires}"
        if self.reason is not None:
            text += f";reason={self.reason}"
        return text

    @property
    def terminated(self) -> bool:
        """Whether this NOTIFY is the last."""
        return self.state == "terminated"


class ReferNotifier:
    """Our side as the one who was asked: what to tell, until when.

    ``event_id`` is the CSeq of the REFER, written from the second REFER of a dialog on (RFC 3515
    section 2.4.6).
    """

    __slots__ = ("_event_id", "expires_at")

    def __init__(self, event_id: int | None, now: float) -> None:
        self._event_id = event_id
        self.expires_at = now + REFER_EXPIRES

    def headers(self, now: float, *, last: bool, reason: str = "noresource") -> list[tuple[str, str]]:
        """Event and Subscription-State of the next NOTIFY."""
        if last:
            state = SubscriptionState("terminated", reason=reason)
        else:
            state = SubscriptionState("active", max(0, round(self.expires_at - now)))
        event = "refer" if self._event_id is None else f"refer;id={self._event_id}"
        return [("Event", event), ("Subscription-State", str(state))]

    def renew(self, seconds: int, now: float) -> int:
        """Take a SUBSCRIBE that refreshes; returns the granted seconds."""
        granted = min(seconds, MAX_EXPIRES)
        self.expires_at = now + granted
        return granted


class ReferSubscriber:
    """Our side as the one who asked: whether a NOTIFY is for us, and until when to wait for the next."""

    __slots__ = ("_event_id", "expires_at", "final")

    def __init__(self, event_id: int, expires_at: float) -> None:
        self._event_id = event_id
        self.expires_at = expires_at
        self.final = False

    def owns(self, package: str | None, event_id: str | None) -> bool:
        """Whether a NOTIFY of that event belongs to our REFER."""
        return package == "refer" and (event_id is None or event_id == str(self._event_id))

    def take(self, state: SubscriptionState, status: int | None, now: float) -> None:
        """Take a NOTIFY."""
        if state.terminated or (status is not None and status >= 200):
            self.final = True
        if state.expires is not None:
            self.expires_at = now + min(state.expires, MAX_EXPIRES)
