"""One-time codes: who has to show one, whether it is right, and how administrators come by what makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from engine.authentication.refusal import NotAdmitted, Why
from engine.domain.authentication.forwarding import Forwarding, ForwardingSettings
from engine.domain.authentication.second_factor import otpauth_uri
from engine.store.errors import Forbidden

if TYPE_CHECKING:
    from engine.domain.actor import Actor
    from engine.domain.authentication.account import Account
    from engine.store import Store
    from engine.store_thread import StoreThread

ISSUER = "Polyphony"
WRONG_CODES = ForwardingSettings(failures=5, window=300.0)
"""Whoever gets as far as a code has the right password: so few may be wrong, from wherever they come. Where she has
shown a right one before, she is not concerned by others' wrong ones."""


@dataclass(frozen=True, slots=True)
class NewFactor:
    """What an application that makes codes is told, once. picture: a QR code of ``uri``, as SVG."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    picture: str = field(repr=False)


class Codes:
    """Runs on the reactor. seconds: a clock that only goes forward. wall: Unix seconds."""

    def __init__(
        self, thread: StoreThread, store: Store, seconds: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._thread = thread
        self._store = store
        self._seconds = seconds
        self._wall = wall
        self._wrong = Forwarding(WRONG_CODES)

    async def are_needed(self, account: Account) -> bool:
        """Whether she has to show one."""
        return await self._thread.call(self._store.second_factors.is_needed, account.id)

    async def check(self, account: Account, code: str, source: str) -> None:
        """Take a code. Raises NotAdmitted for a wrong one, and for any after too many."""
        if not self._wrong.allows(account.uid, source, self._seconds()):
            raise NotAdmitted(Why.SILENCED)
        if not await self._thread.call(self._store.second_factors.take, account.id, code, self._wall()):
            self._wrong.failed(account.uid, source, self._seconds())
            raise NotAdmitted(Why.CODE)
        self._wrong.succeeded(account.uid, source, self._seconds())

    async def begin(self, actor: Actor) -> NewFactor:
        """A new secret for the actor herself. Raises Forbidden, or InUse where she has one."""
        account = await self._own(actor)
        secret = await self._thread.call(self._store.second_factors.begin, account.id)
        uri = otpauth_uri(secret, account.name, ISSUER)
        return NewFactor(secret, uri, _picture(uri))

    async def confirm(self, actor: Actor, code: str) -> list[str]:
        """Ask for codes from now on; answers the recovery codes. Raises NotAdmitted, Forbidden, or NotFound."""
        account = await self._own(actor)
        confirm = self._store.second_factors.confirm
        codes = await self._thread.call(confirm, account.id, code, self._wall(), actor.name, account.uid)
        if codes is None:
            raise NotAdmitted(Why.CODE)
        return codes

    async def end(self, actor: Actor, code: str, source: str) -> None:
        """Ask for none any more; it takes a right one. Raises NotAdmitted, Forbidden, or NotFound."""
        account = await self._own(actor)
        await self.check(account, code, source)
        await self._thread.call(self._store.second_factors.remove, account.name, actor.name)

    async def _own(self, actor: Actor) -> Account:
        """The administrator's own account: neither a token nor the engine's socket has one."""
        account = None
        if actor.name.startswith("admin:"):
            account = await self._thread.call(self._store.admins.get, actor.name.removeprefix("admin:"))
        if account is None:
            raise Forbidden("an administrator's own session")
        return account


def _picture(uri: str) -> str:
    import segno  # for the few who begin

    picture = BytesIO()
    segno.make(uri, error="m", micro=False).save(picture, kind="svg", scale=4, xmldecl=False)
    return picture.getvalue().decode()
