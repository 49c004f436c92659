"""The INVITE that made a session, as its caller (RFC 3261 section 13.2, RFC 3262 section 4)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable

from sip.dialog import Dialog, DialogState
from sip.headers import Headers
from sip.message import Request, Response
from sip.reliable import RAck, RSeqOrder, rseq_of
from sip.session.bodies import SDP, sdp_in
from sip.session.context import Context, repeat
from sip.session.exchange import Exchange, Open, acknowledgement
from sip.session.outputs import (
    Answered,
    CancelRequest,
    EndCause,
    OfferReceived,
    Progress,
    Redirected,
    SendAck,
)
from sip.session.refresh import Refresh
from sip.session.snapshot import AckSnapshot
from sip.uri import NameAddr, Uri

CANCEL_WAIT = "cancel wait"
MAX_TOO_SMALL = 2
MAX_FORKS = 16  # dialogs one INVITE may make; a proxy forks to 8 at most (security D4)


class Phase(enum.Enum):
    """How far the INVITE is."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    ANSWERED = "answered"  # a 2xx with an offer waits for our answer in the ACK
    ESTABLISHED = "established"
    OVER = "over"


class Uac:
    """Places one call: forks, redirections and challenges included."""

    def __init__(
        self,
        context: Context,
        exchange: Exchange,
        refresh: Refresh,
        invite: Request,
        offer: bytes | None,
        may_follow: Callable[[Uri], bool] | None = None,
    ) -> None:
        self._context = context
        self._exchange = exchange
        self._refresh = refresh
        self._invite = invite
        self._offer = offer
        self._follows = may_follow
        self._cseq = invite.cseq.number
        self._cancelled = False
        self._early: dict[str, Dialog] = {}
        self._order: dict[str, RSeqOrder] = {}
        self._acks: dict[str, Request] = {}
        self._early_answer: bytes | None = None
        self._early_offer: Response | None = None
        self._targets: list[NameAddr] = []
        self._redirections = 0
        self._too_small = 0
        self.phase = Phase.CALLING

    @classmethod
    def build_invite(
        cls,
        context: Context,
        refresh: Refresh,
        *,
        target: Uri,
        from_: NameAddr,
        to: NameAddr,
        contact: NameAddr,
        offer: bytes | None,
        headers: Iterable[tuple[str, str]],
    ) -> Request:
        """The first INVITE (RFC 3261 section 8.1.1, 13.2.1), without a Via.

        A Max-Forwards among ``headers`` is that of a call we pass on, and stands in the place of our own.
        """
        more = Headers(headers)
        hops = more.get("Max-Forwards") or "70"
        more.remove("Max-Forwards")
        fields = [
            ("Max-Forwards", hops),
            ("From", str(from_)),
            ("To", str(to.without_params())),
            ("Call-ID", context.call_id),
            ("CSeq", "1 INVITE"),
            ("Contact", str(contact)),
            *context.settings.capabilities,
            *refresh.request_headers(),
            *more.items(),
        ]
        if context.settings.reliable_provisionals == "required":
            fields.append(("Require", "100rel"))
        if offer is not None:
            fields.append(("Content-Type", SDP))
        return Request("INVITE", str(target.with_(headers=())), Headers(fields), offer or b"")

    def ack_snapshot(self) -> AckSnapshot | None:
        """The ACK of the dialog in use, for another process."""
        dialog = self._context.dialog
        ack = None if dialog is None else self._acks.get(dialog.id.remote_tag)
        if ack is None:
            return None
        names = ("Authorization", "Proxy-Authorization")
        headers = [(name, value) for name in names for value in ack.headers.get_all(name)]
        return AckSnapshot(ack.cseq.number, headers, ack.body)

    def restore(self, dialog: Dialog, ack: AckSnapshot | None) -> None:
        """Go on where another process was: the call is up."""
        self.phase, self._context.established = Phase.ESTABLISHED, True
        self._early[dialog.id.remote_tag] = dialog
        if ack is not None:
            self._acks[dialog.id.remote_tag] = dialog.new_request(
                "ACK", ack.headers, ack.body, SDP, cseq=ack.cseq
            )

    def start(self) -> None:
        """Send the INVITE."""
        self._exchange.initial = Open.OURS if self._offer is not None else Open.NOBODYS
        self._send(self._invite)

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        """The early or confirmed dialog with that peer."""
        return self._early.get(remote_tag)

    # Commands

    def hang_up(self, cause: EndCause, headers: tuple[tuple[str, str], ...], now: float) -> None:
        """CANCEL, or BYE, as the phase asks (RFC 3261 section 9.1, 15.1.1)."""
        if self.phase is Phase.CALLING:
            # No CANCEL before a provisional response; it goes out when one comes.
            self._cancelled = True
            self._context.end(EndCause.CANCELLED)
        elif self.phase is Phase.PROCEEDING:
            self._cancelled = True
            self._context.end(EndCause.CANCELLED)
            self._cancel(now)
        else:
            if self.phase is Phase.ANSWERED and self._context.dialog is not None:
                self._acknowledge(self._context.dialog, None)
            self.phase = Phase.OVER
            self._context.hang_up(cause, headers=headers)

    def answer_late_offer(self, sdp: bytes, now: float) -> bool:
        """Answer the offer of a 2xx in its ACK, of a reliable 1xx in its PRACK; False if there is none."""
        dialog = self._context.dialog
        if self._exchange.initial is not Open.THEIRS or dialog is None:
            return False
        self._exchange.initial = Open.NOBODYS
        self._context.local_sdp = sdp
        if self.phase is Phase.ANSWERED:
            self._acknowledge(dialog, sdp)
            self._established(now)
        elif self._early_offer is not None:
            self._prack(dialog, self._early_offer, sdp)
            self._early_offer = None
        return True

    def reject_late_offer(self, now: float) -> bool:
        """A 2xx cannot be refused: it is acknowledged, and the session ended (RFC 3261 section 13.2.2.4)."""
        if self._exchange.initial is not Open.THEIRS:
            return False
        self.hang_up(EndCause.BAD_ANSWER, (), now)
        return True

    # Input

    def owns(self, response: Response) -> bool:
        """Whether a 2xx is to this INVITE, not to a re-INVITE."""
        return response.cseq.number == self._invite.cseq.number

    def repeated(self, response: Response, now: float) -> None:
        """A 2xx outside its transaction: repeated, or of another fork."""
        self._succeeded(self._invite, response, now)

    def _responded(self, request: Request, response: Response, now: float) -> None:
        self._invite = request
        if response.status < 200:
            self._progressed(request, response, now)
        elif response.status < 300:
            self._succeeded(request, response, now)
        else:
            self._refused(request, response, now)

    def _progressed(self, request: Request, response: Response, now: float) -> None:
        if self.phase is Phase.CALLING:
            self.phase = Phase.PROCEEDING
            if self._cancelled:
                self._cancel(now)
        if response.status == 100 or not response.to_tag or self.phase is not Phase.PROCEEDING:
            return
        dialog = self._early.get(response.to_tag)
        if dialog is None:
            if len(self._early) >= MAX_FORKS:
                return
            dialog = self._new_dialog(request, response)
        if self._cancelled:
            return
        self._context.dialog = dialog
        self._context.learn_allow(response)
        sdp = sdp_in(response)
        rseq = rseq_of(response)
        if rseq is not None:
            order = self._order.setdefault(response.to_tag, RSeqOrder())
            if not order.take(rseq):
                return
            if self._takes_early_offer(response, sdp):
                return
            self._prack(dialog, response, None)
        if sdp is not None and self._offer is not None:
            self._early_answer = sdp
            if rseq is not None:
                self._exchange.initial = Open.NOBODYS
                self._context.local_sdp = self._offer
        self._context.emit(Progress(response.status, sdp))

    def _takes_early_offer(self, response: Response, sdp: bytes | None) -> bool:
        """RFC 3262 section 5: the offer comes in a reliable 1xx, so its answer goes in the PRACK."""
        if sdp is None or self._offer is not None or self._exchange.initial is not Open.NOBODYS:
            return False
        if self._context.local_sdp is not None:
            return False
        self._early_offer = response
        self._exchange.initial = Open.THEIRS
        self._context.emit(Progress(response.status, None))
        self._context.emit(OfferReceived(sdp))
        return True

    def _prack(self, dialog: Dialog, response: Response, sdp: bytes | None) -> None:
        rack = RAck(rseq_of(response) or 0, response.cseq)
        self._context.send_in_dialog("PRACK", [("RAck", str(rack))], sdp, dialog=dialog)

    def _succeeded(self, request: Request, response: Response, now: float) -> None:
        tag = response.to_tag or ""
        ack = self._acks.get(tag)
        if ack is not None:
            self._context.outputs.append(SendAck(ack))  # ours was lost
            return
        current = self._context.dialog
        if self.phase is Phase.ANSWERED and current is not None and tag == current.id.remote_tag:
            return  # repeated while the application thinks about its answer
        known = self._early.get(tag)
        if known is None and len(self._acks) >= MAX_FORKS:
            return
        dialog = known or self._new_dialog(request, response)
        dialog.confirm(response if known is not None else None)
        if self._cancelled or self.phase not in (Phase.CALLING, Phase.PROCEEDING):
            self._drop_fork(dialog)
            return
        self._context.timers.cancel(CANCEL_WAIT)
        self._context.dialog = dialog
        self._context.learn_allow(response)
        self._refresh.take_response(response, now)
        self._answered(dialog, sdp_in(response), now)

    def _answered(self, dialog: Dialog, sdp: bytes | None, now: float) -> None:
        """Read the 2xx: it holds the answer to our offer, or the offer we left to the callee."""
        if self._offer is None and self._context.local_sdp is None and sdp is not None:
            self.phase = Phase.ANSWERED
            self._exchange.initial = Open.THEIRS
            self._context.emit(Answered(None))
            self._context.emit(OfferReceived(sdp))
            return
        self._acknowledge(dialog, None)
        answer = (sdp or self._early_answer) if self._offer is not None else None
        if answer is None and self._context.local_sdp is None:
            self.phase = Phase.OVER
            self._context.hang_up(EndCause.BAD_ANSWER)
            return
        if self._offer is not None:
            self._context.local_sdp = self._offer
        self._exchange.initial = Open.NOBODYS
        self._context.emit(Answered(answer))
        self._established(now)

    def _refused(self, request: Request, response: Response, now: float) -> None:
        self._close_early()
        if self._context.ended:
            self.phase = Phase.OVER
            self._context.timers.cancel(CANCEL_WAIT)
            return
        if response.status == 422 and self._too_small < MAX_TOO_SMALL and self._refresh.too_small(response):
            self._too_small += 1
            self._send(self._with_timer(repeat(request, self._restart())))
            return
        if 300 <= response.status < 400 and self._redirected(response):
            return
        if self._targets and response.status < 600:
            self._next_target()
            return
        self.phase = Phase.OVER
        self._context.end(EndCause.REJECTED, response.status, response.reason)

    def _failed(self, reason: str, now: float) -> None:
        self._close_early()
        self._context.timers.cancel(CANCEL_WAIT)
        if self._targets and not self._context.ended:
            self._next_target()
            return
        self.phase = Phase.OVER
        if reason == "transport":
            self._context.end(EndCause.TRANSPORT, 503)
        else:
            self._context.end(EndCause.TIMEOUT, 408)

    # Redirection (RFC 3261 section 8.1.3.4)

    def _redirected(self, response: Response) -> bool:
        """Take the contacts of a 3xx; True when the call goes on to one of them."""
        contacts = sorted(response.contacts, key=_preference, reverse=True)
        left = self._context.settings.follow_redirects - self._redirections - len(self._targets)
        taken = [contact for contact in contacts if self._may_follow(contact.uri)][: max(0, left)]
        if contacts:
            self._context.emit(Redirected(tuple(contacts), followed=bool(taken)))
        self._targets += taken
        if not self._targets:
            return False
        self._next_target()
        return True

    def _may_follow(self, uri: Uri) -> bool:
        """A call to a sips address does not go down to sip; and whoever placed the call may have a say."""
        if self._follows is not None and not self._follows(uri):
            return False
        return uri.scheme == "sips" or (
            uri.scheme == "sip" and not self._invite.uri.lower().startswith("sips:")
        )

    def _next_target(self) -> None:
        self._redirections += 1
        target = self._targets.pop(0).uri
        again = repeat(self._invite, self._restart())
        again.uri = str(target.with_(headers=()))
        for name in ("Authorization", "Proxy-Authorization", "Route"):
            again.headers.remove(name)
        self._send(again)

    # Inside

    def _send(self, invite: Request) -> None:
        self._invite = invite
        self._context.send(invite, self._restart, self._responded, self._failed)

    def _with_timer(self, invite: Request) -> Request:
        for name, value in self._refresh.request_headers():
            invite.headers.set(name, value)
        return invite

    def _restart(self) -> int:
        """A new attempt: the next CSeq, and no CANCEL before it has drawn a provisional response."""
        self.phase = Phase.CALLING
        self._cseq += 1
        return self._cseq

    def _new_dialog(self, request: Request, response: Response) -> Dialog:
        dialog = self._early[response.to_tag or ""] = Dialog.as_uac(request, response)
        return dialog

    def _acknowledge(self, dialog: Dialog, sdp: bytes | None) -> None:
        invite = self._invite
        ack = self._acks[dialog.id.remote_tag] = acknowledgement(dialog, invite, sdp)
        self._context.outputs.append(SendAck(ack))

    def _established(self, now: float) -> None:
        self.phase = Phase.ESTABLISHED
        self._context.established = True
        self._exchange.proceed(now)

    def _drop_fork(self, dialog: Dialog) -> None:
        """Another callee answered as well, or the one we had cancelled: ACK and BYE (section 13.2.2.4)."""
        self._acknowledge(dialog, None)
        self._context.send_in_dialog("BYE", dialog=dialog)
        dialog.terminate()
        if self._cancelled:
            self._context.timers.cancel(CANCEL_WAIT)
            self.phase = Phase.OVER

    def _close_early(self) -> None:
        for dialog in self._early.values():
            if dialog.state is DialogState.EARLY:
                dialog.terminate()
        self._early.clear()

    def _cancel(self, now: float) -> None:
        """CANCEL, and wait no longer than 64*T1 for the 487 (section 9.1)."""
        key = self._context.key_of("INVITE")
        if key is not None:
            self._context.outputs.append(CancelRequest(key))
            self._context.timers.set(CANCEL_WAIT, now + self._context.settings.give_up, self._uncancellable)

    def _uncancellable(self, now: float) -> None:
        self.phase = Phase.OVER
        key = self._context.key_of("INVITE")
        if key is not None:
            del self._context.pending[key]


def _preference(contact: NameAddr) -> float:
    """The q value of a contact, 1 when absent or unreadable (RFC 3261 section 20.10)."""
    text = contact.param("q") or "1"
    if len(text) > 5 or not text.replace(".", "", 1).isdigit() or not text.isascii():
        return 1.0
    return min(1.0, float(text))
