"""Which media type a body has, and which the answer should have (RFC 9110 sections 8.3 and 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from admin_api.guard import header

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest


def content_type(request: IRequest) -> str:
    """The media type of the body, without its parameters; empty where none is named."""
    return header(request, b"content-type").partition(";")[0].strip().lower()


def wanted_type(request: IRequest, kinds: Sequence[str]) -> str:
    """The one of ``kinds`` the asker likes best; the first where it likes none or does not say."""
    text = header(request, b"accept")
    if not text or text == "*/*" or text == kinds[0]:
        return kinds[0]
    return parse_accept_header(text, MIMEAccept).best_match(kinds, default=kinds[0])
