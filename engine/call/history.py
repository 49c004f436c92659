"""The call journal: what each line, automate and room of ours remembers of a call that is over.

A call between two lines stands in both journals. A call that was transferred stands as it began: who had called whom,
and who answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from engine.automates.conversation import AutomateConversation
from engine.call.bridge import BridgeConversation
from engine.domain.scope import plain, scoped
from engine.store.records import JournalCall

if TYPE_CHECKING:
    from engine.call.party import Party
    from engine.call.register import Conversation
    from engine.call.services import CallServices


class CallHistory:
    """Makes journal entries of conversations. names: what lines are called, by scoped number."""

    def __init__(self, services: CallServices, note: Callable[[JournalCall], None]) -> None:
        self._services = services
        self._note = note
        self.names: Mapping[str, str] = {}

    def over(self, conversation: Conversation) -> None:
        """A conversation has ended."""
        for entry in self._entries(conversation):
            self._note(entry)

    def _entries(self, conversation: Conversation) -> Iterator[JournalCall]:
        if isinstance(conversation, BridgeConversation):
            yield from self._of_bridge(conversation)
        elif isinstance(conversation, AutomateConversation):
            yield from self._of_automate(conversation)

    def _of_bridge(self, bridge: BridgeConversation) -> Iterator[JournalCall]:
        caller, callee, company = bridge.caller, bridge.callee, bridge.company
        line, number = bridge.origin_line, bridge.origin_number
        called = scoped(bridge.number, company)
        is_line = called in self._services.routing.plans.lines
        answered_by = "" if callee is None else callee.number
        if line is not None:
            yield self._entry(
                line, "out", bridge.number, self._name(called), caller, callee, answered_by=answered_by
            )
        if is_line:
            way = "missed" if callee is None else "in"
            name = self._name(line) or bridge.origin_name
            yield self._entry(called, way, number, name, callee or caller, callee, answered_by=answered_by)

    def _of_automate(self, talk: AutomateConversation) -> Iterator[JournalCall]:
        party, own = talk.party, scoped(talk.number, talk.company)
        up = party if party.answered else None
        if party.destination is not None:  # we have called: a meeting's own call
            if up is not None:
                line = party.destination.line
                name, by = self._name(line), party.number
                yield self._entry(own, "out", by, name, party, up, answered_by=by)
                if line is not None:
                    yield self._entry(line, "in", talk.number, "", party, up, answered_by=by)
            return
        by = talk.number if up is not None else ""
        recording = talk.recording
        if talk.origin_line is not None:
            yield self._entry(
                talk.origin_line, "out", talk.number, "", party, up, answered_by=by, recording=recording
            )
        way = "missed" if up is None else "in"
        name = self._name(talk.origin_line) or talk.origin_name
        yield self._entry(own, way, talk.origin_number, name, party, up, answered_by=by, recording=recording)

    def _name(self, line: str | None) -> str:
        return "" if line is None else self.names.get(line, "")

    def _entry(
        self,
        owner: str,
        direction: str,
        number: str,
        name: str,
        party: Party,
        answered: Party | None,
        *,
        answered_by: str,
        recording: str = "",
    ) -> JournalCall:
        """owner: whose journal, a scoped number. party: by whose call quality is found. answered: who did, if any."""
        now = self._services.clock.seconds()
        company = party.listener.company
        return JournalCall(
            company_id=company,
            line=plain(owner),
            user=self._services.routing.entitlements.user_of(owner),
            direction=direction,
            number=number,
            name=name,
            started_at=time.time() - (now - party.begun_at),
            seconds=0.0 if answered is None else now - answered.answered_at,
            answered_by=answered_by,
            recording=recording,
            call_id=party.call_id,
        )
