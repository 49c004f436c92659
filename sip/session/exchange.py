"""Offers and answers within a session: re-INVITE and UPDATE, both roles (RFC 3261 section 14, RFC 3311).

At most one exchange is open. Ours waits its turn; theirs, when it crosses ours, is answered 491, and 500 with
Retry-After when it crosses another one of theirs.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sip.dialog import Dialog
from sip.message import Request, Response
from sip.session.accepted import Accepted
from sip.session.bodies import SDP, Refusal, offer_in, sdp_in
from sip.session.context import Context
from sip.session.outputs import (
    AnswerReceived,
    EndCause,
    OfferFailed,
    OfferReceived,
    OfferRequested,
    SendAck,
    ServerKey,
)
from sip.session.refresh import Refresh

GLARE = "glare"
MAX_TRIES = 6
LOST = frozenset({408, 481})  # RFC 3261 section 12.2.1.2: the peer does not know the dialog any more


class Open(enum.Enum):
    """Whose offer of the INVITE that made the session waits for an answer."""

    NOBODYS = "none"
    OURS = "ours"
    THEIRS = "theirs"


@dataclass(slots=True)
class _Ours:
    """An offer of ours; ``sdp`` is None for a mere session refresh by UPDATE."""

    sdp: bytes | None
    method: str
    tries: int = 0
    refresh: bool = False


@dataclass(slots=True)
class _Theirs:
    """A request of theirs that the application is to decide. ``wants_offer``: it had no description."""

    request: Request
    key: ServerKey
    wants_offer: bool


class Exchange:
    """The exchanges of one session after, and for UPDATE and PRACK beside, its first."""

    __slots__ = (
        "_ack",
        "_context",
        "_ours",
        "_refresh",
        "_theirs",
        "_waiting",
        "accepted",
        "initial",
        "restored",
    )

    def __init__(self, context: Context, refresh: Refresh) -> None:
        self._context = context
        self._refresh = refresh
        self._ack: Request | None = None
        self._ours: _Ours | None = None
        self._waiting: _Ours | None = None
        self._theirs: _Theirs | None = None
        self.accepted: Accepted | None = None
        self.initial = Open.NOBODYS
        self.restored = False
        refresh.send = self._send_refresh

    # Ours

    def offer(self, sdp: bytes, method: str, now: float) -> None:
        """Send an offer as soon as nothing else is under way; a later one replaces a waiting one."""
        self._waiting = _Ours(sdp, method)
        self.proceed(now)

    def proceed(self, now: float) -> None:
        """Send what waits, when its time is here."""
        waiting = self._waiting
        if (
            waiting is None
            or self._context.ended
            or GLARE in self._context.timers
            or not self._is_free(waiting)
        ):
            return
        self._waiting = None
        self._send(waiting)

    def _is_free(self, ours: _Ours) -> bool:
        if self._ours is not None or self._theirs is not None or self._context.dialog is None:
            return False
        if self.initial is not Open.NOBODYS:
            return False
        if self._context.established:
            return self.accepted is None or ours.method == "UPDATE"
        # Before the answer only UPDATE can carry an offer, and only when the first exchange is complete.
        return (
            ours.method == "UPDATE" and self._context.allows("UPDATE") and self._context.local_sdp is not None
        )

    def _send(self, ours: _Ours) -> None:
        if ours.method == "UPDATE" and not self._context.allows("UPDATE"):
            ours.method = "INVITE"
        headers = [*self._context.settings.capabilities, *self._refresh.request_headers()]
        ours.tries += 1
        self._ours = ours
        self._context.send_in_dialog(
            ours.method, headers, ours.sdp, on_response=self._responded, on_failure=self._failed
        )

    def _send_refresh(self, now: float) -> None:
        """Refresh the session (RFC 4028 section 7.4); a re-INVITE repeats our description."""
        if self._ours is not None or self._waiting is not None:
            return  # what is under way, or will be, refreshes as well
        if self._context.allows("UPDATE"):
            self._send(_Ours(None, "UPDATE", refresh=True))
        elif self._context.local_sdp is not None:
            self._waiting = _Ours(self._context.local_sdp, "INVITE", refresh=True)
            self.proceed(now)

    def _responded(self, request: Request, response: Response, now: float) -> None:
        if response.status < 200:
            return
        ours, self._ours = self._ours, None
        if response.status < 300 and request.method == "INVITE":
            self._acknowledge(request)
        if ours is None or self._context.ended:
            return
        if response.status < 300:
            self._succeeded(ours, response, now)
        elif response.status in LOST:
            self._context.hang_up(EndCause.TIMEOUT, response.status, response.reason)
        elif not self._try_again(ours, response, now):
            self._give_up(ours, response.status)
        self.proceed(now)

    def _acknowledge(self, request: Request) -> None:
        if self._context.dialog is not None:
            self._ack = acknowledgement(self._context.dialog, request)
            self._context.outputs.append(SendAck(self._ack))

    def repeated(self, response: Response) -> None:
        """The 2xx to our re-INVITE comes again: its ACK was lost (RFC 3261 section 13.2.2.4)."""
        number, dialog = response.cseq.number, self._context.dialog
        if self._ack is not None and self._ack.cseq.number == number:
            self._context.outputs.append(SendAck(self._ack))
        elif self.restored and dialog is not None and response.to_tag == dialog.id.remote_tag:
            # to a re-INVITE of the process before us: without an ACK the peer would end the call
            self._context.outputs.append(SendAck(dialog.new_request("ACK", cseq=number)))

    def _succeeded(self, ours: _Ours, response: Response, now: float) -> None:
        if self._context.dialog is not None:
            self._context.dialog.refresh_target(response)
        self._context.learn_allow(response)
        self._refresh.take_response(response, now)
        if ours.sdp is None:
            return
        answer = sdp_in(response)
        if answer is None:
            self._give_up(ours, 488)
            return
        self._context.local_sdp = ours.sdp
        self._context.emit(AnswerReceived(answer))

    def _try_again(self, ours: _Ours, response: Response, now: float) -> bool:
        if ours.tries >= MAX_TRIES:
            return False
        if response.status == 422:
            if self._refresh.too_small(response):
                self._waiting = self._waiting or ours
                return True
            return False
        pause = self._pause(response)
        if pause is None:
            return False
        self._waiting = self._waiting or ours
        self._context.timers.set(GLARE, now + pause, self.proceed)
        return True

    def _pause(self, response: Response) -> float | None:
        """How long to wait after glare (RFC 3261 section 14.1), None when it was none.

        The side that made the Call-ID waits 2.1 to 4 s, the other up to 2 s, both in steps of 10 ms.
        """
        if response.status == 491:
            draw = self._context.settings.random()
            return 2.1 + 0.01 * int(draw * 191) if self._context.is_caller else 0.01 * int(draw * 201)
        if response.status == 500:
            text = (response.headers.get("retry-after") or "").split(" ")[0]
            if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 10:
                return max(1.0, float(text))
        return None

    def _give_up(self, ours: _Ours, status: int) -> None:
        if ours.sdp is not None and not ours.refresh:
            self._context.emit(OfferFailed(status))

    def _failed(self, reason: str, now: float) -> None:
        """RFC 3261 section 12.2.1.2: no answer at all means that the dialog is gone."""
        self._ours = None
        cause = EndCause.TRANSPORT if reason == "transport" else EndCause.TIMEOUT
        self._context.hang_up(cause, 408)

    # Theirs

    def receive(self, request: Request, key: ServerKey, now: float) -> None:
        """Take a re-INVITE or UPDATE. Raises Refusal or ParseError."""
        offer = offer_in(request)
        self._check_free(request, offer)
        self._refresh.check(request)
        self._context.learn_allow(request)
        if self._context.dialog is not None:
            self._context.dialog.refresh_target(request)
        if request.method == "UPDATE" and offer is None:
            headers = [*self._context.settings.capabilities, *self._refresh.take_request(request, now)]
            self._context.respond(key, request, 200, [*self._context.contact, *headers])
            return
        self.take(request, key, offer)

    def take(self, request: Request, key: ServerKey, offer: bytes | None) -> None:
        """Put a request of theirs before the application."""
        self._theirs = _Theirs(request, key, wants_offer=offer is None)
        self._context.emit(OfferReceived(offer) if offer is not None else OfferRequested())

    def _check_free(self, request: Request, offer: bytes | None) -> None:
        """RFC 3261 section 14.2 and RFC 3311 section 5.2: which crossing gets which answer."""
        is_invite = request.method == "INVITE"
        if not is_invite and offer is None:
            return
        own_invite_pending = is_invite and not self._context.established and self._context.is_caller
        if (
            self.initial is Open.OURS
            or own_invite_pending
            or (self._ours is not None and self._ours.sdp is not None)
        ):
            raise Refusal(491)
        first_pending = is_invite and (not self._context.established or self.accepted is not None)
        if self.initial is Open.THEIRS or self._theirs is not None or first_pending:
            raise Refusal(500, ("Retry-After", str(int(self._context.settings.random() * 11))))

    def answer(self, sdp: bytes, now: float) -> None:
        """Accept what the peer offered or asked for; silently late when it is gone by now."""
        theirs, self._theirs = self._theirs, None
        if theirs is None or self._context.ended:
            return
        request = theirs.request
        headers = list(self._context.settings.capabilities)
        if request.method != "PRACK":
            headers += [*self._context.contact, *self._refresh.take_request(request, now)]
        response = self._context.respond(theirs.key, request, 200, headers, sdp)
        self._context.local_sdp = sdp
        if request.method == "INVITE":
            self.accepted = Accepted(
                self._context,
                theirs.key,
                response,
                on_ack=self._answer_in_ack if theirs.wants_offer else self._plain_ack,
                on_silence=self._unacknowledged,
                now=now,
            )
            if theirs.wants_offer:
                self.initial = Open.OURS
        self.proceed(now)

    def reject(self, status: int, now: float) -> None:
        """Refuse what the peer offered; what was agreed before goes on."""
        theirs, self._theirs = self._theirs, None
        if theirs is not None and not self._context.ended:
            self._context.respond(theirs.key, theirs.request, status)
            self.proceed(now)

    def cancelled(self, now: float) -> None:
        """The peer cancels its re-INVITE."""
        if self._theirs is not None and self._theirs.request.method == "INVITE":
            self.reject(487, now)
            self._context.emit(OfferFailed(487))

    def abandon(self) -> None:
        """The session is over: RFC 3261 section 15.1.2 wants pending requests answered 487."""
        theirs, self._theirs, self._waiting, self._ours = self._theirs, None, None, None
        if theirs is not None:
            self._context.respond(theirs.key, theirs.request, 487)

    def _plain_ack(self, sdp: bytes | None, now: float) -> None:
        self.accepted = None
        self.proceed(now)

    def _answer_in_ack(self, sdp: bytes | None, now: float) -> None:
        self.accepted = None
        self.initial = Open.NOBODYS
        if sdp is None:
            self._context.hang_up(EndCause.BAD_ANSWER)
            return
        self._context.emit(AnswerReceived(sdp))
        self.proceed(now)

    def _unacknowledged(self, now: float) -> None:
        self.accepted = None
        self._context.hang_up(EndCause.ACK_TIMEOUT)


def acknowledgement(dialog: Dialog, invite: Request, sdp: bytes | None = None) -> Request:
    """The ACK to a 2xx, with the credentials of its INVITE (RFC 3261 section 13.2.2.4)."""
    ack = dialog.new_request("ACK", (), sdp or b"", SDP, cseq=invite.cseq.number)
    for name in ("Authorization", "Proxy-Authorization"):
        ack.headers.copy_from(invite.headers, name)
    return ack
