"""``/api/v1/session``: signing in and out, and who one is."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from admin_api.authentication import cookie_name, session_cookie, source_of
from admin_api.bodies import json_answer, json_object, nothing
from admin_api.decoding import decoded
from admin_api.guard import ITSELF, not_admitted
from admin_api.operations import OFTEN, Operation
from engine.authentication.refusal import NotAdmitted
from engine.domain.actor import Actor

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.guard import Guard
    from admin_api.routes import Routes
    from engine.authentication.authenticator import Authenticator, SignedIn

PATH = "/api/v1/session"
TAG = "session"


class SignIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Somebody signs in."""

    name: Annotated[str, Meta(min_length=1, max_length=255, description="The administrator's name.")]
    password: Annotated[str, Meta(max_length=1024, description="Her password.")]
    code: Annotated[
        str, Meta(max_length=32, description="For whoever has codes: a one-time or a recovery code.")
    ] = ""
    cookie: Annotated[
        bool,
        Meta(
            description="Whether a cookie keeps the session, as a browser wants; otherwise `token` is answered."
        ),
    ] = True


class SessionView(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who one is."""

    name: Annotated[str, Meta(description="As the audit log names her.", examples=["admin:jane"])]
    role: Annotated[str, Meta(description="What she may do.", examples=["read-only"])]
    all_companies: Annotated[bool, Meta(description="Whether she sees every company.")]
    scopes: Annotated[
        list[str] | None, Meta(description="What her token is limited to; left out: nothing.")
    ] = None
    ends_at: Annotated[
        datetime | None, Meta(description="When the session ends, whatever is done with it.")
    ] = None
    csrf: Annotated[
        str | None, Meta(description="What `X-CSRF-Token` must hold in changes that come with the cookie.")
    ] = None
    token: Annotated[
        str | None, Meta(description="For `Authorization: Bearer`; shown once, when no cookie was asked for.")
    ] = None


class Sessions:
    """The session of whoever asks."""

    def __init__(self, authenticator: Authenticator, guard: Guard) -> None:
        self._authenticator = authenticator
        self._guard = guard

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        enter = Operation(
            "Signs in.", TAG, SessionView, HTTPStatus.CREATED, body=SignIn, refusals=OFTEN, public=True
        )
        routes.enter(PATH, self._sign_in, enter)
        routes.read(PATH, self._who, Operation("Shows who one is.", TAG, SessionView), need=ITSELF)
        leave = Operation("Signs out.", TAG, status=HTTPStatus.NO_CONTENT)
        routes.change("DELETE", PATH, self._sign_out, leave, need=ITSELF)

    async def _sign_in(self, request: IRequest) -> bytes:
        body = decoded(SignIn, json_object(request))
        try:
            signed_in = await self._authenticator.sign_in(
                body.name, body.password, source_of(request), body.code
            )
        except NotAdmitted as error:
            return not_admitted(request, error)
        view = _view(signed_in.actor, signed_in)
        if body.cookie:
            _set_cookie(request, signed_in.secret)
        else:
            view.token, view.csrf = signed_in.secret, None
        return json_answer(request, view, HTTPStatus.CREATED)

    async def _who(self, request: IRequest) -> bytes:
        return json_answer(request, _view(self._guard.actor(request), await self._signed_in(request)))

    async def _sign_out(self, request: IRequest) -> bytes:
        secret = _bearer(request) or session_cookie(request)
        if secret is not None:
            await self._authenticator.sign_out(secret)
        _set_cookie(request, "")
        return nothing(request)

    async def _signed_in(self, request: IRequest) -> SignedIn | None:
        """The session of a request that came with its cookie."""
        secret = session_cookie(request)
        if secret is None or request.getHeader(b"authorization"):
            return None
        return await self._authenticator.by_session(secret)


def _view(actor: Actor, signed_in: SignedIn | None) -> SessionView:
    view = SessionView(
        name=actor.name,
        role=actor.role.name.lower().replace("_", "-"),
        all_companies=actor.companies is None,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
    )
    if signed_in is not None:
        view.ends_at, view.csrf = datetime.fromtimestamp(signed_in.ends_at, UTC), signed_in.csrf
    return view


def _bearer(request: IRequest) -> str | None:
    text = request.getHeader(b"authorization") or b""
    scheme, _, secret = (text.decode("latin-1") if isinstance(text, bytes) else text).partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _set_cookie(request: IRequest, secret: str) -> None:
    """Until the browser ends, for us alone, not for scripts, not from other pages; an empty one is taken away."""
    secure = request.isSecure()
    parts = [f"{cookie_name(secure=secure)}={secret}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if secure:
        parts.append("Secure")
    if not secret:
        parts.append("Max-Age=0")
    request.setHeader(b"set-cookie", "; ".join(parts).encode("ascii"))
