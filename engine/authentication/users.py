"""Users' passwords: each by the methods that count for her, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.authentication.ldap_bind import ldap_bind
from engine.authentication.refusal import NotAdmitted, Why
from engine.domain.authentication.forwarding import Forwarding
from engine.domain.authentication.methods import Ldap, Local, Outcome
from engine.store.passwords import nobody, password_matches

if TYPE_CHECKING:
    from engine.authentication.hashing import Hashing
    from engine.domain.authentication.methods import Method
    from engine.domain.authentication.user_account import UserAccount
    from engine.store import Store
    from engine.store_thread import StoreThread
    from sip.guessing import GuessingGuard

MOST_WAITING = 16
"""Users whose passwords are looked at, or wait for a directory; they hold up no administrator."""

log = Logger()


class Users:
    """Runs on the reactor. seconds: a clock that only goes forward."""

    def __init__(
        self,
        thread: StoreThread,
        store: Store,
        hashing: Hashing,
        guard: GuessingGuard,
        seconds: Callable[[], float],
    ) -> None:
        self._thread = thread
        self._store = store
        self._hashing = hashing
        self._guard = guard
        self._seconds = seconds
        self._forwarding = Forwarding()
        self._waiting = 0

    async def account(self, name: str, password: str, source: str) -> UserAccount:
        """The user ``login@domain``, if one of her methods takes the password. Raises NotAdmitted."""
        name = name.casefold()
        if self._waiting >= MOST_WAITING or self._guard.silenced(source, name, self._seconds()):
            raise NotAdmitted(Why.SILENCED)
        self._waiting += 1
        try:
            found = await self._checked(name, password, source)
        finally:
            self._waiting -= 1
        if found is None:
            self._guard.failed(source, name, self._seconds())
            raise NotAdmitted(Why.WRONG)
        self._guard.succeeded(source, name, self._seconds())
        return found

    async def _checked(self, name: str, password: str, source: str) -> UserAccount | None:
        """Somebody unknown is asked for as the domain's users are, and never found."""
        login, _, domain = name.rpartition("@")
        found = await self._thread.call(self._store.user_accounts.find, login, domain)
        if found is None:
            await self._hashing(lambda: password_matches(password, nobody()))
            return None
        for each in found.methods:
            if await self._asked(each, found, password, source) is Outcome.RIGHT:
                return found if found.id and found.enabled else None
        return None

    async def _asked(self, method: Method, user: UserAccount, password: str, source: str) -> Outcome:
        match method:
            case Local():
                stored = user.password_hash
                matches = await self._hashing(
                    lambda: password_matches(password, nobody() if stored is None else stored)
                )
                return Outcome.RIGHT if matches and stored is not None else Outcome.WRONG
            case Ldap():
                return await self._bound(method, user, password, source)
        log.warn("{user} is let in without any password: such is her method", user=user.uid or "somebody")
        return Outcome.RIGHT

    async def _bound(self, method: Ldap, user: UserAccount, password: str, source: str) -> Outcome:
        """What the directory says; it is not asked so often that it would lock her out."""
        key = f"{user.company_id} {user.login}"
        if not self._forwarding.allows(key, source, self._seconds()):
            return Outcome.UNANSWERED
        outcome = await self._hashing(lambda: ldap_bind(method, user.login, password))
        if outcome is Outcome.WRONG:
            self._forwarding.failed(key, source, self._seconds())
        elif outcome is Outcome.RIGHT:
            self._forwarding.succeeded(key, source, self._seconds())
        return outcome
