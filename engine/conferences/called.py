"""Somebody whom an automate calls, instead of being called: the conversation begins when it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.automates.conversation import AutomateConversation
from sip.errors import SipError

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from engine.call.destinations import Destination
    from engine.call.numbers import AutomateTarget
    from engine.call.party import Party
    from engine.call.services import CallServices
    from media.leg import Leg
    from sip.session.outputs import Ended

log = Logger()


class CalledConversation(AutomateConversation):
    """An automate's own call. answered: whether the application may begin; failed: it never came to that."""

    def __init__(
        self,
        services: CallServices,
        target: AutomateTarget,
        destination: Destination,
        answered: Callable[[CalledConversation], bool],
        failed: Callable[[CalledConversation, int], None],
    ) -> None:
        super().__init__(services, None, target, destination.number)
        self.party.destination, self.party.identity = destination, destination.line
        self._destination = destination
        self._taken = answered
        self._failed = failed
        self._stopped = False

    def place(self, caller: str, near: Party | None = None) -> None:
        """Open the leg and send the INVITE. caller: the number it shows."""
        self.services.calls.add(self)
        opening = self.party.open_leg_for(self._destination.host, near, None if near else self._room)
        opening.addCallback(self._ring, caller).addErrback(self._not_called)

    def _ring(self, leg: Leg, caller: str) -> None:
        if self._stopped:
            leg.close()
            self._give_up(487)
            return
        offer = self.party.make_offer()
        call = self._destination.call(
            self.services.endpoint, caller=caller, offer=offer, on_event=self.party.call_event
        )
        self.party.attach(call)

    def _not_called(self, failure: Failure) -> None:
        """No leg, or SRTP is required where the signalling would give the keys away."""
        log.warn("{number} cannot be called: {why}", number=self.party.number, why=failure.getErrorMessage())
        self.services.count("srtp_insecure_signalling" if failure.check(SipError) else "no_leg")
        self.party.hang_up()
        self._give_up(503)

    def _give_up(self, status: int) -> None:
        self.services.calls.remove(self)
        self._failed(self, status)

    def stop(self) -> None:
        """Hang up, or ring no longer."""
        self._stopped = True
        self.party.hang_up()

    def party_answered(self, party: Party) -> None:
        """Begin, unless another phone was quicker."""
        if not self._taken(self):
            if party.listener is self:
                party.hang_up()
            return
        super().party_answered(party)

    def party_ended(self, party: Party, ended: Ended) -> None:
        """It is over, or never began."""
        super().party_ended(party, ended)
        if not party.answered:
            self._failed(self, ended.status or 480)
