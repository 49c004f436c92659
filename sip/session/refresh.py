"""The session timer of one session, wound to the clock (RFC 4028)."""

from __future__ import annotations

from collections.abc import Callable

from sip.message import Request, Response
from sip.session.bodies import Refusal
from sip.session.context import Context
from sip.session.outputs import EndCause
from sip.session_timer import SessionTimer

REFRESH, EXPIRY = "session refresh", "session expiry"


class Refresh:
    """Sets the two timers whenever an exchange has agreed on an interval."""

    __slots__ = ("_context", "_timer", "send")

    def __init__(self, context: Context) -> None:
        settings = context.settings
        self._context = context
        self._timer = SessionTimer(
            settings.session_expires, settings.min_se, refresh_alone=settings.refresh_alone
        )
        self.send: Callable[[float], None] = _nothing

    @property
    def interval(self) -> int | None:
        """Seconds, None while no session timer runs."""
        return self._timer.interval

    @property
    def we_refresh(self) -> bool:
        """Whether the refresh is our part."""
        return self._timer.we_refresh

    def check(self, request: Request) -> None:
        """Refuse too short an interval (section 9). Raises Refusal or ParseError."""
        shortest = self._timer.refuses(request)
        if shortest is not None:
            raise Refusal(422, ("Min-SE", str(shortest)))

    def request_headers(self) -> list[tuple[str, str]]:
        """Headers for our INVITE or UPDATE."""
        return self._timer.request_headers()

    def take_request(self, request: Request, now: float) -> list[tuple[str, str]]:
        """Agree with the request we are about to accept; returns headers for the 2xx."""
        headers = self._timer.take_request(request)
        self._wind(now)
        return headers

    def take_response(self, response: Response, now: float) -> None:
        """Take what the 2xx to our request agreed on."""
        self._timer.take_response(response)
        self._wind(now)

    def too_small(self, response: Response) -> bool:
        """Take a 422; True when the request is worth repeating."""
        return self._timer.too_small(response)

    @property
    def deadlines(self) -> tuple[float | None, float | None]:
        """When the session is to be refreshed by us, and when it expires."""
        timers = self._context.timers
        return timers.at(REFRESH), timers.at(EXPIRY)

    def restore(
        self, interval: int | None, we_refresh: bool, refresh_at: float | None, expires_at: float | None
    ) -> None:
        """Go on with the timer of another process."""
        self._timer.interval, self._timer.we_refresh = interval, we_refresh
        if expires_at is not None:
            self._context.timers.set(EXPIRY, expires_at, self._expired)
        if refresh_at is not None:
            self._context.timers.set(REFRESH, refresh_at, self._due)

    def release(self) -> None:
        """Let go of the exchange."""
        self.send = _nothing

    def _wind(self, now: float) -> None:
        timers = self._context.timers
        timers.cancel(REFRESH)
        timers.cancel(EXPIRY)
        if self._timer.interval is None or self._context.ended:
            return
        timers.set(EXPIRY, now + self._timer.expire_after, self._expired)
        if self._timer.we_refresh:
            timers.set(REFRESH, now + self._timer.refresh_after, self._due)

    def _due(self, now: float) -> None:
        self.send(now)

    def _expired(self, now: float) -> None:
        self._context.hang_up(EndCause.SESSION_EXPIRED)


def _nothing(now: float) -> None:
    """Stands in while there is no exchange that sends refreshes."""
