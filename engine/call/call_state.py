"""What the journal keeps of conversations: enough to go on with them in another process.

Never a password: whoever answers challenges on a link finds its own again by the link's name. Keys of SRTP are
in it, as the worker has them; the file is the owner's alone.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from engine.domain.scope import DEFAULT_COMPANY
from media.leg import LegState
from sip.flow import Flow
from sip.offer_answer import Audio
from sip.session.snapshot import SessionSnapshot


class CallState(Struct, frozen=True):
    """A SIP call that was answered (:class:`sip.call.Call`)."""

    session: SessionSnapshot
    flow: Flow | None
    next_hop: str | None
    peer_class: str | None
    direct: bool
    identity: str | None


class DestinationState(Struct, frozen=True):
    """Where a called party is (:class:`engine.call.destinations.Destination`)."""

    number: str
    target: str
    host: str
    line: str | None
    link: str | None


class PartyState(Struct, frozen=True, kw_only=True):
    """A party (:class:`engine.call.party.Party`). ``begun`` and ``answered_at`` are monotonic."""

    number: str
    identity: str | None
    destination: DestinationState | None
    answered: bool
    begun: float
    answered_at: float
    audio: Audio | None
    said: bytes
    port: int
    version: int
    remote: bytes | None
    keys: dict[str, bytes]
    wants_digits: bool
    call: CallState
    leg: LegState


class ConversationState(Struct, frozen=True, kw_only=True):
    """An automate and its caller, or (``application`` None) two parties that talk.

    memory: what the application itself wants to know again.
    """

    number: str
    application: str | None
    range_id: int
    parameters: dict[str, Any]
    memory: dict[str, Any]
    parties: list[PartyState]
    company: int = DEFAULT_COMPANY
