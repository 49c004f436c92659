"""The INVITE that made a session, as its callee (RFC 3261 section 13.3, RFC 3262 section 3)."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from sip.message import Request, Response
from sip.reliable import OPTION
from sip.session.accepted import TIMERS, Accepted
from sip.session.bodies import Refusal, offer_in
from sip.session.context import Context
from sip.session.exchange import Exchange, Open
from sip.session.outputs import AnswerReceived, Confirmed, EndCause, Ended, ServerKey
from sip.session.provisionals import Provisionals, read_rack
from sip.session.refresh import Refresh
from sip.via import MAGIC_COOKIE


class Phase(enum.Enum):
    """How far the INVITE is."""

    RINGING = "ringing"
    ANSWERING = "answering"  # the 2xx waits for a PRACK
    ACCEPTED = "accepted"  # the 2xx waits for its ACK
    CONFIRMED = "confirmed"
    OVER = "over"


class Uas:
    """Answers one INVITE."""

    __slots__ = (
        "_answer",
        "_bye_headers",
        "_context",
        "_exchange",
        "_key",
        "_provisionals",
        "_refresh",
        "_request",
        "_sent_reliably",
        "_wants_bye",
        "offer",
        "phase",
    )

    def __init__(
        self, context: Context, exchange: Exchange, refresh: Refresh, request: Request, key: ServerKey
    ) -> None:
        self._context = context
        self._exchange = exchange
        self._refresh = refresh
        self._request = request
        self._key = key
        self._provisionals: Provisionals | None = None  # until one is to be sent reliably
        self._answer: bytes | None = None
        self._sent_reliably = False
        self._wants_bye = False
        self._bye_headers: tuple[tuple[str, str], ...] = ()
        self.phase = Phase.RINGING
        self.offer: bytes | None = None

    @property
    def unacknowledged(self) -> bytes | None:
        """Our 2xx that waits for its ACK."""
        accepted = self._exchange.accepted
        return (
            accepted.response.serialise() if self.phase is Phase.ACCEPTED and accepted is not None else None
        )

    def restore(self, accepted: Response | None, *, our_offer: bool, now: float) -> None:
        """Go on where another process was: confirmed, or with a 2xx that waits for its ACK."""
        if accepted is None:
            self.phase, self._context.established = Phase.CONFIRMED, True
            return
        self.phase = Phase.ACCEPTED
        self._exchange.initial = Open.OURS if our_offer else Open.NOBODYS
        self._exchange.accepted = Accepted(
            self._context, None, accepted, on_ack=self._acknowledged, on_silence=self._no_ack, now=now
        )

    def start(self) -> None:
        """Check the INVITE. Raises Refusal or ParseError."""
        if not self._request.contacts and not _is_2543(self._request):
            raise Refusal(400, reason="Missing Contact")
        self.offer = offer_in(self._request)
        self._refresh.check(self._request)
        if self._context.settings.reliable_provisionals == "required" and not self._peer_has_reliable():
            raise Refusal(421, ("Require", OPTION))
        self._context.learn_allow(self._request)
        if self.offer is not None:
            self._exchange.initial = Open.THEIRS

    # Commands

    def trying(self) -> None:
        """Say 100."""
        if self.phase is Phase.RINGING:
            self._context.respond(self._key, self._request, 100)

    def progress(self, status: int, sdp: bytes | None, now: float) -> None:
        """Send a provisional response, 101 to 199, reliably when the peer and the settings want it."""
        if self.phase is not Phase.RINGING:
            return
        headers = [*self._context.contact, ("Allow", self._context.settings.allow)]
        if not self._is_reliable(sdp):
            self._context.respond(self._key, self._request, status, headers, sdp)
            return
        if self._sent_reliably:
            sdp = None  # RFC 3262 section 5: the exchange is complete, a second answer would be an offer
        response = self._context.build_response(self._request, status, headers, sdp)
        if sdp is not None:
            self._sent_reliably = True
            if self.offer is None:
                self._exchange.initial = Open.OURS
            self._context.local_sdp = sdp
        if self._provisionals is None:
            self._provisionals = Provisionals(self._context, self._request, self._key, self._no_prack)
        self._provisionals.send(response, now)

    def answer(self, sdp: bytes, now: float) -> None:
        """Send the 2xx; after a description that waits for its PRACK (RFC 3262 section 3)."""
        if self.phase is not Phase.RINGING:
            return
        self._answer = sdp
        self.phase = Phase.ANSWERING
        self._answer_when_free(now)

    def reject(
        self,
        status: int,
        reason: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        cause: EndCause = EndCause.REJECTED,
    ) -> None:
        """Send a final response, 300 to 699."""
        if self.phase not in (Phase.RINGING, Phase.ANSWERING):
            return
        response = self._context.respond(self._key, self._request, status, headers, reason=reason)
        self._finish(Ended(cause, status, response.reason))

    def hang_up(self, cause: EndCause, headers: tuple[tuple[str, str], ...]) -> None:
        """End by what the phase asks for: a refusal, or BYE, which has to wait for the ACK (section 15)."""
        if self.phase is Phase.CONFIRMED:
            self._context.hang_up(cause, headers=headers)
        elif self.phase is Phase.ACCEPTED:
            self._wants_bye, self._bye_headers = True, headers
            self._context.end(cause, keep=TIMERS)
        else:
            self.reject(480, headers=headers, cause=cause)

    # Input

    def cancelled(self) -> None:
        """CANCEL: 487, unless the answer is out already (section 9.2)."""
        self.reject(487, cause=EndCause.CANCELLED)

    def gone(self) -> None:
        """The peer ended the early dialog by BYE (section 15.1.2): the INVITE gets its 487."""
        if self.phase in (Phase.RINGING, Phase.ANSWERING):
            self._context.respond(self._key, self._request, 487)
        self._stop_provisionals()
        self.phase = Phase.OVER

    def receive_prack(self, prack: Request, key: ServerKey, now: float) -> None:
        """Take a PRACK, which may carry our answer or an offer. Raises Refusal or ParseError."""
        sdp = offer_in(prack)
        acknowledged = read_rack(prack)
        if self._provisionals is None or not self._provisionals.acknowledge(acknowledged, now):
            raise Refusal(481)
        if self._sent_reliably and not self._provisionals.holds_answer and self.offer is not None:
            self._exchange.initial = Open.NOBODYS  # the caller has our answer
        if sdp is not None and self._exchange.initial is Open.OURS:
            self._exchange.initial = Open.NOBODYS
            self._context.emit(AnswerReceived(sdp))
        elif sdp is not None:
            self._exchange.take(prack, key, sdp)
            return
        self._context.respond(key, prack, 200)
        if self.phase is Phase.ANSWERING:
            self._answer_when_free(now)
        else:
            self._exchange.proceed(now)

    # Inside

    def _answer_when_free(self, now: float) -> None:
        if self._exchange.initial is Open.OURS:
            return
        if self._provisionals is not None and self._provisionals.holds_answer:
            return
        body = None if self._sent_reliably else self._answer
        settings = self._context.settings
        headers = [
            *self._context.contact,
            *settings.capabilities,
            *self._refresh.take_request(self._request, now),
        ]
        response = self._context.respond(self._key, self._request, 200, headers, body)
        self._stop_provisionals()
        if body is not None:
            self._exchange.initial = Open.NOBODYS if self.offer is not None else Open.OURS
            self._context.local_sdp = body
        self.phase = Phase.ACCEPTED
        if self._context.dialog is not None:
            self._context.dialog.confirm()
        self._exchange.accepted = Accepted(
            self._context, self._key, response, on_ack=self._acknowledged, on_silence=self._no_ack, now=now
        )

    def _acknowledged(self, sdp: bytes | None, now: float) -> None:
        self.phase = Phase.CONFIRMED
        self._exchange.accepted = None
        self._context.established = True
        if self._wants_bye:
            self._context.send_in_dialog("BYE", self._bye_headers)
            return
        if self._exchange.initial is Open.OURS:
            self._exchange.initial = Open.NOBODYS
            if sdp is None:
                self._context.hang_up(EndCause.BAD_ANSWER)
                return
        else:
            sdp = None  # an offer cannot come in an ACK (RFC 3264, RFC 6337 section 3.1)
        self._context.emit(Confirmed(sdp))
        self._exchange.proceed(now)

    def _no_ack(self, now: float) -> None:
        """Section 13.3.1.4: the dialog is confirmed, but the session SHOULD be ended, by BYE."""
        self.phase = Phase.CONFIRMED
        self._exchange.accepted = None
        if self._wants_bye:
            self._context.send_in_dialog("BYE", self._bye_headers)
        else:
            self._context.hang_up(EndCause.ACK_TIMEOUT)

    def _no_prack(self, now: float) -> None:
        """RFC 3262 section 3: reject the INVITE with a 5xx."""
        self.reject(504, cause=EndCause.PRACK_TIMEOUT)

    def _stop_provisionals(self) -> None:
        """A final response is out: repeat no other."""
        if self._provisionals is not None:
            self._provisionals.stop()

    def _finish(self, end: Ended) -> None:
        self.phase = Phase.OVER
        self._stop_provisionals()
        if self._context.dialog is not None:
            self._context.dialog.terminate()
        self._context.end(end.cause, end.status, end.reason)

    def _is_reliable(self, sdp: bytes | None) -> bool:
        mode = self._context.settings.reliable_provisionals
        if mode == "never":
            return False
        if OPTION in self._request.require:
            return True
        return self._peer_has_reliable() and (mode == "required" or sdp is not None)

    def _peer_has_reliable(self) -> bool:
        return OPTION in self._request.supported or OPTION in self._request.require


def _is_2543(request: Request) -> bool:
    """Tell whether a peer of RFC 2543 sent this: its INVITE needs no Contact, From says where it is (its 6.13)."""
    branch = request.via.branch if "via" in request.headers else MAGIC_COOKIE
    return branch is None or not branch.startswith(MAGIC_COOKIE)
