"""One caller and one automate: answers, runs the application, ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from engine.automates.application import Application, AutomateContext, Remembering
from engine.automates.catalogue import APPLICATIONS, HEAR_DIGITS
from engine.automates.room import CONFERENCE, room_of
from engine.call.call_state import ConversationState
from engine.call.numbers import AutomateTarget
from engine.call.party import Party
from engine.call.transfers import transfer
from engine.domain.scope import scoped

if TYPE_CHECKING:
    from engine.call.services import CallServices
    from media.control import LegEvent
    from media.leg import Leg
    from sip.call import Call
    from sip.session.outputs import Ended, ReferReceived

log = Logger()


class AutomateConversation:
    """A conversation of one party and an application (a :class:`engine.call.party.PartyListener`)."""

    def __init__(
        self, services: CallServices, call: Call | None, target: AutomateTarget, caller: str
    ) -> None:
        self.services = services
        self.number = target.number
        self.company = target.company
        self.origin_number, self.origin_name = caller, ""
        self.origin_line: str | None = None
        self.application = target.application
        self._target = target
        self._parameters: dict[str, object] = dict(target.parameters)
        if call is not None:  # else it goes on with those it began with
            entitlements = services.routing.entitlements
            chosen = entitlements.values(target.application, call.identity, target.company)
            self._parameters = {**chosen, **self._parameters}
        self._room = room_of(target)
        self.party = Party(services, self, caller, None if call is None else call.identity)
        if call is not None:
            self.origin_line, self.origin_name = call.identity, call.request.from_.display or ""
            self.party.attach(call)
        self.party.wants_digits = target.application in HEAR_DIGITS
        self._application: Application = APPLICATIONS[target.application](
            AutomateContext(
                services=services,
                party=self.party,
                number=target.number,
                caller=caller,
                language=str(self._parameters.get("language") or services.language),
                parameters=self._parameters,
                hang_up=self.party.hang_up,
                company=target.company,
            )
        )

    @classmethod
    def restored(
        cls, services: CallServices, state: ConversationState, parties: list[tuple[Call, Leg]]
    ) -> AutomateConversation:
        """Go on with a conversation of another process."""
        (saved,), ((call, leg),) = state.parties, parties
        target = AutomateTarget(
            state.number, state.range_id, state.application or "", state.parameters, state.company
        )
        conversation = cls(services, None, target, saved.number)
        conversation.party.identity = conversation.origin_line = saved.identity
        services.calls.add(conversation)
        conversation.party.restore(saved, call, leg)
        if isinstance(conversation._application, Remembering):
            conversation._application.resume(state.memory)
        return conversation

    def state(self) -> ConversationState | None:
        """What another process needs to go on with it; None until it has answered."""
        party, application = self.party.state(), self._application
        if party is None:
            return None
        return ConversationState(
            number=self.number,
            application=self._target.application,
            range_id=self._target.range_id,
            parameters=self._parameters,
            memory=application.remember() if isinstance(application, Remembering) else {},
            parties=[party],
            company=self.company,
        )

    @property
    def recording(self) -> str:
        """The name of what was recorded of it; empty when nothing was."""
        remembered = self._application.remember() if isinstance(self._application, Remembering) else {}
        return Path(str(remembered.get("path") or "")).name.partition(".")[0]

    @property
    def parties(self) -> tuple[Party, ...]:
        """The caller."""
        return (self.party,)

    def other(self, party: Party) -> Party | None:
        """Nobody: an automate is no party."""
        return None

    def start(self) -> Deferred[None]:
        """Open the leg and answer. A caller that asks for reliable provisional responses gets its 180 first."""
        self.services.calls.add(self)
        if self.party.wants_provisional:
            self.party.ring()
        room = self._room if self._joins_at_once() else None
        opening = self.party.open_leg(room=room, towards=self._room)
        return opening.addCallbacks(self._opened, self._no_leg)

    def _joins_at_once(self) -> bool:
        """Whether the caller is in its room as soon as it has answered, and not asked or kept waiting before."""
        if self._target.application != CONFERENCE:
            return True
        room = scoped(str(self._target.parameters.get("room", "")), self.company)
        return self.services.conferences.lets_straight_in(room)

    def stop(self) -> None:
        """Hang up."""
        self.party.hang_up()

    def _opened(self, leg: Leg) -> None:
        self.party.answer()

    def _no_leg(self, failure: Failure) -> None:
        """No worker could take the leg: the caller may try again soon (RFC 3261 section 21.5.4)."""
        self.services.count("no_leg")
        log.warn("{call_id} no media leg: {why}", call_id=self.party.call_id, why=failure.getErrorMessage())
        self.party.reject(503, (("Retry-After", "5"),))

    # ---- what the party says

    def party_progressed(self, party: Party, status: int, early_media: bool) -> None:
        """Only called parties make progress."""

    def party_answered(self, party: Party) -> None:
        """Confirmed: begin."""
        self._application.answered()

    def party_digit(self, party: Party, digit: str, by_info: bool) -> None:
        """To the application."""
        self._application.digit(digit)

    def party_leg_event(self, party: Party, event: LegEvent) -> None:
        """To the application."""
        self._application.leg_event(event)

    def party_referred(self, party: Party, event: ReferReceived) -> None:
        """Carry the caller over to somebody else."""
        transfer(self.services, party, event)

    def party_ended(self, party: Party, ended: Ended) -> None:
        """Forget the call."""
        self._application.ended()
        self.services.calls.remove(self)
