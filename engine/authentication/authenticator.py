"""Which actor a password, an API token or a session stands for: slow questions, asked of the store, and not too often.

Right answers are remembered for a minute. What changes an administrator, a token or a session here is seen at once;
another node of a pool learns of it within that minute.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.authentication.codes import Codes
from engine.authentication.refusal import NotAdmitted, Why
from engine.authentication.remembered import Remembered
from engine.authentication.users import Users
from engine.domain.authentication.account import Account
from engine.domain.authentication.bearer import digest, kind_of, new_secret
from engine.store.passwords import hash_password, is_outdated, nobody, password_matches
from sip.guessing import GuessingGuard, GuessingSettings

if TYPE_CHECKING:
    from engine.authentication.hashing import Hashing
    from engine.domain.actor import Actor
    from engine.domain.authentication.account import Session
    from engine.domain.authentication.user_account import UserAccount
    from engine.store import Store
    from engine.store_thread import StoreThread

MOST_WAITING = 4
"""Passwords looked at or waiting for it: each takes 19 MiB and a good part of a processor's tenth of a second."""
REMEMBERED_SECONDS, REMEMBERED = 60.0, 256
NOTED_EVERY = 60.0
"""Seconds between two notes in the store that a token or a session is in use."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts, in seconds: without a request, and in all."""

    idle: float = 3600.0
    longest: float = 43_200.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody's session. csrf: what a request that changes something must show besides its cookie."""

    actor: Actor
    ends_at: float
    csrf: str = field(repr=False)
    secret: str = field(default="", repr=False)  # what the browser is to show; told once


