"""What is told about a party, to its conversation and to the call that may take its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.call.party import Party
    from media.control import LegEvent
    from sip.session.outputs import Ended, ReferReceived


class PartyListener(Protocol):
    """What a conversation is told about its parties. company: whose calls they are."""

    company: int

    def party_progressed(self, party: Party, status: int, early_media: bool) -> None:
        """The called party sent a provisional response (``early_media``: with sound)."""

    def party_answered(self, party: Party) -> None:
        """Both sides have agreed: the call is up and its leg carries sound."""

    def party_digit(self, party: Party, digit: str, by_info: bool) -> None:
        """A DTMF digit arrived: as RFC 4733 event, or by INFO (then no leg has heard it)."""

    def party_leg_event(self, party: Party, event: LegEvent) -> None:
        """Anything else the leg says: playing finished, recording closed."""

    def party_referred(self, party: Party, event: ReferReceived) -> None:
        """The party asks us to call somebody else in its place: accept or reject the REFER."""

    def party_ended(self, party: Party, ended: Ended) -> None:
        """The call is over and the leg closed; said once."""


class Successor(Protocol):
    """A call being placed that is to take a party's place (:class:`engine.call.transfers.Transfer`)."""

    def give_up(self) -> None:
        """The party is over: nobody is left to be connected."""


class Nobody:
    """Listens to parties of which nothing is to be told any more."""

    company = 0

    def party_progressed(self, party: Party, status: int, early_media: bool) -> None:
        """Nothing."""

    def party_answered(self, party: Party) -> None:
        """Nothing."""

    def party_digit(self, party: Party, digit: str, by_info: bool) -> None:
        """Nothing."""

    def party_leg_event(self, party: Party, event: LegEvent) -> None:
        """Nothing."""

    def party_referred(self, party: Party, event: ReferReceived) -> None:
        """Nothing."""

    def party_ended(self, party: Party, ended: Ended) -> None:
        """Nothing."""


NOBODY = Nobody()
