"""Going on with the conversations of a control process that was killed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.automates.catalogue import APPLICATIONS
from engine.automates.conversation import AutomateConversation
from engine.call.bridge import BridgeConversation
from engine.call.numbers import LinkTarget
from media.control import Record
from sip.errors import SipError
from sip.uri import Uri

if TYPE_CHECKING:
    from engine.call.call_state import ConversationState, PartyState
    from engine.call.register import Conversation
    from engine.call.services import CallServices
    from media.leg import Leg, LegState
    from sip.call import Call
    from sip.credentials import Credentials

log = Logger()

BRIDGED = 2
"""Parties of a bridge."""


def state_of(conversation: Conversation) -> ConversationState | None:
    """What the journal is to keep of it."""
    if isinstance(conversation, AutomateConversation | BridgeConversation):
        return conversation.state()
    return None


def legs_of(states: Sequence[ConversationState]) -> list[LegState]:
    """The legs of all parties."""
    return [party.leg for state in states for party in state.parties]


def recorded_in(states: Sequence[ConversationState]) -> frozenset[str]:
    """The files their legs record to."""
    lasting = [command for leg in legs_of(states) for _, command, _ in leg.lasting]
    return frozenset(each.path for each in lasting if isinstance(each, Record))


def adopt(
    services: CallServices, states: Sequence[ConversationState], legs: dict[int, Leg]
) -> list[Conversation]:
    """Take up every conversation; one that cannot be is left out, its legs closed, and counted."""
    adopted: list[Conversation] = []
    for state in states:
        try:
            adopted.append(_adopt(services, state, legs))
        except (SipError, ValueError, KeyError):
            services.count("calls_not_adopted")
            log.failure("a conversation with {number} cannot be taken up", number=state.number)
            for party in state.parties:
                legs[party.leg.id].close()
        else:
            services.count("calls_adopted")
    return adopted


def _adopt(services: CallServices, state: ConversationState, legs: dict[int, Leg]) -> Conversation:
    if state.application is None and len(state.parties) != BRIDGED:
        raise ValueError("a bridge has two parties")
    if state.application is not None and (state.application not in APPLICATIONS or len(state.parties) != 1):
        raise KeyError(state.application)
    parties = [(_call(services, party), legs[party.leg.id]) for party in state.parties]
    if state.application is None:
        return BridgeConversation.restored(services, state, parties)
    return AutomateConversation.restored(services, state, parties)


def _call(services: CallServices, party: PartyState) -> Call:
    state = party.call
    return services.endpoint.dialogs.adopt(
        state.session,
        flow=state.flow,
        next_hop=None if state.next_hop is None else Uri.parse(state.next_hop),
        peer_class=state.peer_class,
        direct=state.direct,
        identity=state.identity,
        credentials=_credentials(services, party),
    )


def _credentials(services: CallServices, party: PartyState) -> Credentials | None:
    """What answers the challenges of a link, as the store has it now."""
    to = party.destination
    if to is None or to.link is None:
        return None
    found = services.routing.destinations(LinkTarget(to.number, to.link))
    return found[0].credentials if found else None