class Authenticator:
    """Runs on the reactor. seconds: a clock that only goes forward. wall: Unix seconds."""

    def __init__(
        self,
        thread: StoreThread,
        store: Store,
        hashing: Hashing,
        guessing: GuessingSettings,
        limits: SessionLimits,
        *,
        csrf_key: bytes,
        seconds: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._thread = thread
        self._store = store
        self._hashing = hashing
        self._guard = GuessingGuard(guessing)
        self._limits = limits
        self._csrf_key = csrf_key
        self._seconds = seconds
        self._wall = wall
        self._users = Users(thread, store, hashing, self._guard, seconds)
        self.codes = Codes(thread, store, seconds, wall)
        self._waiting = 0
        self._changes = 0
        self._stored_changes = 0
        self._known: Remembered[Actor] = Remembered(REMEMBERED_SECONDS, REMEMBERED)
        self._sessions: Remembered[SignedIn] = Remembered(REMEMBERED_SECONDS, REMEMBERED)

    def forget(self) -> None:
        """An administrator, a token or a session has changed."""
        self._changes += 1  # what is being looked up now may be of before
        self._known.clear()
        self._sessions.clear()

    def _notice_changes(self) -> None:
        """Forget, when a noun has written something of the kind since."""
        count = self._store.account_changes.count
        if count != self._stored_changes:
            self._stored_changes = count
            self.forget()

    async def by_password(self, name: str, password: str, source: str) -> Actor:
        """Whose they are; ``source`` is the host that asks. Raises NotAdmitted, for whoever has codes always."""
        credentials = f"{name}\0{password}"
        self._notice_changes()
        known = self._known.get(credentials, self._seconds())
        if known is not None:
            return known
        changes = self._changes
        account = await self._account(name, password, source)
        if changes == self._changes:
            self._known.put(credentials, account.actor(), self._seconds())
        return account.actor()

    async def by_token(self, secret: str) -> Actor:
        """Whom an API token stands for. Raises NotAdmitted."""
        if kind_of(secret) != "token":
            raise NotAdmitted(Why.WRONG)
        self._notice_changes()
        known = self._known.get(secret, self._seconds())
        if known is not None:
            return known
        changes = self._changes
        found = await self._thread.call(self._store.api_tokens.find, digest(secret))
        now = self._wall()
        if found is None or found.expires_at <= now or not found.account.enabled:
            raise NotAdmitted(Why.WRONG)
        if found.used_at is None or not 0 <= now - found.used_at < NOTED_EVERY:
            self._thread.later("noting that a token was used", self._store.api_tokens.used, found.uid, now)
        if changes == self._changes:
            at = self._seconds()
            self._known.put(secret, found.actor(), at, at + found.expires_at - now)
        return found.actor()

    async def sign_in(self, name: str, password: str, source: str, code: str = "") -> SignedIn:
        """Open a session: of an administrator, or of a user where ``name`` is ``login@domain``. Raises NotAdmitted.

        code: for whoever has codes, one that is right now.
        """
        account: Account | UserAccount
        if "@" in name:
            account = await self._users.account(name, password, source)
        else:
            account = await self._account(name, password, source, code)
        secret, now = new_secret("session"), self._wall()
        ends_at = now + self._limits.longest
        await self._thread.call(self._store.sessions.open, digest(secret), account, source, now, ends_at)
        return SignedIn(account.actor(), ends_at, self._csrf(secret), secret)

    async def by_session(self, secret: str) -> SignedIn:
        """Whose session it is. Raises NotAdmitted."""
        if kind_of(secret) != "session":
            raise NotAdmitted(Why.WRONG)
        self._notice_changes()
        known = self._sessions.get(secret, self._seconds())
        if known is not None:
            return known
        changes = self._changes
        found = await self._thread.call(self._store.sessions.find, digest(secret))
        if found is None or self._is_over(found) or not found.account.enabled:
            raise NotAdmitted(Why.WRONG)
        now = self._wall()
        if not 0 <= now - found.seen_at < NOTED_EVERY:
            self._thread.later("noting that a session is in use", self._store.sessions.seen, found.uid, now)
        signed_in = SignedIn(found.account.actor(), found.ends_at, self._csrf(secret))
        # what changes users is not counted, so a user's session is looked up each time
        if changes == self._changes and isinstance(found.account, Account):
            at = self._seconds()
            self._sessions.put(secret, signed_in, at, at + found.ends_at - now)
        return signed_in

    async def sign_out(self, secret: str) -> None:
        """End a session."""
        self._sessions.drop(secret)
        await self._thread.call(self._store.sessions.close, digest(secret))

    def proves_page(self, signed_in: SignedIn, shown: str) -> bool:
        """Whether ``shown`` is what only a page of ours could read of this session."""
        return hmac.compare_digest(signed_in.csrf.encode(), shown.encode("utf-8", "surrogatepass"))

    def _csrf(self, secret: str) -> str:
        return hmac.digest(self._csrf_key, secret.encode(), hashlib.sha256).hex()

    def _is_over(self, session: Session) -> bool:
        now = self._wall()
        return session.ends_at <= now or session.seen_at + self._limits.idle <= now

    async def _account(self, name: str, password: str, source: str, code: str = "") -> Account:
        """The administrator of that name, if it is her password and, where she has codes, her code.

        Whoever guesses is not answered for a while.
        """
        if self._waiting >= MOST_WAITING or self._guard.silenced(source, name, self._seconds()):
            raise NotAdmitted(Why.SILENCED)
        self._waiting += 1
        try:
            account = await self._checked(name, password)
        finally:
            self._waiting -= 1
        if account is None:
            self._guard.failed(source, name, self._seconds())
            raise NotAdmitted(Why.WRONG)
        if await self.codes.are_needed(account):
            if not code:
                raise NotAdmitted(Why.CODE)
            await self.codes.check(account, code, source)
        self._guard.succeeded(source, name, self._seconds())
        return account

    async def _checked(self, name: str, password: str) -> Account | None:
        """An unknown name takes as long as a wrong password."""
        account = await self._thread.call(self._store.admins.get, name)
        stored = None if account is None else account.password_hash
        if not await self._hashing(
            lambda: password_matches(password, nobody() if stored is None else stored)
        ):
            return None
        if account is None or not account.enabled:
            return None
        if is_outdated(account.password_hash):
            renewed = await self._hashing(lambda: hash_password(password))
            await self._thread.call(self._store.admins.rehash, account.id, account.password_hash, renewed)
        return account
