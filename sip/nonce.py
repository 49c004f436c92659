"""Nonces that need no memory until they are used well (RFC 7616 section 3.3).

A nonce carries its time and a MAC over time, realm and the source it was given to, so a flood of
strangers costs nothing. Only a nonce that came back with a right answer is remembered, with the counts
it was used with: a captured request is good once.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
import struct

LIFETIME = 300.0  # seconds; security reference C3
COUNT_WINDOW = 64  # counts that may arrive out of order over UDP; security reference C3
REMEMBERED = 65536  # used nonces held at once: a busy registrar's for five minutes

_STAMP = struct.Struct(">QI")  # microseconds, serial number
_MAC_LENGTH = 15  # 120 bits; with the stamp 27 bytes, so 36 characters without padding
_TEXT_LENGTH = 36


class Verdict(enum.Enum):
    """What a nonce that came back is worth."""

    FRESH = "fresh"
    STALE = "stale"
    FORGED = "forged"


class CountWindow:
    """The nonce counts seen for one nonce: each once, none older than the window."""

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        """Begin with no count seen."""
        self._highest = 0
        self._seen = 0  # bit n: highest - n was seen

    def accept(self, count: int) -> bool:
        """Take ``count`` if it is new, and remember it."""
        if count > self._highest:
            self._seen = (self._seen << min(count - self._highest, COUNT_WINDOW) | 1) & (
                (1 << COUNT_WINDOW) - 1
            )
            self._highest = count
            return True
        age = self._highest - count
        if age >= COUNT_WINDOW or self._seen >> age & 1:
            return False
        self._seen |= 1 << age
        return True


class NonceSource:
    """Makes and judges nonces for one realm.

    ``secret`` must be new at each start of the process, as ``now`` is monotonic and starts anew too.
    A nonce is bound to the host it was given to: one caught elsewhere is worth nothing here.
    """

    def __init__(self, secret: bytes, realm: str = "", lifetime: float = LIFETIME) -> None:
        """Key the nonces of ``realm`` with ``secret``; they are good for ``lifetime`` seconds."""
        self._secret = secret
        self._realm = realm
        self._lifetime = lifetime
        self._serial = 0
        self._used: dict[str, tuple[float, CountWindow]] = {}
        self._forgotten = -1.0  # nonces made up to then may have been used and forgotten

    def __repr__(self) -> str:
        """Show no secret."""
        return f"<NonceSource {self._realm!r}>"

    def new(self, now: float, source: str = "") -> str:
        """Make a nonce for a client at host ``source``; no two are equal."""
        self._serial = (self._serial + 1) & 0xFFFFFFFF
        stamp = _STAMP.pack(int(now * 1e6), self._serial)
        return base64.urlsafe_b64encode(stamp + self._mac(stamp, source)).decode()

    def check(self, nonce: str, now: float, source: str = "") -> Verdict:
        """Judge a nonce that came back from ``source``; changes nothing."""
        made_at = self._made_at(nonce, source)
        if made_at is None or made_at > now:
            return Verdict.FORGED
        if now - made_at > self._lifetime or (made_at <= self._forgotten and nonce not in self._used):
            return Verdict.STALE
        return Verdict.FRESH

    def use(self, nonce: str, count: int, now: float) -> bool:
        """Spend one count of a FRESH nonce whose digest was right; False if it was spent before.

        A request without qop has no count: give 0, and the nonce is good for that one request.
        """
        entry = self._used.get(nonce)
        if entry is None:
            self._forget_old(now)
            entry = self._used[nonce] = (now, CountWindow())
            if count == 0:
                return True
        return count > 0 and entry[1].accept(count)

    def _forget_old(self, now: float) -> None:
        """Drop what has expired; under pressure also the oldest, whose kin are stale from then on."""
        while self._used:
            nonce, (first_used, _) = next(iter(self._used.items()))
            expired = now - first_used > self._lifetime
            if not expired and len(self._used) < REMEMBERED:
                return
            if not expired:
                self._forgotten = max(self._forgotten, first_used)
            del self._used[nonce]

    def _made_at(self, nonce: str, source: str) -> float | None:
        if len(nonce) != _TEXT_LENGTH:
            return None
        try:
            raw = base64.b64decode(nonce.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        stamp, mac = raw[: _STAMP.size], raw[_STAMP.size :]
        if not hmac.compare_digest(mac, self._mac(stamp, source)):
            return None
        microseconds: int = _STAMP.unpack(stamp)[0]
        return microseconds / 1e6

    def _mac(self, stamp: bytes, source: str) -> bytes:
        text = stamp + self._realm.encode() + b"\0" + source.encode()
        return hmac.digest(self._secret, text, hashlib.sha256)[:_MAC_LENGTH]
