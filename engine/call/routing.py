"""From a number to the places that answer it, and who may reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.call.bridge import BridgeConversation
from engine.call.destinations import Destination
from engine.call.numbers import AutomateTarget, LineTarget, LinkTarget, NumberPlan, Target
from sip.uri import Uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.call.party import Party
    from engine.call.register import CallRegister
    from sip.bindings import Binding
    from sip.call import Call
    from sip.flow import Address
    from sip.registrar import Registrar


class LinkDirectory(Protocol):
    """What routing asks of the links."""

    def destination(self, link: str, number: str) -> Destination | None:
        """How ``number`` is reached over ``link``; None while the link is unknown or disabled."""


class Routing:
    """The number plan, the registered phones and the links together."""

    def __init__(
        self, registrar: Registrar, links: LinkDirectory, calls: CallRegister, own: Callable[[], Address]
    ) -> None:
        self.plan = NumberPlan()
        self._registrar = registrar
        self._links = links
        self._calls = calls
        self._own = own

    def destinations(self, target: Target, now: float) -> list[Destination]:
        """Every place ``target`` is at; empty when a line has no phone registered or a link is down."""
        match target:
            case LineTarget(number):
                return [self._phone(number, each) for each in self._registrar.contacts(number, now)]
            case LinkTarget(number, link):
                found = self._links.destination(link, number)
                return [] if found is None else [found]
            case AutomateTarget(number):
                return [self._automate(number)]

    def may_dial(self, target: Target, identity: str | None, peer_class: str | None) -> bool:
        """Our own numbers may be called by whoever was admitted; what lies behind a link only by our lines.

        A caller from one link never leaves by another: that is how toll fraud travels (security reference C7).
        """
        if not isinstance(target, LinkTarget):
            return True
        return identity is not None and identity in self.plan.lines

    def referred(self, party: Party, uri: Uri) -> list[Destination] | int:
        """Where a REFER of ``party`` to ``uri`` leads; or the status that refuses it."""
        target = self.plan.resolve(uri.user_text or "")
        if target is None:
            return 404
        if not self.may_dial(target, party.number if party.number in self.plan.lines else None, None):
            return 403
        found = self.destinations(target, party.services.clock.seconds())
        return found or 480

    def partner_of(self, call: Call) -> Call | None:
        """The call at the other side of the bridge ``call`` is in."""
        for conversation in self._calls:
            if isinstance(conversation, BridgeConversation):
                partner = conversation.partner_of(call)
                if partner is not None:
                    return partner
        return None

    @staticmethod
    def _phone(number: str, binding: Binding) -> Destination:
        """A registered phone: over the flow it registered on, through the proxies it named in Path."""
        host = binding.uri.host if binding.flow is None else binding.flow.remote.host
        route = tuple(f"<{each}>" if not each.startswith("<") else each for each in binding.path)
        return Destination(
            number, binding.uri, host, flow=None if binding.path else binding.flow, route=route
        )

    def _automate(self, number: str) -> Destination:
        """An automate of ours, called as anybody would call it: over our own loopback."""
        own = self._own()
        params = () if own.transport == "udp" else (("transport", own.transport),)
        target = Uri(scheme="sip", user=number, host=own.host, port=own.port, params=params)
        return Destination(number, target, own.host)
