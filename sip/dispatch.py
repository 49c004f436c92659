"""Incoming requests: refused by RFC 3261 section 8.2, given to their dialog, or to the application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from sip.admission import Denied
from sip.call import Call
from sip.client_requests import direct_address
from sip.errors import ParseError
from sip.transaction.layer import RETRY_AFTER
from sip.transaction.matching import same_sender
from sip.transfer import Replaces

if TYPE_CHECKING:
    from sip.endpoint import Endpoint
    from sip.endpoint_settings import EndpointSettings
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.transaction.outputs import RequestReceived
    from sip.transaction.server import ServerTransaction
    from sip.uri import Uri

SIP_SCHEMES = ("sip", "sips")
ONLY_IN_DIALOG = frozenset({"BYE", "PRACK", "UPDATE", "INFO"})
DialogKey = tuple[str, str]
"""Call-ID and our tag, which is ours alone; the other tag is checked by the dialog itself."""
Fields = tuple[tuple[str, str], ...]


class DialogUser(Protocol):
    """Who gets the requests of a dialog: a call, or a subscription."""

    known_flow: Flow | None
    peer_class: str | None

    def receive_request(self, request: Request, transaction: ServerTransaction) -> None:
        """Take a request within the dialog."""

    def route(self) -> Iterable[Uri]:
        """List the URIs of the route set and of the remote target."""


def is_from_peer(user: DialogUser, flow: Flow, peer_class: str | None) -> bool:
    """Tell whether an in-dialog request comes from where the dialog's messages come from (rule C9).

    That is the dialog's flow, an address of its route set or its Contact, or, for a configured
    link, any address of that link.
    """
    if user.known_flow is None or same_sender(user.known_flow, flow):
        return True
    if peer_class is not None and peer_class == user.peer_class and peer_class.startswith("link:"):
        return True
    return any(_is_at(uri, flow) for uri in user.route())


def _is_at(uri: Uri, flow: Flow) -> bool:
    address = direct_address(uri)
    if address is None or address.host != flow.remote.host:
        return False
    return flow.connection != 0 or address.port == flow.remote.port


class Refusal(Exception):  # not an error of ours
    """A request is refused before anybody sees it."""

    def __init__(self, status: int, label: str, *headers: tuple[str, str]) -> None:
        """Name the answer and its counter."""
        super().__init__(status, label)
        self.status = status
        self.label = label
        self.headers: Fields = headers


def check_request(request: Request, flow: Flow, settings: EndpointSettings) -> None:
    """Check what needs no state (8.2.1 to 8.2.3). Raises Refusal."""
    if request.method not in settings.methods:
        raise Refusal(405, "method_not_allowed", ("Allow", ", ".join(settings.methods)))
    uri = request.request_uri
    if uri.scheme not in SIP_SCHEMES:
        raise Refusal(416, "unknown_scheme")
    if uri.scheme == "sips" and flow.remote.transport != "tls":
        raise Refusal(480, "sips_without_tls")  # rule G3
    _check_require(request, settings)
    if "Content-Encoding" in request.headers and request.body:
        encoding = (request.headers.get("Content-Encoding") or "").strip().lower()
        if encoding != "identity":
            raise Refusal(415, "body_encoded", ("Accept-Encoding", "identity"))
    if request.method == "INVITE" and request.body and request.content_type not in settings.body_types:
        raise Refusal(415, "body_type", ("Accept", ", ".join(settings.body_types)))
    if request.method == "INVITE" and "Accept" in request.headers and not _takes_sdp(request):
        raise Refusal(406, "accept_without_sdp")


def _takes_sdp(request: Request) -> bool:
    """Tell whether the caller can read a session description in our answer (RFC 3261 section 20.1)."""
    ranges = (value.partition(";")[0].strip().lower() for value in request.headers.get_list("Accept"))
    return any(each in ("application/sdp", "application/*", "*/*") for each in ranges)


def _check_require(request: Request, settings: EndpointSettings) -> None:
    if "Require" not in request.headers:
        return
    unknown = [tag for tag in request.require if tag.lower() not in settings.option_tags]
    if unknown:
        raise Refusal(420, "unknown_extension", ("Unsupported", ", ".join(unknown)))


class Dispatch:
    """Gives each request that reached the user of the transactions to whom it concerns."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Serve one endpoint."""
        self._endpoint = endpoint
        self._counters = endpoint.counters

    def request(self, received: RequestReceived) -> None:
        """Take a new request; until it is accepted nothing of it is remembered (rule D1)."""
        request, flow = received.request, received.flow
        try:
            if request.to_tag is not None:
                self._within_dialog(received, self._endpoint.peer_class(flow))
            else:
                self._outside_dialog(received, self._endpoint.peer_class(flow))
        except Refusal as refusal:
            self._counters.count(refusal.label)
            self._endpoint.refuse(received, refusal.status, refusal.headers)
        except ParseError as error:  # of a header that is read only now
            self._counters.count(f"malformed_{error.label}")
            self._endpoint.refuse(received, error.status)

    def ack(self, request: Request, flow: Flow) -> None:
        """Take the ACK to a 2xx; one that fits nothing is dropped, never answered (rule A10)."""
        user = self._endpoint.dialogs.find(request)
        if not isinstance(user, Call):
            self._counters.count("ack_unmatched")
        elif not is_from_peer(user, flow, self._endpoint.peer_class(flow)):
            self._counters.count("ack_from_stranger")
        else:
            user.receive_ack(request)

    def cancel(self, transaction: ServerTransaction) -> None:
        """Take a CANCEL, which the transactions have answered and matched."""
        call = transaction.owner
        if isinstance(call, Call):
            call.cancelled()
        elif not transaction.answered:  # else it is late, and the call may be over
            self._counters.count("cancel_unowned")

    def stray(self, response: Response, flow: Flow) -> None:
        """Take a 2xx to INVITE beyond its transaction: a session that still lives knows what to do."""
        user = self._endpoint.dialogs.by_key.get((response.call_id, response.from_tag or ""))
        if isinstance(user, Call) and is_from_peer(user, flow, self._endpoint.peer_class(flow)):
            user.receive_stray(response)
        else:
            self._counters.count("response_stray")

    def _within_dialog(self, received: RequestReceived, peer_class: str | None) -> None:
        request, flow = received.request, received.flow
        user = self._endpoint.dialogs.find(request)
        if user is None:
            raise Refusal(481, "no_dialog")
        if not is_from_peer(user, flow, peer_class):
            raise Refusal(481, "dialog_from_stranger")
        if flow.connection:
            user.known_flow = flow  # a peer that reconnected is reached where it is now
        transaction = self._endpoint.accept(received, peer_class)
        if request.method == "INVITE":
            transaction.owner = user  # which a CANCEL is for
        user.receive_request(request, transaction)

    def _outside_dialog(self, received: RequestReceived, peer_class: str | None) -> None:
        endpoint = self._endpoint
        request, flow = received.request, received.flow
        check_request(request, flow, endpoint.settings)
        if request.method in ONLY_IN_DIALOG:
            raise Refusal(481, "no_dialog")
        if request.method == "INVITE" and endpoint.dialogs.is_full:
            raise Refusal(503, "overload_calls", ("Retry-After", str(RETRY_AFTER)))
        admission = endpoint.application.admit(request, flow, peer_class)
        if isinstance(admission, Denied):
            self._counters.count("denied")
            if admission.response is not None:
                endpoint.answer_once(received, admission.response)
        elif request.method == "INVITE":
            replaced = self._replaced(request)
            call = endpoint.dialogs.incoming_call(received, peer_class)
            call.identity, call.replaces = admission.identity, replaced
            endpoint.application.invite_received(call)
        else:
            transaction = endpoint.accept(received, peer_class)
            endpoint.application.request_received(request, transaction, flow, admission.identity)

    def _replaced(self, request: Request) -> Call | None:
        """Find the call that Replaces names (RFC 3891 section 3). Raises Refusal."""
        values = request.headers.get_all("Replaces")
        if not values:
            return None
        replaces = Replaces.parse(values[0])
        call = self._endpoint.find_replaced(replaces)
        if call is None:
            raise Refusal(481, "replaces_nothing")
        status = call.session.check_replaced(replaces)
        if status is not None:
            raise Refusal(status, "replaces_refused")
        return call
