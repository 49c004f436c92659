"""Incoming requests: who may send them (admission), and which conversation a call becomes.

This is the :class:`sip.endpoint_settings.Application` of the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.automates.conversation import AutomateConversation
from engine.automates.parameters import RING_TIME
from engine.call.bridge import BridgeConversation
from engine.call.entitlements import application_of
from engine.call.number_plans import OURSELVES
from engine.call.numbers import AutomateTarget, LineTarget, LinkTarget, Target, clean_number
from engine.domain.quotas import Share
from engine.domain.scope import plain, scoped
from sip.message import Request, response_to

if TYPE_CHECKING:
    from engine.call.admission import AdmissionPolicy
    from engine.call.numbers import Target
    from engine.call.routing import Routing
    from engine.call.services import CallServices
    from engine.links import Links
    from engine.registrations import LineRegistrations
    from sip.admission import Admission
    from sip.call import Call
    from sip.flow import Flow
    from sip.transaction.server import ServerTransaction

log = Logger()


class Router:
    """Takes what the SIP endpoint receives and starts what answers it."""

    _services: CallServices
    _routing: Routing
    _registrations: LineRegistrations
    _links: Links

    def __init__(self, policy: AdmissionPolicy, seconds: Callable[[], float], max_calls: int) -> None:
        self._policy = policy
        self._seconds = seconds
        self.max_calls = max_calls

    def serve(self, services: CallServices, registrations: LineRegistrations, links: Links) -> None:
        """Take what is made after the endpoint; called before the endpoint listens."""
        self._services = services
        self._routing = services.routing
        self._registrations = registrations
        self._links = links

    def peer_class(self, flow: Flow) -> str | None:
        """Whose limits and rights the sender has; None for a stranger."""
        return self._policy.peer_class(flow)

    def admit(self, request: Request, flow: Flow, peer_class: str | None) -> Admission:
        """Whether the request may have an effect, and in whose name."""
        return self._policy.admit(request, flow, peer_class, self._seconds())

    def connection_lost(self, flow: Flow) -> None:
        """Phones registered over a connection went with it; so did what a PBX knew of us by it (RFC 5626)."""
        self._registrations.connection_lost(flow)
        self._links.connection_lost(flow)

    def invite_received(self, call: Call) -> None:
        """A new call: to an automate, a line, a link, or nowhere; or one that takes another's place."""
        self._choose_link(call)
        company = self._routing.plans.company_of_call(call.identity, call.peer_class, call.request)
        if call.replaces is not None:
            self._take_over(call, call.replaces, company)
            return
        if len(self._services.calls) >= self.max_calls:
            self._services.count("calls_full")
            call.reject(503, headers=(("Retry-After", "10"),))
            return
        target = self._target(call, company)
        if target is None:
            call.reject(404)
            return
        if not self._routing.may_dial(target, call.identity, by_us=call.peer_class == OURSELVES):
            self._services.count("dial_refused")
            call.reject(403)
        elif not self._has_channel(call, target):
            return
        elif isinstance(target, AutomateTarget):
            AutomateConversation(self._services, call, target, self._caller(call, company)).start()
        else:
            self._bridge(call, target)

    def _choose_link(self, call: Call) -> None:
        """One PBX may be the link of several companies: whose call it is, its Request-URI says."""
        if call.peer_class is None or not call.peer_class.startswith("link:"):
            return
        sharing = self._links.links_at(call.flow.remote)
        if len(sharing) > 1:
            call.peer_class = f"link:{self._routing.plans.link_of(sharing, call.request.request_uri)}"

    def _has_channel(self, call: Call, target: Target) -> bool:
        """Whether the company has a channel left for what is called; the caller is told when it has none.

        480, not 503: other callers of the same proxy must not be sent away with this one (RFC 3261 section 21.5.4).
        """
        spent = self._services.calls.channels.spent(Share(target.company, application_of(target)))
        if spent is None:
            return True
        self._services.count("quota_spent")
        call.reject(480, headers=self._routing.entitlements.warning(spent, call.identity, target.company))
        return False

    def _target(self, call: Call, company: int) -> Target | None:
        """What answers the call: a PBX's numbers come in by the dial plan, everybody else's go out by it."""
        called = call.request.request_uri.user_text or ""
        if is_from_link(call):
            return self._routing.resolve_incoming(called, company)
        return self._routing.resolve(called, company, call.identity)

    def _caller(self, call: Call, company: int) -> str:
        """The number a call comes from: the line it proved to be, else what From says; empty when anonymous."""
        if call.identity is not None:
            return plain(call.identity)
        said = call.request.from_.uri.user_text or ""
        return (
            self._routing.caller_from_link(said, company) if is_from_link(call) else clean_number(said) or ""
        )

    def _bridge(self, call: Call, target: LineTarget | LinkTarget) -> None:
        """To somebody else's phone, if there is one and this is not one call too many."""
        if call.request.max_forwards == 0:
            self._services.count("too_many_hops")
            call.reject(483)
            return
        destinations = self._routing.destinations(target)
        if not destinations:
            call.reject(480)
            return
        caller = self._caller(call, target.company)
        bridge = BridgeConversation(self._services, call, target.number, caller, destinations, target.company)
        bridge.application = application_of(target)
        bridge.ring_time = self._ring_time(call, target)
        if self._routing.may_dial_now(target, call.identity, bridge.is_up):
            bridge.start()
        else:
            self._services.count("line_calls_refused")
            call.reject(403)

    def _ring_time(self, call: Call, target: LineTarget | LinkTarget) -> float:
        """How long a call may ring: what the called user, or the one that calls outside, has chosen."""
        line = scoped(target.number, target.company) if isinstance(target, LineTarget) else call.identity
        parameter = RING_TIME[application_of(target)]
        chosen = self._routing.entitlements.value(parameter, line, target.company)
        return float(chosen) or self._services.ring_timeout

    def _take_over(self, call: Call, replaced: Call, company: int) -> None:
        """RFC 3891 section 3: the new caller goes on where the replaced call was, which must be of its company."""
        found = self._services.calls.find(replaced)
        foreign = found is not None and found[0].company != company and call.peer_class != OURSELVES
        if found is None or found[1].leg is None or foreign:
            call.reject(481)
        elif not self._routing.may_replace(call, call.identity, found[1]):
            self._services.count("replaces_forbidden")
            call.reject(403)
        else:
            found[1].take_over(call, self._caller(call, company), call.identity)

    def request_received(
        self, request: Request, transaction: ServerTransaction, flow: Flow, identity: str | None
    ) -> None:
        """A request outside any dialog other than INVITE."""
        endpoint = self._services.endpoint
        if request.method == "REGISTER" and identity is not None:
            self._registrations.register(request, transaction, flow, identity)
        elif request.method == "OPTIONS":
            endpoint.respond(transaction, response_to(request, 200, headers=endpoint.capabilities()))
        else:
            allowed = ", ".join(each for each in endpoint.settings.methods if each != request.method)
            endpoint.respond(transaction, response_to(request, 405, headers=[("Allow", allowed)]))


def is_from_link(call: Call) -> bool:
    """Whether a PBX has sent it, over a declared link."""
    return (call.peer_class or "").startswith("link:")
