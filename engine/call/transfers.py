"""REFER: one party of a conversation is carried over to somebody else (RFC 3515, RFC 3891, RFC 5589).

The new call uses the leg of the party that asked, so the other side of the conversation notices
nothing but a new voice. Where it leads, and whether the party may go there, routing has said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.call.destinations import Destination
from engine.call.media_security import new_keys
from engine.call.party import leave
from sip.errors import SipError
from sip.session.outputs import Answered, Ended, Progress, Redirected, ReferReceived
from sip.session.outputs import Event as SessionEvent
from sip.uri import Uri

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from engine.call.party import Party
    from engine.call.services import CallServices
    from sip.call import Call
    from sip.transfer import Replaces
    from sip.uri import NameAddr

log = Logger()

MAX_CALLS = 8
"""Places tried one after the other for one REFER."""


def transfer(services: CallServices, party: Party, event: ReferReceived) -> None:
    """Call whom ``party`` refers to, in its place; refuse what it may not (403) or cannot (404, 480) reach."""
    call = party.call
    assert call is not None
    carried = Transfer(services, party, call)
    partner = None if event.replaces is None else _partner(services, party, event.replaces)
    found: list[Destination] | int
    if partner is not None:
        replaces = partner[1]
        found = [partner[0]]
    else:
        replaces = event.replaces
        found = services.routing.referred(
            party.identity, event.refer_to.uri, carried.is_up, party.listener.company
        )
    if isinstance(found, int):
        services.count("refer_refused")
        call.reject_refer(found)
        return
    call.accept_refer()
    carried.start(found, () if replaces is None else (("Replaces", str(replaces)),))


def _partner(
    services: CallServices, party: Party, replaces: Replaces
) -> tuple[Destination, Replaces | None] | None:
    """Who is at the other side of the dialog that a phone asks to have replaced, and how that one names it.

    The phone names the dialog it has with us. The one to be replaced is that of its partner there, whom we
    call directly: it is in no number plan when it called from outside.
    """
    named = services.endpoint.find_replaced(replaces)
    found = None if named is None else services.calls.find(named)
    if found is None or party.call is None:
        return None
    conversation, its = found
    if conversation.company != party.listener.company:
        return None  # another company's: as if it were not there
    partner = conversation.other(its)
    if partner is None or partner.call is None or not partner.answered or partner.ended:
        return None
    if not services.routing.may_replace(party.call, party.identity, its):
        return None
    return _peer_of(partner, partner.call), partner.call.session.replaces()


def _peer_of(party: Party, call: Call) -> Destination:
    """Where a party that is in a call is reached."""
    dialog = call.session.dialog
    assert dialog is not None, "its call is answered"
    kind, _, link = (call.peer_class or "").partition(":")
    return Destination(
        number=party.number,
        target=Uri.parse(dialog.remote_target),
        host=call.flow.remote.host,
        flow=call.flow,
        route=dialog.route_set,
        line=party.identity,
        link=link if kind == "link" else None,
        company=party.listener.company,
    )


class Transfer:
    """One REFER being carried out: the new call, and reports to who asked (a :class:`engine.call.party.Successor`)."""

    def __init__(
        self,
        services: CallServices,
        party: Party,
        referrer: Call,
    ) -> None:
        self._services = services
        self._party = party
        self._referrer = referrer
        self._headers: tuple[tuple[str, str], ...] = ()
        self._waiting: list[Destination] = []
        self._current: Destination | None = None
        self._call: Call | None = None
        self._answered_call: Call | None = None
        self._offer = b""
        self._keys = new_keys()
        self._redirected: tuple[NameAddr, ...] = ()
        self._tried = 0
        self._timer: IDelayedCall | None = None

    def is_up(self) -> bool:
        """Whether the new call is: still being placed, or answered and not over."""
        call = self._answered_call
        return self._call is not None or (call is not None and not call.session.ended)

    def start(self, destinations: list[Destination], headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Try the destinations one after the other, each with these headers."""
        self._headers = headers
        self._waiting = list(destinations)
        self._party.successor = self
        self._timer = self._services.clock.callLater(self._services.ring_timeout, self._rang_long_enough)
        self._next(480)

    def give_up(self) -> None:
        """The party is over: there is nobody to be carried over."""
        self._waiting.clear()
        self._stop_timer()
        call, self._call = self._call, None
        if call is not None:
            call.hangup()

    def _next(self, status: int) -> None:
        if not self._waiting or self._tried >= MAX_CALLS:
            self._failed(status)
            return
        self._tried += 1
        self._redirected = ()
        self._current = self._waiting.pop(0)
        self._keys = new_keys()
        try:
            self._offer = self._party.describe_for(self._current, self._keys)
        except SipError as error:
            self._services.count("srtp_insecure_signalling")
            log.warn("cannot call {number}: {error}", number=self._current.number, error=error)
            self._next(488)
            return
        self._call = self._current.call(
            self._services.endpoint,
            caller=self._caller(self._current),
            offer=self._offer,
            on_event=self._event,
            headers=self._headers,
        )

    def _caller(self, destination: Destination) -> str:
        """Whom the called one sees: who it will talk to. A PBX is told who asked, for that one may dial there."""
        found = self._services.calls.find(self._referrer)
        other = None if found is None else found[0].other(self._party)
        return self._party.number if other is None or destination.link is not None else other.number

    def _event(self, event: SessionEvent) -> None:
        if self._call is None:
            return  # given up, or the party's own by now
        match event:
            case Progress() if event.status > 100:
                self._referrer.refer_result(event.status)
            case Answered():
                self._answered(self._call, event.sdp or b"")
            case Redirected() if not event.followed:
                self._redirected = event.contacts
            case Ended():
                self._refused(event.status or 480)
            case _:
                pass  # offers and digits before the answer belong to nobody yet

    def _refused(self, status: int) -> None:
        if self._redirected and self._current is not None:
            found = self._services.routing.redirected(self._current, self._redirected, self.is_up)
            self._waiting[:0] = found
        self._next(status)

    def _answered(self, call: Call, sdp: bytes) -> None:
        """Put the party behind the new call; the report goes before the goodbye, which ends the subscription."""
        assert self._current is not None
        self._call, self._answered_call = None, call
        self._stop_timer()
        try:
            former = self._party.adopt(call, self._offer, sdp, self._current, self._keys)
        except SipError as error:
            log.info("{call_id} the answer cannot be used: {error}", call_id=call.call_id, error=error)
            call.hangup()
            self._failed(488)
            return
        self._services.count("transferred")
        self._referrer.refer_result(200)
        leave(former)

    def _rang_long_enough(self) -> None:
        self._timer = None
        self._waiting.clear()
        if self._call is not None:
            self._call.hangup()  # its end is the refusal
        else:
            self._failed(480)

    def _failed(self, status: int) -> None:
        """The party stays where it was."""
        self._stop_timer()
        self._call = None
        self._services.count("transfer_failed")
        self._referrer.refer_result(status)
        self._party.stay()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
