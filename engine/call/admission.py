"""Who may have an effect: accepted networks and declared links by address, everybody else by password.

Security reference C1 to C4: no method is exempt; a line's number is used with its password only, even
from an accepted network; an authenticated line speaks in its own name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from engine.call.number_plans import OURSELVES, NumberPlans
from engine.domain.scope import plain, scoped
from sip.admission import Admission, Admitted, Denied
from sip.authenticator import Authenticated, Challenged, Silenced
from sip.message import Request, response_to

if TYPE_CHECKING:
    from engine.config.annotation import IpNetwork
    from sip.authenticator import Authenticator
    from sip.counters import Counters
    from sip.flow import Address, Flow
    from sip.uri import Uri

EFFECTLESS = frozenset({"OPTIONS"})
"""Methods answered to anybody: they change nothing and their answer is small."""


class TrustedPeers(Protocol):
    """What admission asks of the links and of the registrar."""

    def link_at(self, host: str, transport: str) -> str | None:
        """The scoped name of the declared link at this address, over this transport."""

    def is_registered(self, flow: Flow) -> bool:
        """Whether a phone is registered over this flow."""

    def is_us(self, address: Address) -> bool:
        """Whether this is one of the addresses we listen on, from which nobody else can send."""


class AdmissionPolicy:
    """Sorts peers into classes and asks for passwords."""

    def __init__(
        self,
        networks: Iterable[IpNetwork],
        peers: TrustedPeers,
        authenticator: Authenticator,
        counters: Counters,
    ) -> None:
        self._networks = tuple(networks)
        self._peers = peers
        self._authenticator = authenticator
        self._counters = counters
        self.plans = NumberPlans()
        self._accepted: dict[str, bool] = {}

    def use_networks(self, networks: Iterable[IpNetwork]) -> None:
        """Accept calls from other networks from now on."""
        self._networks = tuple(networks)
        self._accepted.clear()

    def peer_class(self, flow: Flow) -> str | None:
        """ "link:NAME", "loopback" (an accepted network), "registered", "engine", or None for a stranger."""
        remote = flow.remote
        if self._peers.is_us(remote):
            return OURSELVES
        link = self._peers.link_at(remote.host, remote.transport)
        if link is not None:
            return f"link:{link}"
        if self._is_accepted(remote.host):
            return "loopback"
        return "registered" if self._peers.is_registered(flow) else None

    def _is_accepted(self, host: str) -> bool:
        known = self._accepted.get(host)
        if known is None:
            if len(self._accepted) > 10_000:  # strangers' addresses must not fill the memory
                self._accepted.clear()
            address = ipaddress.ip_address(host)
            known = any(address in network for network in self._networks)
            self._accepted[host] = known
        return known

    def admit(self, request: Request, flow: Flow, peer_class: str | None, now: float) -> Admission:
        """Admit the request, in whose name, or say what to answer."""
        if request.method in EFFECTLESS:
            return Admitted(None)
        if request.method != "REGISTER" and peer_class is not None:
            if peer_class == OURSELVES or peer_class.startswith("link:"):
                return Admitted(None)
            if peer_class == "loopback" and not self.plans.names_a_line(request):
                return Admitted(None)
        return self._authenticate(request, flow, now)

    def _authenticate(self, request: Request, flow: Flow, now: float) -> Admission:
        plans, named = self.plans, request.to if request.method == "REGISTER" else request.from_
        company = plans.company_claimed(named.uri, request)
        outcome = self._authenticator.check(
            request, now, flow.remote.host, lambda user: scoped(user, company)
        )
        match outcome:
            case Authenticated(line):
                return self._in_own_name(request, named.uri, line)
            case Challenged(status, headers, reason):
                self._counters.count(f"challenged_{reason.value}")
                return Denied(response_to(request, status, headers=headers))
            case Silenced(label):
                self._counters.count(label)
                return Denied(None)
        self._counters.count(outcome.label)
        return Denied(response_to(request, outcome.status))

    def _in_own_name(self, request: Request, named: Uri, line: str) -> Admission:
        """A line speaks, and registers, in its own name only (C2, C6)."""
        caller, user = request.from_.uri, plain(line)
        its_own = scoped(user, self.plans.company_claimed(caller, request)) == line
        if its_own and named.user_text == user and caller.user_text == user:
            return Admitted(line)
        self._counters.count("foreign_identity")
        return Denied(response_to(request, 403))
