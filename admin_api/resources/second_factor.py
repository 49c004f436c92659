"""``/api/v1/session/second-factor``: an administrator's own one-time codes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from admin_api.authentication import source_of
from admin_api.bodies import json_answer, json_object, nothing
from admin_api.decoding import decoded
from admin_api.guard import ITSELF, not_admitted
from admin_api.operations import CONFLICT, MISSING, Operation
from admin_api.resources.session import PATH as SESSION
from admin_api.resources.session import TAG
from engine.authentication.refusal import NotAdmitted

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from twisted.web.iweb import IRequest

    from admin_api.guard import Guard
    from admin_api.routes import Routes
    from engine.authentication.authenticator import Authenticator

PATH = f"{SESSION}/second-factor"


class NewFactorView(msgspec.Struct, kw_only=True):
    """What an application that makes codes is told, once."""

    secret: Annotated[str, Meta(description="In base 32, for whoever types it.")]
    uri: Annotated[str, Meta(description="The same for an application, `otpauth://totp/...`.")]
    picture: Annotated[str, Meta(description="A QR code of `uri`, as SVG.")]


class Code(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A code."""

    code: Annotated[str, Meta(min_length=1, max_length=32, description="A one-time or a recovery code.")]


class RecoveryCodes(msgspec.Struct, kw_only=True):
    """For whoever has lost what makes codes; shown once."""

    recovery_codes: Annotated[list[str], Meta(description="Each is taken once, instead of a one-time code.")]


class SecondFactor:
    """The codes of whoever asks."""

    def __init__(self, authenticator: Authenticator, guard: Guard) -> None:
        self._authenticator = authenticator
        self._guard = guard

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        wrong = frozenset({CONFLICT, MISSING})
        begin = Operation("Makes a secret for codes.", TAG, NewFactorView, HTTPStatus.CREATED, refusals=wrong)
        confirm = Operation("Asks for codes from now on.", TAG, RecoveryCodes, body=Code, refusals=wrong)
        remove = Operation(
            "Asks for none any more.", TAG, status=HTTPStatus.NO_CONTENT, body=Code, refusals=wrong
        )
        routes.change("POST", PATH, self._begin, begin, need=ITSELF)
        routes.change("POST", f"{PATH}/confirm", self._confirm, confirm, need=ITSELF)
        routes.change("POST", f"{PATH}/remove", self._remove, remove, need=ITSELF)

    async def _begin(self, request: IRequest) -> bytes:
        made = await self._authenticator.codes.begin(self._guard.actor(request))
        view = NewFactorView(secret=made.secret, uri=made.uri, picture=made.picture)
        return json_answer(request, view, HTTPStatus.CREATED)

    async def _confirm(self, request: IRequest) -> bytes:
        async def confirm() -> bytes:
            codes = await self._authenticator.codes.confirm(self._guard.actor(request), _code(request))
            return json_answer(request, RecoveryCodes(recovery_codes=codes))

        return await _or_refused(request, confirm())

    async def _remove(self, request: IRequest) -> bytes:
        async def remove() -> bytes:
            await self._authenticator.codes.end(
                self._guard.actor(request), _code(request), source_of(request)
            )
            return nothing(request)

        return await _or_refused(request, remove())


async def _or_refused(request: IRequest, done: Awaitable[bytes]) -> bytes:
    try:
        return await done
    except NotAdmitted as error:
        return not_admitted(request, error)


def _code(request: IRequest) -> str:
    return decoded(Code, json_object(request)).code
