"""REFER within a session, both roles, with the NOTIFYs that follow (RFC 3515, RFC 4488)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import Misuse
from sip.message import Request, Response
from sip.session.bodies import Refusal
from sip.session.context import Context
from sip.session.outputs import ReferProgress, ReferReceived, ServerKey
from sip.subscription import ReferNotifier, ReferSubscriber, SubscriptionState
from sip.transfer import SIPFRAG, Replaces, read_refer_to, read_sipfrag, write_refer_to, write_sipfrag
from sip.uri import Uri

NOTIFIER, SUBSCRIBER = "refer notifier", "refer subscriber"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A REFER the application is to decide."""

    request: Request
    key: ServerKey


class Referral:
    """At most one REFER a direction is under way."""

    __slots__ = ("_asked", "_context", "_notifier", "_refers", "_status", "_subscriber")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked: _Asked | None = None
        self._notifier: ReferNotifier | None = None
        self._subscriber: ReferSubscriber | None = None
        self._refers = 0
        self._status = 100

    # We are asked

    def receive_refer(self, request: Request, key: ServerKey) -> None:
        """Put a REFER before the application. Raises Refusal or ParseError."""
        text = request.headers.get("refer-to")
        if text is None:
            raise Refusal(400, reason="Missing Refer-To")
        refer_to, replaces = read_refer_to(text)
        if self._asked is not None or self._notifier is not None:
            raise Refusal(491)
        self._asked = _Asked(request, key)
        self._context.emit(ReferReceived(refer_to, replaces, request.headers.get("referred-by")))

    def accept(self, now: float) -> None:
        """202, and 100 Trying in the first NOTIFY (RFC 3515 section 2.4.4)."""
        asked, self._asked = self._asked, None
        if asked is None or self._context.ended:
            return
        self._refers += 1
        silent = (asked.request.headers.get("refer-sub") or "").partition(";")[0].strip().lower() == "false"
        headers = [*self._context.contact, *([("Refer-Sub", "false")] if silent else [])]
        self._context.respond(asked.key, asked.request, 202, headers)
        if silent:
            return  # RFC 4488: no subscription
        self._notifier = ReferNotifier(asked.request.cseq.number if self._refers > 1 else None, now)
        self._context.timers.set(NOTIFIER, self._notifier.expires_at, self._notifier_expired)
        self.result(100, None, now)

    def reject(self, status: int) -> None:
        """Refuse the REFER."""
        asked, self._asked = self._asked, None
        if asked is not None and not self._context.ended:
            self._context.respond(asked.key, asked.request, status)

    def result(self, status: int, reason: str | None, now: float) -> None:
        """Tell the referrer how the call goes; a final status ends the subscription."""
        if self._notifier is None or self._context.ended:
            return
        self._status = status
        self._notify(write_sipfrag(status, reason), now, last=status >= 200)

    def receive_subscribe(self, request: Request, key: ServerKey, now: float) -> None:
        """Renew or end the subscription of a REFER. Raises Refusal."""
        if request.event != "refer":
            raise Refusal(489, ("Allow-Events", "refer"))
        if self._notifier is None:
            raise Refusal(481)
        expires = request.expires
        granted = self._notifier.renew(3600 if expires is None else expires, now)
        self._context.timers.set(NOTIFIER, self._notifier.expires_at, self._notifier_expired)
        self._context.respond(key, request, 200, [("Expires", str(granted)), *self._context.contact])
        self._notify(write_sipfrag(self._status), now, last=granted == 0, reason="timeout")

    def abandon(self) -> None:
        """The session is over: what is undecided gets its answer."""
        asked, self._asked = self._asked, None
        self._notifier = self._subscriber = None
        if asked is not None:
            self._context.respond(asked.key, asked.request, 487)

    def _notify(self, sipfrag: bytes, now: float, *, last: bool, reason: str = "noresource") -> None:
        notifier = self._notifier
        if notifier is None:
            return
        self._context.send_in_dialog(
            "NOTIFY",
            notifier.headers(now, last=last, reason=reason),
            sipfrag,
            f"{SIPFRAG};version=2.0",
            on_response=self._notified,
            on_failure=self._unheard,
        )
        if last:
            self._forget_notifier()

    def _notified(self, request: Request, response: Response, now: float) -> None:
        if response.status >= 300:
            self._forget_notifier()  # RFC 6665 section 4.2.2: nobody is there who wants to know

    def _unheard(self, reason: str, now: float) -> None:
        self._forget_notifier()

    def _notifier_expired(self, now: float) -> None:
        self._notify(write_sipfrag(self._status), now, last=True, reason="timeout")

    def _forget_notifier(self) -> None:
        self._notifier = None
        self._context.timers.cancel(NOTIFIER)

    # We ask

    def refer(self, target: Uri, replaces: Replaces | None, referred_by: str | None, now: float) -> None:
        """Ask the peer to call ``target``."""
        if self._subscriber is not None:
            raise Misuse("a REFER of this session is under way")
        dialog = self._context.dialog
        if dialog is None or self._context.ended:
            return
        headers = [("Refer-To", write_refer_to(target, replaces))]
        if referred_by is not None:
            headers.append(("Referred-By", referred_by))
        self._context.send_in_dialog(
            "REFER", headers, on_response=self._refer_responded, on_failure=self._refer_failed
        )
        # Timer N of RFC 6665: a NOTIFY comes within 64*T1 or not at all.
        self._subscriber = ReferSubscriber(dialog.local_cseq, now + self._context.settings.give_up)
        self._context.timers.set(SUBSCRIBER, self._subscriber.expires_at, self._subscriber_expired)

    def receive_notify(self, request: Request, key: ServerKey, now: float) -> None:
        """Take a NOTIFY of our REFER. Raises Refusal or ParseError."""
        if request.event not in (None, "refer"):
            raise Refusal(489, ("Allow-Events", "refer"))
        subscriber = self._subscriber
        if subscriber is None or not subscriber.owns(request.event, request.event_id):
            raise Refusal(481)
        state = SubscriptionState.parse(request.headers.get("subscription-state") or "active")
        status = read_sipfrag(request.body) if request.content_type == SIPFRAG else None
        self._context.respond(key, request, 200)
        subscriber.take(state, status, now)
        if subscriber.final:
            self._conclude(self._status_of(status))
            return
        self._context.timers.set(SUBSCRIBER, subscriber.expires_at, self._subscriber_expired)
        if status is not None:
            self._context.emit(ReferProgress(status, final=False))

    def _refer_responded(self, request: Request, response: Response, now: float) -> None:
        unsubscribed = (response.headers.get("refer-sub") or "").strip().lower() == "false"
        if response.status >= 300 or (response.status >= 200 and unsubscribed):
            self._conclude(response.status)

    def _refer_failed(self, reason: str, now: float) -> None:
        self._conclude(408)

    def _subscriber_expired(self, now: float) -> None:
        self._conclude(408)

    def _conclude(self, status: int) -> None:
        if self._subscriber is not None:
            self._subscriber = None
            self._context.timers.cancel(SUBSCRIBER)
            self._context.emit(ReferProgress(status, final=True))

    def _status_of(self, status: int | None) -> int:
        """A subscription that ends without a status leaves the outcome unknown: 408."""
        return 408 if status is None else status
