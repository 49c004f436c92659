"""Who sends this request? Digest as a server (RFC 3261 section 22, RFC 8760; security reference C3, C4).

The order of the checks is the defence: a nonce that is not ours, or of another host, or old, costs no
look-up and tells nothing about the password; only an answer to a challenge that reached its source counts
as a guess; and an unknown user costs what a known one does.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sip.digest import Authorization, Challenge, base_algorithm, same
from sip.errors import ParseError
from sip.guessing import GuessingGuard
from sip.message import Request
from sip.nonce import NonceSource, Verdict
from sip.uri import Uri

Lookup = Callable[[str], "Mapping[str, str] | None"]
"""User name to HA1 by hash function (``{"MD5": ..., "SHA-256": ...}``); None when there is no such user."""


class Reason(enum.Enum):
    """Why a request is challenged; the value is a counter label."""

    NO_CREDENTIALS = "no_credentials"
    STALE = "stale_nonce"
    FORGED = "forged_nonce"
    REPLAYED = "replayed_nonce"
    NOT_OFFERED = "algorithm_not_offered"
    WRONG = "wrong_password"  # or an unknown user: nobody is to learn which


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The request is of this account; nothing else in it says who sent it (security reference C2)."""

    user: str


@dataclass(frozen=True, slots=True)
class Challenged:
    """Answer ``status`` with these headers, without state (security reference D1)."""

    status: int
    headers: list[tuple[str, str]]
    reason: Reason
    stale: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer ``status``; a new challenge would not help. ``label`` is for the counters."""

    status: int
    label: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """Drop the request unanswered: its sender has been guessing."""

    label: str = "guessing"


Outcome = Authenticated | Challenged | Refused | Silenced


class Authenticator:
    """Checks the credentials of requests for one realm."""

    def __init__(
        self,
        realm: str,
        lookup: Lookup,
        nonces: NonceSource,
        *,
        algorithms: Sequence[str] = ("SHA-256", "MD5"),
        qop: Sequence[str] = ("auth",),
        guard: GuessingGuard | None = None,
        proxy: bool = False,
    ) -> None:
        """Check against ``lookup``.

        Args:
            realm: what the users' HA1s were made with.
            lookup: finds the HA1s of a user.
            nonces: of this realm.
            algorithms: offered in this order, a challenge each (RFC 8760 section 2.3).
            qop: offered; add ``auth-int`` where the peers protect bodies.
            guard: silences those who guess.
            proxy: challenge with 407 instead of 401.
        """
        self._realm = realm
        self._lookup = lookup
        self._nonces = nonces
        self._algorithms = tuple(algorithms)
        self._qop = tuple(qop)
        self._guard = guard or GuessingGuard()
        self._status = 407 if proxy else 401
        self._challenge_name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        self._answer_name = "Proxy-Authorization" if proxy else "Authorization"

    def check(
        self, request: Request, now: float, source: str = "", account: Callable[[str], str] = str
    ) -> Outcome:
        """Judge a request that came from host ``source`` (without port: NATs change it).

        account: the account a user name means in this request, for whoever has several users of one name.
        """
        try:
            answer = self._find(request)
        except ParseError as error:
            return Refused(400, error.label)
        user = account(answer.username) if answer else ""
        if self._guard.silenced(source, user, now):
            return Silenced()
        if answer is None:
            return self._challenge(Reason.NO_CREDENTIALS, now, source)
        if not _same_uri(answer.uri, request):
            return Refused(400, "digest_uri")
        if (answer.algorithm or "MD5") not in self._algorithms or not self._offered(answer.qop):
            return self._challenge(Reason.NOT_OFFERED, now, source)
        return self._judge(answer, user, request, now, source)

    def _judge(self, answer: Authorization, user: str, request: Request, now: float, source: str) -> Outcome:
        verdict = self._nonces.check(answer.nonce, now, source)
        if verdict is not Verdict.FRESH:
            # RFC 7616 section 3.3: stale tells the client to try again with the new nonce. It says nothing
            # about the digest, which was not looked at: else this were a way to guess uncounted.
            reason = Reason.STALE if verdict is Verdict.STALE else Reason.FORGED
            return self._challenge(reason, now, source, stale=True)
        if not self._right(answer, user, request):
            if self._guard.failed(source, user, now):
                return Silenced()
            return self._challenge(Reason.WRONG, now, source)
        self._guard.succeeded(source, user, now)
        if not self._nonces.use(answer.nonce, answer.count, now):
            return self._challenge(Reason.REPLAYED, now, source, stale=True)
        return Authenticated(user)

    def _find(self, request: Request) -> Authorization | None:
        """Take the answer for our realm. Two of them would be two readings of one request: refused."""
        answers = [Authorization.parse(value) for value in request.headers.get_all(self._answer_name)]
        ours = [answer for answer in answers if answer is not None and answer.realm == self._realm]
        if len(ours) > 1:
            raise ParseError("digest_repeated", "expected one answer for a realm")
        return ours[0] if ours else None

    def _offered(self, qop: str | None) -> bool:
        return qop is None or qop in self._qop

    def _right(self, answer: Authorization, user: str, request: Request) -> bool:
        algorithm = base_algorithm(answer.algorithm or "MD5")
        secret = (self._lookup(user) or {}).get(algorithm)
        # An unknown user is compared as well, with a secret nobody has: the time tells nothing.
        nobody = hmac.digest(b"nobody", user.encode(errors="replace"), "sha256").hex()
        matches = same(answer.expected(secret or nobody, request.method, request.body), answer.response)
        return matches and secret is not None

    def _challenge(self, reason: Reason, now: float, source: str, *, stale: bool = False) -> Challenged:
        nonce = self._nonces.new(now, source)
        headers = [
            (self._challenge_name, str(Challenge(self._realm, nonce, algorithm, self._qop, stale=stale)))
            for algorithm in self._algorithms
        ]
        return Challenged(self._status, headers, reason, stale)


def _same_uri(text: str, request: Request) -> bool:
    """Tell whether the answer is for this very request (RFC 7616 section 3.4.6)."""
    if text == request.uri:
        return True
    try:
        return Uri.parse(text).equivalent(request.request_uri)
    except ParseError:
        return False
