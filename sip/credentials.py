"""What we answer a challenge with, and when not (RFC 3261 section 22, RFC 8760; security reference C5)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from sip.digest import (
    PREFERENCE,
    Authorization,
    Challenge,
    base_algorithm,
    digest_response,
    ha1,
    is_supported,
)
from sip.errors import Misuse, ParseError
from sip.message import Request, Response

MAX_ANSWERS = 2  # the first, and one more when the nonce had gone stale
REMEMBERED = 4096  # chains of challenges, and nonces, held at once; the oldest go first

_V = TypeVar("_V")

_HEADERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class Credentials:
    """A user name and its secret, for one realm.

    Give them only to requests that may be challenged: never to a BYE or re-INVITE of a call that came in.
    """

    def __init__(
        self,
        realm: str | None,
        username: str,
        password: str | None = None,
        *,
        ha1s: Mapping[str, str] | None = None,
        new_cnonce: Callable[[], str] = secrets.token_hex,
    ) -> None:
        """Hold what a peer of ``realm`` may ask for.

        Args:
            realm: the realm configured for the peer; None answers any realm, where an administrator said so.
            username: as the peer knows it.
            password: in clear, when it is held so.
            ha1s: instead of it HA1 by hash function (``{"MD5": ..., "SHA-256": ...}``), for a fixed realm.
            new_cnonce: makes client nonces.
        """
        if (password is None) == (ha1s is None) or (ha1s is not None and realm is None):
            raise Misuse("credentials hold a password, or HA1s of a realm")
        self.realm = realm
        self.username = username
        self._password = password
        self._ha1s = dict(ha1s or {})
        self._new_cnonce = new_cnonce
        self._answered: dict[str, tuple[int, int]] = {}  # Call-ID: CSeq of the request, answers given so far
        self._counts: dict[str, int] = {}  # nonce: last nonce count

    def __repr__(self) -> str:
        """Show no secret."""
        return f"<Credentials {self.username!r} at {self.realm!r}>"

    def answer(self, response: Response, request: Request, now: float) -> tuple[str, str] | None:
        """Answer the challenge that ``response`` puts to our ``request``.

        Returns the header (name, value) to set in the repeated request, whose CSeq has to be one higher;
        None when there is nothing to answer: another realm, nothing we can compute, the answer was wrong, or
        the peer goes on challenging.
        """
        names = _HEADERS.get(response.status)
        if names is None or response.call_id != request.call_id or response.cseq != request.cseq:
            return None
        challenge = self._choose(_challenges(response.headers.get_all(names[0])))
        if challenge is None:
            return None
        answers = self._answers_before(request)
        if answers >= MAX_ANSWERS or (answers and not challenge.stale):
            return None
        _remember(self._answered, request.call_id, (request.cseq.number, answers + 1))
        return names[1], str(self._authorize(challenge, request))

    def _answers_before(self, request: Request) -> int:
        """Count the answers in the chain of which ``request`` is the last: each repeat has the next CSeq."""
        cseq, answers = self._answered.get(request.call_id, (-1, 0))
        return answers if request.cseq.number == cseq + 1 else 0

    def _choose(self, challenges: Iterable[Challenge]) -> Challenge | None:
        """Take the strongest challenge we can answer; the server's order decides between equals."""
        fitting = [challenge for challenge in challenges if self._fits(challenge)]
        return min(fitting, key=_rank, default=None)

    def _fits(self, challenge: Challenge) -> bool:
        algorithm = challenge.algorithm or "MD5"
        if self.realm is not None and challenge.realm != self.realm:
            return False
        if not is_supported(algorithm) or (self._ha1s and base_algorithm(algorithm) not in self._ha1s):
            return False
        if not challenge.qop:
            return algorithm == base_algorithm(algorithm)  # -sess needs a cnonce, which only qop brings
        return not {"auth", "auth-int"}.isdisjoint(challenge.qop)

    def _authorize(self, challenge: Challenge, request: Request) -> Authorization:
        algorithm = challenge.algorithm or "MD5"
        base = base_algorithm(algorithm)
        secret = self._ha1s.get(base) or ha1(self.username, challenge.realm, self._password or "", base)
        qop = nc = None
        cnonce = ""
        if challenge.qop:
            qop = "auth" if "auth" in challenge.qop else "auth-int"
            count = self._counts.get(challenge.nonce, 0) + 1
            _remember(self._counts, challenge.nonce, count)
            nc, cnonce = f"{count:08x}", self._new_cnonce()
        return Authorization(
            username=self.username,
            realm=challenge.realm,
            nonce=challenge.nonce,
            uri=request.uri,
            response=digest_response(
                algorithm,
                secret,
                nonce=challenge.nonce,
                method=request.method,
                uri=request.uri,
                qop=qop,
                nc=nc or "",
                cnonce=cnonce,
                body=request.body,
            ),
            algorithm=challenge.algorithm,
            qop=qop,
            nc=nc or "",
            cnonce=cnonce,
            opaque=challenge.opaque,
        )


def _rank(challenge: Challenge) -> int:
    """Order challenges by the hash we prefer (RFC 8760 section 2.4 lets the client's policy decide)."""
    return PREFERENCE.index(base_algorithm(challenge.algorithm or "MD5"))


def _challenges(values: Iterable[str]) -> list[Challenge]:
    """Read what can be read: one broken challenge does not take the others with it."""
    found: list[Challenge] = []
    for value in values:
        try:
            found += Challenge.parse_all(value)
        except ParseError:
            continue
    return found


def _remember(table: dict[str, _V], key: str, value: _V) -> None:
    table.pop(key, None)
    table[key] = value
    if len(table) > REMEMBERED:
        del table[next(iter(table))]
