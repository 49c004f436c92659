"""A session created by INVITE, from either side (RFC 3261 sections 13 to 15 and what extends them).

`InviteSession` is a sans-I/O core: give it what comes in, take what goes out, call ``handle_timer`` at
``deadline``. It routes to its parts in `sip.session`: the INVITE that makes the session (`uas`, `uac`), the
exchanges within it (`exchange`, `refresh`), transfers (`referral`) and the rest (`incoming`, `requests`).

``Ended`` is the last event and comes as soon as the session is over for the application; the core may have
requests to finish after it (a BYE, the ACK of a fork) and is done when ``terminated`` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sip.dialog import Dialog, DialogId
from sip.errors import Misuse, ParseError
from sip.message import Request, Response, parse_message
from sip.session.bodies import Refusal, sdp_in
from sip.session.context import Context
from sip.session.exchange import Exchange, Open
from sip.session.incoming import Incoming
from sip.session.outputs import EndCause, Output, ServerKey
from sip.session.referral import Referral
from sip.session.refresh import Refresh
from sip.session.requests import check_require
from sip.session.settings import CredentialsSource, SessionSettings
from sip.session.snapshot import SessionSnapshot
from sip.session.uac import Uac
from sip.session.uas import Uas
from sip.transfer import Replaces
from sip.uri import NameAddr, Uri


class InviteSession:
    """One session and its dialogs; see the module for how it is driven.

    The driver names incoming requests by any key of its own, and hands the responses of a request back under
    the number in its `SendRequest`.
    """

    def __init__(self, context: Context, refresh: Refresh) -> None:
        """Use ``incoming`` or ``outgoing``."""
        self._context = context
        self._refresh = refresh
        self._exchange = Exchange(context, refresh)
        self._referral = Referral(context)
        self._incoming = Incoming(context, self._exchange, self._referral)
        self._uas: Uas | None = None
        self._uac: Uac | None = None
        self._abandoned = False

    @classmethod
    def incoming(
        cls,
        request: Request,
        transaction_key: ServerKey,
        *,
        contact: NameAddr,
        local_tag: str,
        settings: SessionSettings,
        now: float,
    ) -> InviteSession:
        """The session of an INVITE that came in. One we must refuse is refused, and ``ended``, at once."""
        context = Context(settings, is_caller=False, call_id=request.call_id)
        session = cls(context, Refresh(context))
        context.dialog = Dialog.as_uas(request, local_tag, contact)
        uas = session._uas = session._incoming.uas = Uas(
            context, session._exchange, session._refresh, request, transaction_key
        )
        try:
            check_require(request, settings.option_tags)
            if request.headers.get("replaces") is not None:
                Replaces.parse(request.headers.get("replaces") or "")
            uas.start()
        except Refusal as refusal:
            uas.reject(refusal.status, refusal.reason, refusal.headers)
        except ParseError as error:
            uas.reject(error.status)
        return session

    @classmethod
    def outgoing(
        cls,
        *,
        target: Uri,
        from_: NameAddr,
        to: NameAddr,
        contact: NameAddr,
        call_id: str,
        offer: bytes | None,
        credentials: CredentialsSource | None = None,
        headers: Iterable[tuple[str, str]] = (),
        may_follow: Callable[[Uri], bool] | None = None,
        settings: SessionSettings,
        new_token: Callable[[], str],
        now: float,
    ) -> InviteSession:
        """Call somebody. ``headers`` may hold Route, Replaces, Authorization and the like.

        ``may_follow`` says of the targets of a 3xx which are tried; None: all, as far as the settings go.
        """
        context = Context(settings, is_caller=True, call_id=call_id, credentials=credentials)
        session = cls(context, Refresh(context))
        caller = from_ if from_.tag else from_.with_tag(new_token())
        invite = Uac.build_invite(
            context,
            session._refresh,
            target=target,
            from_=caller,
            to=to,
            contact=contact,
            offer=offer,
            headers=headers,
        )
        uac = session._uac = session._incoming.uac = Uac(
            context, session._exchange, session._refresh, invite, offer, may_follow
        )
        uac.start()
        return session

    @classmethod
    def restored(
        cls,
        snapshot: SessionSnapshot,
        *,
        credentials: CredentialsSource | None = None,
        settings: SessionSettings,
        now: float,
    ) -> InviteSession:
        """Go on with a session of a process that died. Raises ParseError: its 2xx cannot be read."""
        dialog = Dialog.restored(snapshot.dialog)
        context = Context(
            settings, is_caller=snapshot.is_caller, call_id=snapshot.dialog.call_id, credentials=credentials
        )
        context.dialog = dialog
        context.local_sdp, context.peer_allow = snapshot.local_sdp, frozenset(snapshot.peer_allow)
        session = cls(context, Refresh(context))
        session._exchange.restored = True
        session._refresh.restore(
            snapshot.interval, snapshot.we_refresh, snapshot.refresh_at, snapshot.expires_at
        )
        number = dialog.local_cseq if snapshot.ack is None else snapshot.ack.cseq
        invite = dialog.new_request("INVITE", cseq=number)
        parts = (context, session._exchange, session._refresh, invite)
        if snapshot.is_caller:
            session._uac = session._incoming.uac = Uac(*parts, None)
            session._uac.restore(dialog, snapshot.ack)
        else:
            session._uas = session._incoming.uas = Uas(*parts, None)
            accepted = None if snapshot.accepted is None else parse_message(snapshot.accepted)
            response = accepted if isinstance(accepted, Response) else None
            session._uas.restore(response, our_offer=snapshot.our_offer, now=now)
        return session

    def snapshot(self) -> SessionSnapshot | None:
        """What another process needs to go on with it; None while nobody has answered, and after the end."""
        context, dialog = self._context, self._context.dialog
        accepted = None if self._uas is None else self._uas.unacknowledged
        if context.ended or dialog is None or not (context.established or accepted is not None):
            return None
        return SessionSnapshot(
            dialog.snapshot(),
            context.is_caller,
            context.local_sdp,
            list(context.peer_allow),
            self._refresh.interval,
            self._refresh.we_refresh,
            *self._refresh.deadlines,
            None if self._uac is None else self._uac.ack_snapshot(),
            accepted,
            self._exchange.initial is Open.OURS,
        )

    # State

    @property
    def ended(self) -> bool:
        """Whether `Ended` has been put out."""
        return self._context.ended

    @property
    def terminated(self) -> bool:
        """Nothing is left to do: the driver may forget the session."""
        return self.ended and not self._context.pending and self.deadline is None

    @property
    def established(self) -> bool:
        """Answered and acknowledged."""
        return self._context.established

    def release(self) -> None:
        """Let its parts go of each other once it is terminated; what it knows can still be asked."""
        self._refresh.release()

    @property
    def call_id(self) -> str:
        """The Call-ID of all its dialogs."""
        return self._context.call_id

    @property
    def dialog(self) -> Dialog | None:
        """The dialog in use: the confirmed one, else the latest early one."""
        return self._context.dialog

    @property
    def dialog_id(self) -> DialogId | None:
        """The id of that dialog."""
        return self._context.dialog.id if self._context.dialog is not None else None

    @property
    def remote_offer(self) -> bytes | None:
        """The offer of the INVITE that came in, None when it had none."""
        return self._uas.offer if self._uas is not None else None

    @property
    def local_sdp(self) -> bytes | None:
        """Our description in force."""
        return self._context.local_sdp

    @property
    def session_interval(self) -> int | None:
        """The agreed session interval in seconds, None when no session timer runs."""
        return self._refresh.interval

    def replaces(self, *, early_only: bool = False) -> Replaces | None:
        """How another peer names this dialog, for ``refer(replaces=...)`` (RFC 3891)."""
        identity = self.dialog_id
        if identity is None:
            return None
        return Replaces(identity.call_id, identity.remote_tag, identity.local_tag, early_only)

    def check_replaced(self, replaces: Replaces) -> int | None:
        """RFC 3891 section 3: the status that refuses to replace this session, None when it may be."""
        identity = self.dialog_id
        if identity != (replaces.call_id, replaces.to_tag, replaces.from_tag):
            return 481
        if self.ended:
            return 603
        if self.established:
            return 486 if replaces.early_only else None
        return None if self._uac is not None else 481

    # Driving

    @property
    def deadline(self) -> float | None:
        """When ``handle_timer`` is due."""
        return self._context.timers.deadline

    def take_outputs(self) -> list[Output]:
        """What is to be sent and told, in order."""
        outputs = self._context.outputs
        self._context.outputs = []
        return outputs

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._context.timers.run(now)
        self._settle()

    def receive_request(self, request: Request, key: ServerKey, now: float) -> None:
        """Take a request within the dialog, ACK and CANCEL excepted."""
        self._incoming.receive(request, key, now)
        self._settle()

    def receive_ack(self, request: Request, now: float) -> None:
        """Take the ACK to a 2xx; one we do not wait for is dropped."""
        accepted = self._exchange.accepted
        if (
            accepted is None
            or accepted.cseq != request.cseq.number
            or self._incoming.dialog_of(request) is None
        ):
            return
        try:
            sdp = sdp_in(request)
        except Refusal:
            sdp = None
        accepted.acknowledged(sdp, now)
        self._settle()

    def receive_response(self, key: int | None, response: Response, now: float) -> None:
        """Take a response; ``key`` is None for a 2xx to INVITE whose transaction is over."""
        try:
            if key is None or not self._context.receive_response(key, response, now):
                self._stray(response, now)
        except ParseError:
            return  # a response is never answered (security A10)
        self._settle()

    def request_failed(self, key: int, reason: str, now: float) -> None:
        """Take that a request got no final response; ``reason`` is "timeout" or "transport"."""
        self._context.request_failed(key, reason, now)
        self._settle()

    def cancelled(self, now: float) -> None:
        """Take the CANCEL of the INVITE, or re-INVITE, that is not answered yet."""
        if self._uas is not None and not self.established:
            self._uas.cancelled()
        else:
            self._exchange.cancelled(now)
        self._settle()

    # Commands of a callee

    def trying(self, now: float) -> None:
        """Say 100."""
        self._callee().trying()

    def ring(self, now: float, sdp: bytes | None = None) -> None:
        """Say 180."""
        self._callee().progress(180, sdp, now)

    def progress(self, status: int, sdp: bytes | None, now: float) -> None:
        """Send a provisional response, 101 to 199."""
        self._callee().progress(status, sdp, now)

    def answer(self, sdp: bytes, now: float) -> None:
        """Accept the call: ``sdp`` answers the offer, or is the offer when the INVITE had none."""
        self._callee().answer(sdp, now)

    def reject(
        self, status: int, now: float, reason: str | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Refuse the call with a status from 300 to 699."""
        self._callee().reject(status, reason, headers)
        self._settle()

    # Commands of both

    def hangup(self, now: float, reason: str | None = None, cause: EndCause = EndCause.LOCAL_BYE) -> None:
        """End the session: CANCEL, BYE or a refusal, as its state asks.

        Args:
            reason: a Reason header value (RFC 3326), for instance ``Q.850;cause=16``.
        """
        if self.ended:
            return
        headers = (("Reason", reason),) if reason is not None else ()
        if self._uas is not None:
            self._uas.hang_up(cause, headers)
        elif self._uac is not None:
            self._uac.hang_up(cause, headers, now)
        self._settle()

    def offer(self, sdp: bytes, now: float, method: str = "INVITE") -> None:
        """Offer anew (hold, resume) by re-INVITE or UPDATE, now or as soon as that is allowed."""
        if method not in ("INVITE", "UPDATE"):
            raise Misuse("an offer goes in an INVITE or an UPDATE")
        self._exchange.offer(sdp, method, now)

    def answer_offer(self, sdp: bytes, now: float) -> None:
        """Reply to `OfferReceived` or `OfferRequested`. Too late is no error."""
        if self._uac is None or not self._uac.answer_late_offer(sdp, now):
            self._exchange.answer(sdp, now)

    def reject_offer(self, status: int, now: float) -> None:
        """Refuse what `OfferReceived` brought; a late offer in a 2xx ends the session."""
        if self._uac is None or not self._uac.reject_late_offer(now):
            self._exchange.reject(status, now)
        self._settle()

    def info(self, content_type: str, body: bytes, now: float) -> None:
        """Send INFO."""
        self._send("INFO", content_type, body)

    def message(self, content_type: str, body: bytes, now: float) -> None:
        """Send MESSAGE."""
        self._send("MESSAGE", content_type, body)

    def refer(
        self,
        refer_to: Uri | NameAddr,
        now: float,
        replaces: Replaces | None = None,
        referred_by: str | None = None,
    ) -> None:
        """Ask the peer to call somebody (RFC 3515); `ReferProgress` tells how it goes."""
        target = refer_to.uri if isinstance(refer_to, NameAddr) else refer_to
        self._referral.refer(target, replaces, referred_by, now)

    def accept_refer(self, now: float) -> None:
        """Agree to what `ReferReceived` asks."""
        self._referral.accept(now)

    def refer_result(self, status: int, reason: str | None, now: float) -> None:
        """Tell the referrer how far that call is."""
        self._referral.result(status, reason, now)

    def reject_refer(self, status: int, now: float) -> None:
        """Decline what `ReferReceived` asks."""
        self._referral.reject(status)

    # Inside

    def _callee(self) -> Uas:
        if self._uas is None:
            raise Misuse("only a callee answers")
        return self._uas

    def _send(self, method: str, content_type: str, body: bytes) -> None:
        if not self.ended:
            self._context.send_in_dialog(method, (), body, content_type)

    def _stray(self, response: Response, now: float) -> None:
        """A 2xx to one of our INVITEs beyond its transaction: a repetition, or another fork."""
        if response.cseq.method != "INVITE" or not 200 <= response.status < 300:
            return
        self._exchange.repeated(response)
        if self._uac is not None and self._uac.owns(response):
            self._uac.repeated(response, now)

    def _settle(self) -> None:
        """When the session has just ended, answer what is still undecided."""
        if self._context.ended and not self._abandoned:
            self._abandoned = True
            self._exchange.abandon()
            self._referral.abandon()
