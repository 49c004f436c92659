"""Requests within a dialog that change no state of ours: INFO, MESSAGE, OPTIONS."""

from __future__ import annotations

from sip.message import Request
from sip.session.bodies import ACCEPTED, Refusal, check_encoding, matches
from sip.session.context import Context
from sip.session.outputs import InfoReceived, MessageReceived, ServerKey


def check_require(request: Request, option_tags: tuple[str, ...]) -> None:
    """Refuse extensions we lack (RFC 3261 section 8.2.2.3)."""
    unknown = [tag for tag in request.require if tag.lower() not in option_tags]
    if unknown:
        raise Refusal(420, ("Unsupported", ", ".join(unknown)))


def receive_info(context: Context, request: Request, key: ServerKey) -> None:
    """INFO, legacy or with a package (RFC 6086). Raises Refusal."""
    settings = context.settings
    package = request.headers.get("info-package")
    if package is not None and package.partition(";")[0].strip() not in settings.info_packages:
        raise Refusal(469, ("Recv-Info", ", ".join(settings.info_packages)))
    if not request.body:
        context.respond(key, request, 200)  # a keep-alive of old devices
        return
    content_type = _accepted_type(request, settings.info_types if package is None else ("*/*",))
    context.respond(key, request, 200)
    context.emit(InfoReceived(content_type, request.body))


def receive_message(context: Context, request: Request, key: ServerKey) -> None:
    """MESSAGE (RFC 3428). Raises Refusal."""
    content_type = _accepted_type(request, context.settings.message_types)
    context.respond(key, request, 200)
    context.emit(MessageReceived(content_type, request.body))


def receive_options(context: Context, request: Request, key: ServerKey) -> None:
    """OPTIONS (RFC 3261 section 11.2)."""
    context.respond(
        key, request, 200, [("Accept", ACCEPTED), *context.contact, *context.settings.capabilities]
    )


def _accepted_type(request: Request, accepted: tuple[str, ...]) -> str:
    check_encoding(request)
    content_type = request.content_type or ""
    if "*/*" not in accepted and not matches(content_type, accepted):
        raise Refusal(415, ("Accept", ", ".join(accepted)))
    return content_type
