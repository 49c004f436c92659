"""The back-to-back user agent: a caller, the phones it reaches, and after the answer two legs bridged.

Never a proxy: each side is a call of its own, so that recording, rules and transfer need no second
kind of call. Several phones of one line ring together; the first that answers has the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from engine.call.party import Party

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from engine.call.destinations import Destination
    from engine.call.services import CallServices
    from media.control import LegEvent
    from media.leg import Leg
    from sip.call import Call
    from sip.session.outputs import Ended, ReferReceived

log = Logger()

MAX_BRANCHES = 8
"""Phones that ring at once for one call (security reference D4, RFC 5393)."""

_RANK = {6: 0, 2: 1, 4: 2, 3: 3, 5: 4}
"""Which class of refusal the caller is told of, best first (RFC 3261 section 16.7 step 6)."""


class BridgeConversation:
    """A caller and whoever answers it (a :class:`engine.call.party.PartyListener`)."""

    def __init__(
        self,
        services: CallServices,
        call: Call,
        number: str,
        caller: str,
        destinations: Sequence[Destination],
    ) -> None:
        self.services = services
        self.number = number
        self._replaced = call.replaces
        self._destinations = tuple(destinations[:MAX_BRANCHES])
        self.caller = Party(services, self, caller, incoming=True)
        self.caller.attach(call)
        self._branches: list[Party] = []
        self._opening = 0
        self.callee: Party | None = None
        self._refusals: list[int] = []
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Open the caller's leg, then ring every destination."""
        self.services.calls.add(self)
        self._timer = self.services.clock.callLater(self.services.ring_timeout, self._rang_long_enough)
        if self.caller.call is not None:
            self.caller.call.trying()
        self.caller.open_leg().addCallbacks(self._ring_all, self._no_leg)

    def stop(self) -> None:
        """Hang up both sides."""
        for party in (self.caller, *self._branches):
            party.hang_up()

    def other(self, party: Party) -> Party | None:
        """Who ``party`` talks to."""
        return self.callee if party is self.caller else self.caller

    def partner_of(self, call: Call) -> Call | None:
        """The call ``call`` is bridged with; None when it is not one of this bridge."""
        if self.callee is None:
            return None
        if call is self.caller.call:
            return self.callee.call
        return self.caller.call if call is self.callee.call else None

    # ---- setting up

    def _no_leg(self, failure: Failure) -> None:
        self.services.count("no_leg")
        log.warn("{call_id} no media leg: {why}", call_id=self.caller.call_id, why=failure.getErrorMessage())
        self.caller.reject(503, (("Retry-After", "5"),))

    def _ring_all(self, leg: Leg) -> None:
        if self.caller.ended:
            return
        self._opening = len(self._destinations)
        for destination in self._destinations:
            self._ring(destination)

    def _ring(self, destination: Destination) -> Deferred[None]:
        party = Party(self.services, self, destination.number, incoming=False)
        opening = party.open_leg_for(destination.host, self.caller)
        return opening.addCallbacks(
            lambda leg: self._place(party, destination), lambda failure: self._branch_failed(party, 503)
        )

    def _place(self, party: Party, destination: Destination) -> None:
        self._opening -= 1
        if self.caller.ended or self.callee is not None:
            if party.leg is not None:
                party.leg.close()
            self._finish_if_over()
            return
        self._branches.append(party)
        party.attach(
            destination.call(
                self.services.endpoint,
                caller=self.caller.number,
                offer=party.make_offer(),
                on_event=party.call_event,
            )
        )

    def _branch_failed(self, party: Party, status: int) -> None:
        self._opening -= 1
        self._refused(status)

    # ---- what the parties say

    def party_progressed(self, party: Party, status: int, early_media: bool) -> None:
        """Pass ringing on; sound before the answer only while one phone rings, or voices would mix."""
        if party is self.caller or self.callee is not None or status == 100:
            return
        if early_media and len(self._destinations) == 1:
            self._join(party)
            self.caller.ring_with_sound()
        else:
            self.caller.ring()

    def party_answered(self, party: Party) -> None:
        """The first to answer has the call; the rest stop ringing."""
        if party is self.caller:
            if self._replaced is not None:
                self._replaced.hangup()
            return
        if self.callee is not None or self.caller.ended:
            party.hang_up()
            return
        self.callee = party
        self._stop_timer()
        for branch in self._branches:
            if branch is not party:
                branch.hang_up()
        self._join(party)
        self.caller.answer()

    def party_digit(self, party: Party, digit: str, by_info: bool) -> None:
        """A digit in the sound crosses the bridge with it; one sent by INFO is made a digit for the other side."""
        other = self.other(party)
        if by_info and other is not None and other.leg is not None:
            other.leg.send_digits(digit)

    def party_leg_event(self, party: Party, event: LegEvent) -> None:
        """A bridge plays and records nothing."""

    def party_referred(self, party: Party, event: ReferReceived) -> None:
        """Call somebody else in this party's place."""
        self.services.transfers.transfer(self, party, event)

    def party_ended(self, party: Party, ended: Ended) -> None:
        """One side ends the other, or its refusal is passed on when it was the last."""
        if party is self.caller:
            self._stop_timer()
            for branch in tuple(self._branches):
                branch.hang_up()
        else:
            self._branches.remove(party)
            if party is self.callee:
                self.caller.hang_up()
            elif self.callee is None:
                self._refused(ended.status or 480)
        self._finish_if_over()

    # ---- the end

    def _refused(self, status: int) -> None:
        self._refusals.append(status)
        if self._branches or self._opening or self.callee is not None or self.caller.ended:
            return
        self.caller.reject(best_refusal(self._refusals))

    def _rang_long_enough(self) -> None:
        self._timer = None
        self._refusals.append(480)
        for branch in tuple(self._branches):
            branch.hang_up()

    def _join(self, party: Party) -> None:
        if self.caller.leg is not None and party.leg is not None:
            self.caller.leg.bridge(party.leg)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish_if_over(self) -> None:
        if self.caller.ended and not self._branches and not self._opening:
            self._stop_timer()
            self.services.calls.remove(self)


def best_refusal(statuses: Sequence[int]) -> int:
    """The refusal a caller is told of, out of all branches' (RFC 3261 section 16.7 step 6).

    A branch's challenge or redirection is not the caller's to follow: it becomes 480.
    """
    best = min(statuses, key=lambda status: (_RANK.get(status // 100, 5), status), default=480)
    return 480 if best < 400 or best in (401, 407) else best
