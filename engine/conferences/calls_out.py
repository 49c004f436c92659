"""Calls that meetings place: somebody is called into a room, or a participant is connected with a number.

A number is dialled as the line would dial it in whose name it is: the routing says whether it may, and where it leads.
All phones of a line ring; the first that answers comes in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from conference.attendance import LeaveReason
from conference.outputs import DialResult
from conference.participant import Caller, ParticipantKind
from engine.call.bridge import BridgeConversation
from engine.call.numbers import AutomateTarget, LinkTarget
from engine.conferences.called import CalledConversation
from engine.domain.quotas import Share
from engine.domain.scope import company_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from conference import outputs as o
    from engine.call.destinations import Destination
    from engine.call.party import Party
    from engine.call.services import CallServices
    from engine.conferences.live_room import LiveRoom
    from engine.conferences.seat import Seat

log = Logger()

APPLICATION = "conference"
MOST_BRANCHES = 8
BUSY = frozenset({486, 600})
NO_ANSWER = frozenset({408, 480, 487})
REFUSED = frozenset({401, 403, 407, 603, 607, 608})


class Home(Protocol):
    """Where participants come back to (:class:`engine.conferences.conferences.Conferences`)."""

    def give_back(self, seat: Seat, room: str, caller: Caller) -> None:
        """Have it join again; hang up when it is not let in."""


def result_of(status: int) -> DialResult:
    """What a final refusal means to who asked for the call."""
    if status in BUSY:
        return DialResult.BUSY
    if status in NO_ANSWER:
        return DialResult.NO_ANSWER
    return DialResult.REFUSED if status in REFUSED else DialResult.UNREACHABLE


class _Ringing:
    """One number that is being called, at all its phones."""

    def __init__(
        self,
        services: CallServices,
        target: AutomateTarget,
        caller: str,
        answered: Callable[[CalledConversation], bool],
        failed: Callable[[DialResult, int], None],
        near: Party | None = None,
    ) -> None:
        """answered: says whether the call may begin as an automate's."""
        self._services = services
        self._target = target
        self._caller = caller
        self._taken = answered
        self._failed = failed
        self._near = near
        self._branches: list[CalledConversation] = []
        self._timer: IDelayedCall | None = None
        self._worst = 480
        self.over = False

    def is_up(self) -> bool:
        """Whether somebody is still called or was reached and talks: what tolls are counted by."""
        return any(not each.party.ended for each in self._branches)

    def start(self, number: str, identity: str | None) -> None:
        """Ring wherever the number leads in the room's company, if that line may dial it."""
        routing = self._services.routing
        target = routing.resolve(number, self._target.company, identity)
        if target is None:
            self._end(DialResult.UNREACHABLE, 404)
        elif not routing.may_dial(target, identity) or not routing.may_dial_now(target, identity, self.is_up):
            self._services.count("conference_dial_refused")
            self._end(DialResult.REFUSED, 403)
        elif self._services.calls.channels.spent(Share(target.company, APPLICATION)) is not None:
            self._services.count("quota_spent")
            self._end(DialResult.REFUSED, 480)
        else:
            found = routing.destinations(target)[:MOST_BRANCHES]
            if not found:
                self._end(DialResult.UNREACHABLE, 480)
                return
            self._timer = self._services.clock.callLater(
                self._services.ring_timeout, self.cancel, DialResult.NO_ANSWER
            )
            caller = plain(identity) if isinstance(target, LinkTarget) and identity else self._caller
            self._branches = [self._branch(each) for each in found]
            for each in tuple(self._branches):
                each.place(caller, self._near)

    def _branch(self, destination: Destination) -> CalledConversation:
        return CalledConversation(
            self._services, self._target, destination, self._answered, self._branch_failed
        )

    def _answered(self, branch: CalledConversation) -> bool:
        if self.over:
            return False
        self._finish()
        for each in tuple(self._branches):
            if each is not branch:
                each.stop()
        return self._taken(branch)

    def _branch_failed(self, branch: CalledConversation, status: int) -> None:
        self._branches.remove(branch)
        if status in BUSY or self._worst not in BUSY:
            self._worst = status
        if not self._branches:
            self._end(result_of(self._worst), self._worst)

    def cancel(self, result: DialResult = DialResult.CANCELLED) -> None:
        """Ring no longer."""
        if not self.over:
            self._end(result, 487 if result is DialResult.CANCELLED else 480)
            for each in tuple(self._branches):
                each.stop()

    def _end(self, result: DialResult, status: int) -> None:
        if not self.over:
            self._finish()
            self._failed(result, status)

    def _finish(self) -> None:
        self.over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class CallsOut:
    """The calls meetings have placed that nobody has answered yet."""

    def __init__(self, services: CallServices, home: Home) -> None:
        self._services = services
        self._home = home
        self._dials: dict[tuple[str, int], _Ringing] = {}

    def dial(self, live: LiveRoom, dial: o.Dial) -> None:
        """Call somebody into a room; who answers is let in by the application, with ``Caller.dial``."""
        key = (live.room.meeting, dial.dial)
        number = live.room.definition.number
        company = company_of(live.room.definition.key)
        called = self._services.routing.resolve(dial.number, company, dial.identity)
        automate = isinstance(called, AutomateTarget)
        parameters = {
            "kind": (ParticipantKind.BOT if automate else ParticipantKind.PHONE).value,
            "room": number,
            "dial": dial.dial,
            "name": dial.name,
            "role": dial.role.value,
            "language": live.room.definition.language,
        }

        def failed(result: DialResult, status: int) -> None:
            self._dials.pop(key, None)
            self._services.clock.callLater(0, live.dialled, dial.dial, result, status)

        def answered(_branch: CalledConversation) -> bool:
            self._dials.pop(key, None)
            return True

        target = AutomateTarget(number, 0, APPLICATION, parameters, company)
        ringing = self._dials[key] = _Ringing(self._services, target, number, answered, failed)
        ringing.start(dial.number, dial.identity)

    def cancel(self, live: LiveRoom, dial: int) -> None:
        """Do not call any more."""
        ringing = self._dials.pop((live.room.meeting, dial), None)
        if ringing is not None:
            ringing.cancel()

    def transfer(self, seat: Seat, transfer: o.TransferTo) -> None:
        """Ring the number while the participant hears music; then join both, or have it back in its room."""
        live = seat.live
        number, key = live.room.definition.number, live.room.definition.key
        company = company_of(key)
        seat.music(True)

        def back(result: DialResult, status: int) -> None:
            self._services.count("conference_transfer_failed")
            seat.music(False)
            one = transfer.participant
            caller = Caller(
                kind=one.kind,
                name=one.name,
                number=one.number,
                identity=one.identity,
                role=one.role,
                language=one.language,
                has_recorded_name=one.has_recorded_name,
                was=replace(one, hand=False),
            )
            self._services.clock.callLater(0, self._home.give_back, seat, key, caller)

        def connected(branch: CalledConversation) -> bool:
            if seat.party.ended:
                branch.stop()
                return False
            self._services.count("conference_transferred")
            seat.music(False)
            seat.listener.seat_left(LeaveReason.TRANSFERRED)
            BridgeConversation.of_parties(self._services, transfer.number, seat.party, branch.party, company)
            return False

        target = AutomateTarget(number, 0, APPLICATION, {"room": number}, company)
        caller = transfer.participant.number or number
        ringing = _Ringing(self._services, target, caller, connected, back, near=seat.party)
        seat.on_ended = ringing.cancel
        ringing.start(transfer.number, transfer.identity)
