"""Requests within the dialogs of a session: in order, understood, and to which part (RFC 3261 section 12.2.2)."""

from __future__ import annotations

from sip.dialog import Dialog
from sip.errors import ParseError
from sip.message import Request
from sip.session.bodies import Refusal
from sip.session.context import Context
from sip.session.exchange import Exchange
from sip.session.outputs import EndCause, ServerKey
from sip.session.referral import Referral
from sip.session.requests import check_require, receive_info, receive_message, receive_options
from sip.session.uac import Uac
from sip.session.uas import Uas


class Incoming:
    """Sorts incoming requests; exactly one of ``uas`` and ``uac`` is set by the session."""

    __slots__ = ("_context", "_exchange", "_referral", "uac", "uas")

    def __init__(self, context: Context, exchange: Exchange, referral: Referral) -> None:
        self._context = context
        self._exchange = exchange
        self._referral = referral
        self.uas: Uas | None = None
        self.uac: Uac | None = None

    def receive(self, request: Request, key: ServerKey, now: float) -> None:
        """Take a request; what is wrong with it goes to the wire here."""
        try:
            self._dispatch(request, key, now)
        except Refusal as refusal:
            self._context.respond(key, request, refusal.status, refusal.headers, reason=refusal.reason)
        except ParseError as error:
            self._context.respond(key, request, error.status)

    def dialog_of(self, request: Request) -> Dialog | None:
        """The dialog a request belongs to, by all three parts of its id (security C9)."""
        current = self._context.dialog
        remote_tag = request.from_tag or ""
        if current is not None and current.id.remote_tag != remote_tag and self.uac is not None:
            current = self.uac.dialog_with(remote_tag)
        if current is None or current.id != (request.call_id, request.to_tag or "", remote_tag):
            return None
        return current

    def _dispatch(self, request: Request, key: ServerKey, now: float) -> None:
        dialog = self.dialog_of(request)
        if dialog is None:
            raise Refusal(481)
        if not dialog.in_order(request):
            raise Refusal(500, reason="CSeq Out Of Order")
        if self._context.ended:
            # Both hung up at once: their BYE is right, anything else is late.
            if request.method != "BYE":
                raise Refusal(481)
            self._context.respond(key, request, 200)
            return
        check_require(request, self._context.settings.option_tags)
        if request.method == "BYE":
            self._receive_bye(request, key, dialog)
        elif request.method in ("INVITE", "UPDATE"):
            self._receive_offer(request, key, dialog, now)
        else:
            self._receive_other(request, key, now)

    def _receive_offer(self, request: Request, key: ServerKey, dialog: Dialog, now: float) -> None:
        if dialog is not self._context.dialog:
            raise Refusal(500, ("Retry-After", "5"))  # another early fork; only one is followed
        if "replaces" in request.headers:
            raise Refusal(400)  # RFC 3891 section 3: not within a dialog
        self._exchange.receive(request, key, now)

    def _receive_other(self, request: Request, key: ServerKey, now: float) -> None:
        context = self._context
        if request.method == "PRACK" and self.uas is not None:
            self.uas.receive_prack(request, key, now)
        elif request.method == "INFO":
            receive_info(context, request, key)
        elif request.method == "MESSAGE":
            receive_message(context, request, key)
        elif request.method == "OPTIONS":
            receive_options(context, request, key)
        elif request.method == "REFER":
            self._referral.receive_refer(request, key)
        elif request.method == "NOTIFY":
            self._referral.receive_notify(request, key, now)
        elif request.method == "SUBSCRIBE":
            self._referral.receive_subscribe(request, key, now)
        else:
            raise Refusal(405, ("Allow", context.settings.allow))

    def _receive_bye(self, request: Request, key: ServerKey, dialog: Dialog) -> None:
        """RFC 3261 section 15.1.2. A BYE of one fork leaves the others alone."""
        self._context.respond(key, request, 200)
        dialog.terminate()
        if self.uac is not None and dialog is not self._context.dialog:
            return
        if self.uas is not None:
            self.uas.gone()
        self._context.end(EndCause.REMOTE_BYE, reason=request.headers.get("reason") or "")
