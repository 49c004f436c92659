"""REFER: one party of a conversation is carried over to somebody else (RFC 3515, RFC 3891, RFC 5589).

The new call uses the leg of the party that asked, so the other side of the conversation notices
nothing but a new voice. Only numbers of the plan can be reached, and those behind a link only by
whoever may dial them: a transfer is no way round the rights (security reference C7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.call.destinations import Destination
from engine.call.register import Conversation
from sip.errors import SipError
from sip.session.outputs import Answered, Ended, Progress, ReferReceived
from sip.session.outputs import Event as SessionEvent
from sip.transfer import Replaces

if TYPE_CHECKING:
    from engine.call.party import Party
    from engine.call.routing import Routing
    from engine.call.services import CallServices
    from sip.call import Call

log = Logger()


class Transfers:
    """Carries out the REFERs of all conversations."""

    def __init__(self, services: CallServices, routing: Routing) -> None:
        self._services = services
        self._routing = routing

    def transfer(self, conversation: Conversation, party: Party, event: ReferReceived) -> None:
        """Call whom ``party`` refers to, in its place; refuse with 403 or 404 what it may not or cannot reach."""
        assert party.call is not None
        found = self._routing.referred(party, event.refer_to.uri)
        if isinstance(found, int):
            party.call.reject_refer(found)
            self._services.count("refer_refused")
            return
        replaces = self._replaces(event.replaces)
        party.call.accept_refer()
        Transfer(self._services, party, party.call).start(found, replaces)

    def _replaces(self, replaces: Replaces | None) -> tuple[tuple[str, str], ...]:
        """The Replaces header for the new call.

        A phone names the dialog it has with us; the dialog to be replaced is the one its partner there has with us.
        """
        if replaces is None:
            return ()
        named = self._services.endpoint.find_replaced(replaces)
        partner = None if named is None else self._routing.partner_of(named)
        translated = None if partner is None else replaces_for_peer(partner)
        return (("Replaces", str(translated or replaces)),)


class Transfer:
    """One REFER being carried out: the new call, and reports to who asked for it."""

    def __init__(self, services: CallServices, party: Party, referrer: Call) -> None:
        self._services = services
        self._party = party
        self._referrer = referrer
        self._call: Call | None = None
        self._offer = b""
        self._waiting: list[Destination] = []
        self._headers: tuple[tuple[str, str], ...] = ()

    def start(self, destinations: list[Destination], headers: tuple[tuple[str, str], ...]) -> None:
        """Try the destinations one after the other."""
        self._waiting = list(destinations)
        self._headers = headers
        self._next(480)

    def _next(self, status: int) -> None:
        if self._party.ended or not self._waiting:
            self._referrer.refer_result(status)
            return
        self._offer = self._party.make_offer()
        self._call = self._waiting.pop(0).call(
            self._services.endpoint,
            caller=self._party.number,
            offer=self._offer,
            on_event=self._event,
            headers=self._headers,
        )

    def _event(self, event: SessionEvent) -> None:
        match event:
            case Progress() if event.status > 100:
                self._referrer.refer_result(event.status)
            case Answered():
                self._answered(event.sdp or b"")
            case Ended():
                self._next(event.status or 480)
            case _:
                pass  # offers and digits before the answer belong to nobody yet

    def _answered(self, sdp: bytes) -> None:
        assert self._call is not None
        call = self._call
        if self._party.ended:
            call.hangup()
            return
        try:
            former = self._party.adopt(call, self._offer, sdp)
        except SipError:
            call.hangup()
            return
        self._services.count("transferred")
        self._referrer.refer_result(200)
        if former is not None:
            former.on_event = _after_transfer
            former.hangup()


def replaces_for_peer(call: Call) -> Replaces | None:
    """Name the dialog of ``call`` as its peer knows it: the peer's own tag is its To tag (RFC 3891 section 3)."""
    dialog = call.session.dialog_id
    if dialog is None:
        return None
    return Replaces(dialog.call_id, to_tag=dialog.remote_tag, from_tag=dialog.local_tag)


def _after_transfer(event: SessionEvent) -> None:
    """The former call's last words: its conversation has gone on without it."""
