"""Session timers (RFC 4028): the arithmetic and the headers of one session, from either side."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import ParseError
from sip.grammar import find_param, parse_integer, parse_params
from sip.message import Request, Response

SHORTEST = 90  # seconds, RFC 4028 section 4
LONGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """The Session-Expires header; ``refresher`` is "uac", "uas" or None, by the roles of that transaction."""

    seconds: int
    refresher: str | None = None

    @classmethod
    def parse(cls, text: str) -> SessionExpires:
        """Read a value. Raises ParseError."""
        seconds, semicolon, rest = text.partition(";")
        refresher = find_param(parse_params(rest), "refresher") if semicolon else None
        if refresher is not None:
            refresher = refresher.lower()
            if refresher not in ("uac", "uas"):
                raise ParseError("session_expires", "expected refresher=uac or uas")
        return cls(parse_integer(seconds.strip(), LONGEST, "session_expires"), refresher)

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


def read_session_expires(message: Request | Response) -> SessionExpires | None:
    """The Session-Expires of a message, None when absent. Raises ParseError."""
    text = message.headers.get("session-expires")
    return None if text is None else SessionExpires.parse(text)


def read_min_se(message: Request | Response) -> int:
    """The Min-SE of a message, 90 when absent (section 5). Raises ParseError."""
    text = message.headers.get("min-se")
    if text is None:
        return SHORTEST
    return max(SHORTEST, parse_integer(text.partition(";")[0].strip(), LONGEST, "min_se"))


class SessionTimer:
    """One session's interval and who refreshes it.

    ``interval`` is None while no timer runs. The owner sets clock timers by ``refresh_after`` and
    ``expire_after`` whenever a request or response has been taken.
    """

    __slots__ = ("_minimum", "_refresh_alone", "_shortest", "_wanted", "interval", "we_refresh")

    def __init__(self, wanted: int, shortest: int = SHORTEST, *, refresh_alone: bool = False) -> None:
        self._shortest = max(SHORTEST, shortest)
        self._wanted = max(wanted, self._shortest) if wanted else 0
        self._minimum = self._shortest
        self._refresh_alone = refresh_alone
        self.interval: int | None = None
        self.we_refresh = False

    @property
    def refresh_after(self) -> float:
        """Section 10: half of the interval."""
        return (self.interval or 0) / 2

    @property
    def expire_after(self) -> float:
        """Section 10: the last moment to send BYE, min(32, a third) before the end."""
        interval = self.interval or 0
        return interval - min(32.0, interval / 3)

    # As the one who requests (section 7)

    def request_headers(self) -> list[tuple[str, str]]:
        """Headers for our INVITE or UPDATE; once the session has a refresher, it stays (section 7.4)."""
        seconds = self.interval or self._wanted
        headers = []
        if seconds:
            refresher = None if self.interval is None else ("uac" if self.we_refresh else "uas")
            headers.append(("Session-Expires", str(SessionExpires(max(seconds, self._minimum), refresher))))
        if self._minimum > SHORTEST:
            headers.append(("Min-SE", str(self._minimum)))
        return headers

    def too_small(self, response: Response) -> bool:
        """Take a 422 (section 7.3); True when asking again makes sense."""
        try:
            asked = read_min_se(response)
        except ParseError:
            return False
        if asked <= self._minimum:
            return False
        self._minimum = asked
        self._wanted = max(self._wanted, asked)
        if self.interval is not None:
            self.interval = max(self.interval, asked)
        return True

    def take_response(self, response: Response) -> None:
        """Take the 2xx to a request of ours (section 7.2). Without Session-Expires no timer runs."""
        try:
            agreed = read_session_expires(response)
        except ParseError:
            agreed = None
        if agreed is None or agreed.seconds < SHORTEST:
            self.interval = None
            return
        self.interval = agreed.seconds
        self.we_refresh = agreed.refresher != "uas"

    # As the one who answers (section 9)

    def refuses(self, request: Request) -> int | None:
        """Our Min-SE for a 422 when a request that knows timers asks for less. Raises ParseError."""
        asked = read_session_expires(request)
        read_min_se(request)
        if asked is None or asked.seconds >= self._shortest or "timer" not in request.supported:
            return None
        return self._shortest

    def take_request(self, request: Request) -> list[tuple[str, str]]:
        """Agree on the timer of a request that `refuses` let pass; returns the headers for the 2xx."""
        supported = "timer" in request.supported or "timer" in request.require
        asked = read_session_expires(request)
        interval = self._choose(asked, read_min_se(request), supported)
        self.interval = interval
        if interval is None:
            return []
        refresher = (asked.refresher if asked is not None else None) or "uac"
        if not supported:
            refresher = "uas"  # section 9, table 2
        self.we_refresh = refresher == "uas"
        headers = [("Session-Expires", str(SessionExpires(interval, refresher)))]
        if refresher == "uac":
            headers.append(("Require", "timer"))
        return headers

    def _choose(self, asked: SessionExpires | None, their_minimum: int, supported: bool) -> int | None:
        if asked is None:
            if not self._wanted or not (supported or self._refresh_alone):
                return None
            return max(self._wanted, their_minimum)
        if asked.seconds < SHORTEST:
            return None  # of a peer without timers; refreshing that often serves nobody
        # It may be made shorter, never longer, and not below either minimum.
        return max(min(asked.seconds, self._wanted or asked.seconds), min(their_minimum, asked.seconds))
