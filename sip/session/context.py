"""What the parts of one session share: its dialog, outputs, timers and requests under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sip.dialog import Dialog
from sip.message import Request, Response, response_to
from sip.session.bodies import SDP
from sip.session.outputs import EndCause, Ended, Event, Output, Respond, SendRequest, ServerKey
from sip.session.settings import CredentialsSource, SessionSettings
from sip.session.timers import Timers

OnResponse = Callable[[Request, Response, float], None]
OnFailure = Callable[[str, float], None]
Renumber = Callable[[], int]

Fields = Iterable[tuple[str, str]]


@dataclass(slots=True)
class Pending:
    """A request of ours without a final response. ``renumber`` gives the CSeq of a repetition."""

    request: Request
    on_response: OnResponse
    on_failure: OnFailure
    renumber: Renumber
    auth_tries: int = 0


def ignore_response(request: Request, response: Response, now: float) -> None:
    """For requests whose outcome changes nothing."""


def ignore_failure(reason: str, now: float) -> None:
    """For requests whose outcome changes nothing."""


class Context:
    """State of a session that more than one of its parts needs."""

    def __init__(
        self,
        settings: SessionSettings,
        *,
        is_caller: bool,
        call_id: str,
        credentials: CredentialsSource | None = None,
    ) -> None:
        self.settings = settings
        self.is_caller = is_caller
        self.call_id = call_id
        self.dialog: Dialog | None = None
        self.timers = Timers()
        self.pending: dict[int, Pending] = {}
        self.outputs: list[Output] = []
        self.ended = False
        self.established = False
        self.local_sdp: bytes | None = None
        self.peer_allow: frozenset[str] = frozenset()
        self._credentials = credentials
        self._last_key = 0

    # Outputs

    def emit(self, event: Event) -> None:
        """Tell the application, as long as the session is not over for it."""
        if not self.ended:
            self.outputs.append(event)

    def end(
        self, cause: EndCause, status: int | None = None, reason: str = "", *, keep: tuple[object, ...] = ()
    ) -> None:
        """Say that the session is over, once; only the timers in ``keep`` go on."""
        if self.ended:
            return
        self.outputs.append(Ended(cause, status, reason))
        self.ended = True
        self.timers.keep_only(*keep)

    def hang_up(
        self,
        cause: EndCause,
        status: int | None = None,
        reason: str = "",
        headers: Fields = (),
    ) -> None:
        """End the session by BYE (RFC 3261 section 15.1.1), unless it is over already."""
        if self.ended:
            return
        self.send_in_dialog("BYE", headers)
        if self.dialog is not None:
            self.dialog.terminate()
        self.end(cause, status, reason)

    # Answering

    def respond(
        self,
        key: ServerKey,
        request: Request,
        status: int,
        headers: Fields = (),
        body: bytes | None = None,
        *,
        reason: str | None = None,
    ) -> Response:
        """Answer an incoming request."""
        response = self.build_response(request, status, headers, body, reason=reason)
        self.outputs.append(Respond(key, response))
        return response

    def build_response(
        self,
        request: Request,
        status: int,
        headers: Fields = (),
        body: bytes | None = None,
        *,
        reason: str | None = None,
    ) -> Response:
        """Make the answer to a request, with our tag; a body is a session description."""
        return response_to(
            request,
            status,
            reason,
            to_tag=self.dialog.id.local_tag if self.dialog is not None else None,
            headers=headers,
            body=body or b"",
            content_type=SDP if body else None,
            record_route=100 < status < 300 and request.method in ("INVITE", "SUBSCRIBE", "REFER"),
        )

    @property
    def contact(self) -> list[tuple[str, str]]:
        """Our Contact header, for responses that set up or move a dialog."""
        return [("Contact", self.dialog.contact)] if self.dialog is not None else []

    # Requesting

    def send(
        self,
        request: Request,
        renumber: Renumber,
        on_response: OnResponse = ignore_response,
        on_failure: OnFailure = ignore_failure,
    ) -> int:
        """Start a request; returns its key."""
        self._last_key += 1
        self.pending[self._last_key] = Pending(request, on_response, on_failure, renumber)
        self.outputs.append(SendRequest(self._last_key, request))
        return self._last_key

    def send_in_dialog(
        self,
        method: str,
        headers: Fields = (),
        body: bytes | None = None,
        content_type: str = SDP,
        *,
        dialog: Dialog | None = None,
        on_response: OnResponse = ignore_response,
        on_failure: OnFailure = ignore_failure,
    ) -> int | None:
        """Start a request within the dialog; None when there is no dialog."""
        dialog = dialog or self.dialog
        if dialog is None:
            return None
        request = dialog.new_request(method, headers, body or b"", content_type)
        return self.send(request, dialog.next_cseq, on_response, on_failure)

    def receive_response(self, key: int, response: Response, now: float) -> bool:
        """Pass a response to whoever waits for it; False when nobody does."""
        pending = self.pending.get(key)
        if pending is None:
            return False
        if response.status >= 200:
            del self.pending[key]
            if response.status in (401, 407) and self._authenticate(pending, response, now):
                return True
        pending.on_response(pending.request, response, now)
        return True

    def request_failed(self, key: int, reason: str, now: float) -> None:
        """Pass on that no response will come."""
        pending = self.pending.pop(key, None)
        if pending is not None:
            pending.on_failure(reason, now)

    def key_of(self, method: str) -> int | None:
        """The key of our request of that method that has no final response, None when there is none."""
        for key, pending in self.pending.items():
            if pending.request.method == method:
                return key
        return None

    def allows(self, method: str) -> bool:
        """Whether the peer said it takes this method."""
        return method in self.peer_allow

    def learn_allow(self, message: Request | Response) -> None:
        """Remember what the peer takes."""
        allow = message.allow
        if allow:
            self.peer_allow = frozenset(allow)

    def _authenticate(self, pending: Pending, response: Response, now: float) -> bool:
        """Repeat the request with credentials (RFC 3261 section 22.2).

        Only a call we placed has any: the callee of an inbound call who answered a challenge to his BYE or
        re-INVITE would give his digest to whoever called.
        """
        if self._credentials is None or not self.is_caller:
            return False
        if pending.auth_tries >= self.settings.max_auth_tries:
            return False
        if self.ended and pending.request.method != "BYE":
            return False
        header = self._credentials.answer(response, pending.request, now)
        if header is None:
            return False
        again = repeat(pending.request, pending.renumber())
        again.headers.set(*header)
        key = self.send(again, pending.renumber, pending.on_response, pending.on_failure)
        self.pending[key].auth_tries = pending.auth_tries + 1
        return True


def repeat(request: Request, cseq: int) -> Request:
    """The same request as a new one: next CSeq, no Via (RFC 3261 section 8.1.3.5)."""
    again = request.copy()
    again.headers.remove("Via")
    again.headers.set("CSeq", f"{cseq} {request.method}")
    return again
