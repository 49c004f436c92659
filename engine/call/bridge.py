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

from engine.call.call_state import ConversationState
from engine.call.destinations import hops_left
from engine.call.party import Party
from engine.call.transfers import transfer
from engine.domain.applications import CALLS, OUTSIDE
from engine.domain.scope import DEFAULT_COMPANY
from sip.errors import SipError

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
"""Phones called for one call, those a redirection leads to included (security reference D4, RFC 5393)."""

_RANK = {6: 0, 2: 1, 4: 2, 3: 3, 5: 4}
"""Which class of refusal the caller is told of, best first (RFC 3261 section 16.7 step 6)."""


class BridgeConversation:
    """A caller and whoever answers it (a :class:`engine.call.party.PartyListener`)."""

    def __init__(
        self,
        services: CallServices,
        call: Call | None,
        number: str,
        caller: str,
        destinations: Sequence[Destination],
        company: int = DEFAULT_COMPANY,
    ) -> None:
        self.services = services
        self.number = number
        self.company = company
        self.application = CALLS
        self.ring_time: float = services.ring_timeout
        self._destinations = tuple(destinations[:MAX_BRANCHES])
        self._hops = 0 if call is None else hops_left(call.request)
        self.origin_number, self.origin_name = caller, ""
        self.origin_line: str | None = None
        self.caller = Party(services, self, caller, None if call is None else call.identity)
        if call is not None:
            self.origin_line, self.origin_name = call.identity, call.request.from_.display or ""
            self.caller.attach(call)
        self.callee: Party | None = None
        self._branches: list[Party] = []
        self._called = 0
        self._opening = 0
        self._refusals: list[int] = []
        self._timer: IDelayedCall | None = None

    @classmethod
    def restored(
        cls, services: CallServices, state: ConversationState, parties: list[tuple[Call, Leg]]
    ) -> BridgeConversation:
        """Go on with a bridge of another process: its caller and who has answered."""
        caller, callee = state.parties
        bridge = cls(services, None, state.number, caller.number, (), state.company)
        bridge.caller.identity = bridge.origin_line = caller.identity
        bridge.callee = Party(services, bridge, callee.number, callee.identity)
        bridge._branches.append(bridge.callee)
        bridge._called = 1
        if callee.destination is not None and callee.destination.link is not None:
            bridge.application = OUTSIDE
            services.routing.tolls.restore(caller.identity or "", bridge.is_up)
        services.calls.add(bridge)
        for party, saved, (call, leg) in zip(bridge.parties, state.parties, parties, strict=True):
            party.restore(saved, call, leg)
        return bridge

    @classmethod
    def of_parties(
        cls,
        services: CallServices,
        number: str,
        caller: Party,
        callee: Party,
        company: int = DEFAULT_COMPANY,
    ) -> BridgeConversation:
        """Join two parties that are up, each in a conversation of its own so far, and with legs on one worker."""
        for party in (caller, callee):
            services.calls.remove_party(party)
        bridge = cls(services, None, number, caller.number, (), company)
        bridge.caller, bridge.callee = caller, callee
        bridge.origin_line = caller.identity
        bridge._branches.append(callee)
        bridge._called = 1
        caller.listener = callee.listener = bridge
        services.calls.add(bridge)
        bridge._join(callee)
        caller.changed()
        return bridge

    def state(self) -> ConversationState | None:
        """What another process needs to go on with it; None until somebody has answered."""
        if self.callee is None:
            return None
        parties = [self.caller.state(), self.callee.state()]
        found = [each for each in parties if each is not None]
        if len(found) < len(parties):
            return None
        return ConversationState(
            number=self.number,
            application=None,
            range_id=0,
            parameters={},
            memory={},
            parties=found,
            company=self.company,
        )

    @property
    def parties(self) -> tuple[Party, ...]:
        """The caller and everybody who rings or has answered."""
        return (self.caller, *self._branches)

    def start(self) -> None:
        """Open the caller's leg, then ring every destination."""
        self.services.calls.add(self)
        self._timer = self.services.clock.callLater(self.ring_time, self._rang_long_enough)
        if self.caller.call is not None:
            self.caller.call.trying()
        self.caller.open_leg().addCallbacks(self._ring_all, self._no_leg)

    def is_up(self) -> bool:
        """Whether somebody still talks here, or waits to."""
        return not self.caller.ended

    def stop(self) -> None:
        """Hang up both sides."""
        for party in self.parties:
            party.hang_up()

    def other(self, party: Party) -> Party | None:
        """Who ``party`` talks to, or would once it answers."""
        return self.callee if party is self.caller else self.caller

    # ---- setting up

    def _no_leg(self, failure: Failure) -> None:
        self.services.count("no_leg")
        log.warn("{call_id} no media leg: {why}", call_id=self.caller.call_id, why=failure.getErrorMessage())
        self.caller.reject(503, (("Retry-After", "5"),))

    def _ring_all(self, leg: Leg) -> None:
        for destination in self._destinations:
            self._ring(destination)

    def _ring(self, destination: Destination) -> None:
        """Call one destination, on the caller's worker."""
        if self.caller.ended or self.callee is not None:
            return
        party = Party(self.services, self, destination.number, destination.line)
        party.destination = destination
        self._called += 1
        self._opening += 1
        opening: Deferred[Leg] = party.open_leg_for(destination.host, self.caller)
        opening.addCallbacks(self._opened, self._not_opened, callbackArgs=(party, destination))
        opening.addErrback(self._fault, party)

    def _opened(self, leg: Leg, party: Party, destination: Destination) -> None:
        self._opening -= 1
        if self.caller.ended or self.callee is not None:
            leg.close()
            self._finish_if_over()
            return
        party.likes = self.caller.best_codec()
        try:
            offer = party.make_offer()
        except SipError as error:
            self._cannot_offer(party, leg, error)
            return
        self._branches.append(party)
        party.attach(
            destination.call(
                self.services.endpoint,
                caller=self.caller.number,
                offer=offer,
                on_event=party.call_event,
                headers=(("Max-Forwards", str(self._hops)),),
            )
        )

    def _cannot_offer(self, party: Party, leg: Leg, error: SipError) -> None:
        """SRTP is required of a destination whose signalling would give the keys away."""
        leg.close()
        self.services.count("srtp_insecure_signalling")
        log.warn("cannot call {number}: {error}", number=party.number, error=error)
        self._refused(488)

    def _not_opened(self, failure: Failure) -> None:
        self._opening -= 1
        self.services.count("no_leg")
        log.warn("{call_id} no media leg: {why}", call_id=self.caller.call_id, why=failure.getErrorMessage())
        self._refused(503)

    def _fault(self, failure: Failure, party: Party) -> None:
        """A fault of ours while calling one phone must not leave the caller waiting for it."""
        log.failure(
            "{call_id} cannot call {number}", failure, call_id=self.caller.call_id, number=party.number
        )
        self.services.count("call_fault")
        if party in self._branches:
            self._branches.remove(party)
        party.hang_up()
        self._refused(500)

    # ---- what the parties say

    def party_progressed(self, party: Party, status: int, early_media: bool) -> None:
        """Pass ringing on; sound before the answer only while one phone is called, or voices would mix."""
        if party is self.caller or self.callee is not None:
            return
        if early_media and self._called == 1:
            self._join(party)
            self.caller.ring_with_sound()
        else:
            self.caller.ring()

    def party_answered(self, party: Party) -> None:
        """The first to answer has the call; the rest stop ringing."""
        if party is self.caller:
            return
        if self.callee is not None or self.caller.ended:
            party.hang_up()
            return
        self.callee = party
        self._stop_timer()
        for branch in tuple(self._branches):
            if branch is not party:
                branch.hang_up()
        self._join(party)
        self.caller.answer()

    def party_digit(self, party: Party, digit: str, by_info: bool) -> None:
        """A digit in the leg crosses the bridge there; one that came or is to go by INFO is sent again."""
        other = self.other(party)
        if other is not None and (by_info or other.dtmf_mode == "info"):
            other.send_digits(digit)

    def party_leg_event(self, party: Party, event: LegEvent) -> None:
        """A bridge plays and records nothing."""

    def party_referred(self, party: Party, event: ReferReceived) -> None:
        """Call somebody else in this party's place."""
        transfer(self.services, party, event)

    def party_ended(self, party: Party, ended: Ended) -> None:
        """One side ends the other; a redirection is followed; a refusal is passed on when it was the last."""
        if party is self.caller:
            self._stop_timer()
            for branch in tuple(self._branches):
                branch.hang_up()
        else:
            self._branches.remove(party)
            if party is self.callee:
                self.caller.hang_up()
            elif self.callee is None:
                self._redirect(party)
                self._refused(ended.status or 480)
        self._finish_if_over()

    def _redirect(self, party: Party) -> None:
        """Go where a 3xx points, as far as its sender may call there itself."""
        if party.destination is None or not party.redirected:
            return
        found = self.services.routing.redirected(party.destination, party.redirected, self.is_up)
        for destination in found[: max(0, MAX_BRANCHES - self._called)]:
            self._ring(destination)

    # ---- the end

    def _refused(self, status: int) -> None:
        self._refusals.append(status)
        if not self._branches and not self._opening and self.callee is None:
            self.caller.reject(best_refusal(self._refusals))
        self._finish_if_over()

    def _rang_long_enough(self) -> None:
        """Nobody came to the phone (RFC 3261 section 21.4.18); the branches end with the caller."""
        self._timer = None
        self.caller.reject(480)

    def _join(self, party: Party) -> None:
        if self.caller.leg is not None and party.leg is not None:
            self.caller.leg.bridge(party.leg)
            if party.audio is not None:
                self.caller.likes = party.audio.codec  # sound that need not be encoded anew

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish_if_over(self) -> None:
        if self.caller.ended and not self._branches and not self._opening:
            self.services.calls.remove(self)


def best_refusal(statuses: Sequence[int]) -> int:
    """The refusal a caller is told of, out of all branches' (RFC 3261 section 16.7 step 6).

    A branch's challenge or redirection is not the caller's to follow: it becomes 480.
    """
    best = min(statuses, key=lambda status: (_RANK.get(status // 100, 5), status), default=480)
    return 480 if best < 400 or best in (401, 407) else best
