"""From a number to the places that answer it, and who may reach them (security reference C7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from engine.call.destinations import Destination
from engine.call.dialling import Dialling
from engine.call.entitlements import Entitlements, application_of
from engine.call.number_plans import COMPANY, OURSELVES, NumberPlans
from engine.call.numbers import AutomateTarget, LineTarget, LinkTarget, Target, clean_number
from engine.domain.scope import DEFAULT_COMPANY, company_of, scoped
from sip.uri import Uri, escape_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.call.party import Party
    from engine.call.tolls import Alive, Tolls
    from sip.bindings import Binding
    from sip.call import Call
    from sip.flow import Address
    from sip.registrar import Registrar
    from sip.uri import NameAddr


class LinkDirectory(Protocol):
    """What routing asks of the links."""

    def destination(self, link: str, number: str) -> Destination | None:
        """How ``number`` is reached over ``link`` (its scoped name); None while the link is unknown or disabled."""


class Routing:
    """The number plans, the registered phones and the links together."""

    def __init__(
        self,
        registrar: Registrar,
        links: LinkDirectory,
        own: Callable[[], Address],
        seconds: Callable[[], float],
        tolls: Tolls,
    ) -> None:
        self.plans = NumberPlans()
        self.dialling = Dialling()
        self.tolls = tolls
        self.entitlements = Entitlements()
        self._registrar = registrar
        self._links = links
        self._own = own
        self._seconds = seconds

    def resolve(self, dialled: str, company: int, identity: str | None = None) -> Target | None:
        """What answers ``dialled`` in a company, by the dial plan of the line ``identity``, or of the company.

        Another company's numbers are none. Our own are called as they stand, whatever the plan would make of them.
        """
        target = self.plans.of(company).resolve(dialled)
        if isinstance(target, AutomateTarget | LineTarget):
            return target
        return self._translated(dialled, self.dialling.outgoing(dialled, company, identity), target, company)

    def resolve_incoming(self, called: str, company: int) -> Target | None:
        """What answers ``called``, as a PBX wrote it."""
        target = self.plans.of(company).resolve(called)
        if isinstance(target, AutomateTarget | LineTarget):
            return target
        return self._translated(called, self.dialling.incoming(called, company), target, company)

    def _translated(self, number: str, translated: str, target: Target | None, company: int) -> Target | None:
        """What answers the translated number; a name in which there is nothing to dial is left as it stands."""
        if not translated or translated == number:
            return target
        return self.plans.of(company).resolve(translated)

    def caller_from_link(self, number: str, company: int) -> str:
        """The number of a caller behind a link, as people of that company would dial it; empty when there is none."""
        return self.dialling.incoming(number, company) or clean_number(number) or ""

    def destinations(self, target: Target) -> list[Destination]:
        """Every place ``target`` is at; empty when a line has no phone registered or a link is unknown."""
        match target:
            case LineTarget(number, company):
                line = scoped(number, company)
                contacts = self._registrar.contacts(line, self._seconds())
                return [self._phone(number, line, each) for each in contacts]
            case LinkTarget(number, link):
                found = self._links.destination(link, number)
                return [] if found is None else [found]
            case AutomateTarget(number):
                return [self._automate(number, target.company)]

    # ---- rights

    def may_dial(self, target: Target, identity: str | None, *, by_us: bool = False) -> bool:
        """Our own numbers may be called by whoever was admitted; what lies behind a link only by our lines.

        A caller from one link never leaves by another: that is how toll fraud travels. An application that is for
        those with an authorisation is for nobody else. by_us: a call of our own, allowed when we were asked for it.
        """
        if isinstance(target, LinkTarget) and (identity is None or identity not in self.plans.lines):
            return False
        return by_us or self.entitlements.may(application_of(target), identity, target.company)

    def may_dial_now(self, target: Target, identity: str | None, alive: Alive) -> bool:
        """Whether a call that may be dialled is not one too many; it counts as long as ``alive`` says it is up."""
        return not isinstance(target, LinkTarget) or self.tolls.admit(identity or "", alive)

    def may_replace(self, call: Call, identity: str | None, replaced: Party) -> bool:
        """Whether whoever is at ``call`` may take the place of a party: a line may, and a peer of the same kind.

        Whether both are of one company was asked before.

        Knowing the dialog's tags is not enough (RFC 3891 section 8): a stranger to the numbers behind a link
        would get at them through somebody else's call.
        """
        if identity is not None or call.peer_class == OURSELVES:
            return True
        return replaced.call is not None and call.peer_class == replaced.call.peer_class

    # ---- where others send us

    def referred(
        self, identity: str | None, uri: Uri, alive: Alive, company: int = DEFAULT_COMPANY
    ) -> list[Destination] | int:
        """Where a REFER to ``uri`` leads in a company, by the line ``identity``; or the status that refuses it."""
        number = dialled_number(uri)
        ours = identity is not None
        target = self.resolve(number, company, identity) if ours else self.resolve_incoming(number, company)
        if target is None:
            return 404
        if not self.may_dial(target, identity) or not self.may_dial_now(target, identity, alive):
            return 403
        return self.destinations(target) or 480

    def redirected(
        self, sender: Destination, contacts: Sequence[NameAddr], alive: Alive
    ) -> list[Destination]:
        """Where a 3xx of ``sender`` leads: to what its line may dial itself, and no further."""
        found: list[Destination] = []
        for contact in contacts:
            led = self.referred(sender.line, contact.uri, alive, sender.company)
            if not isinstance(led, int):
                found += led
        return found

    # ---- places

    @staticmethod
    def _phone(number: str, line: str, binding: Binding) -> Destination:
        """A registered phone: over the flow it registered on, through the proxies it named in Path."""
        return Destination(
            number,
            binding.uri,
            binding.uri.host if binding.flow is None else binding.flow.remote.host,
            flow=None if binding.path else binding.flow,
            route=tuple(f"<{each}>" if not each.startswith("<") else each for each in binding.path),
            line=line,
            company=company_of(line),
        )

    def _automate(self, number: str, company: int) -> Destination:
        """An automate of ours, called as anybody would call it: over our own address."""
        own = self._own()
        params = () if own.transport == "udp" else (("transport", own.transport),)
        if company != DEFAULT_COMPANY:
            params = (*params, (COMPANY, str(company)))
        target = Uri(scheme="sip", user=escape_user(number), host=own.host, port=own.port, params=params)
        return Destination(number, target, own.host, company=company)


def dialled_number(uri: Uri) -> str:
    """The number a SIP or tel URI names."""
    return (uri.opaque if uri.scheme == "tel" else uri.user_text) or ""
