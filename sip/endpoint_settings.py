"""What an application decides once for its endpoint, and what it implements for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sip.flood import FloodLimits
from sip.session.settings import SessionSettings
from sip.transaction.layer import MAX_TRANSACTIONS
from sip.transport.stream_table import StreamLimits

if TYPE_CHECKING:
    from sip.admission import Admission
    from sip.call import Call
    from sip.flow import Flow
    from sip.message import Request
    from sip.transaction.server import ServerTransaction
    from sip.transport.tls import TlsSettings

METHODS = (
    *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "UPDATE"),
    *("PRACK", "INFO", "MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY"),
)
OPTION_TAGS = ("100rel", "timer", "replaces", "norefersub", "path", "outbound")
BODY_TYPES = ("application/sdp", "multipart/mixed", "multipart/alternative", "multipart/related")


@dataclass(frozen=True)
class EndpointSettings:
    """Settings of `Endpoint`; the bounds are those of the security reference, section D3."""

    bind: list[str] = field(default_factory=lambda: ["0.0.0.0", "::"])
    port: int = 5060
    """UDP and TCP; 0 lets the system choose."""
    tls_port: int | None = None
    tls: TlsSettings | None = None
    user_agent: str = ""
    """User-Agent of requests outside of dialogs; empty sends none."""
    methods: tuple[str, ...] = METHODS
    """What is answered at all; another method gets 405."""
    option_tags: tuple[str, ...] = OPTION_TAGS
    """What may stand in Require; another gets 420."""
    body_types: tuple[str, ...] = BODY_TYPES
    """What the body of an INVITE may be; another gets 415."""
    session: SessionSettings = field(default_factory=lambda: SessionSettings(random.random))
    flood: FloodLimits = field(default_factory=FloodLimits)
    streams: StreamLimits = field(default_factory=StreamLimits)
    max_transactions: int = MAX_TRANSACTIONS
    max_calls: int = 20_000
    max_unanswered: int = 2_000
    """Calls neither confirmed nor over."""
    max_datagram: int = 1_300
    """A longer request goes over TCP (RFC 3261 section 18.1.1)."""
    new_token: Callable[[], str] | None = None
    """Makes tags and branches; None takes 64 bits from the system for each."""


class Application(Protocol):
    """What an endpoint tells its application."""

    def peer_class(self, flow: Flow) -> str | None:
        """Name the kind of peer: "loopback", "link:NAME", "registered", or None for a stranger.

        Asked for each message, remembered for a second. It picks the flood limit and is passed on.
        """

    def admit(self, request: Request, flow: Flow, peer_class: str | None) -> Admission:
        """Say who sends a request outside of dialogs (other than ACK and CANCEL), or what to refuse it with.

        Asked before the request has a server transaction, so that a challenge costs no state: ``Denied``
        is sent once, statelessly (D1). ``Admitted.identity`` becomes ``Call.identity``, or is passed to
        ``request_received``.
        """

    def connection_lost(self, flow: Flow) -> None:
        """Take note that a connection is gone, by whichever end: what was bound to it is not there any more."""

    def invite_received(self, call: Call) -> None:
        """Take a new call: answer it now or later, by its commands.

        ``call.offer`` is its SDP (out of a multipart body too) or None; ``call.replaces`` is the call it
        is to take the place of (RFC 3891; looked up by the endpoint, which answers 481 itself when there
        is none): the application answers the new call and hangs the old one up.
        """

    def request_received(
        self, request: Request, transaction: ServerTransaction, flow: Flow, identity: str | None
    ) -> None:
        """Take a request outside of dialogs; answer it by ``Endpoint.respond`` or ``reply_stateless``."""
