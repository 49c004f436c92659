"""Where an outgoing call goes: a phone registered here, or a link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.domain.scope import DEFAULT_COMPANY
from sip.uri import NameAddr, Uri, escape_user

if TYPE_CHECKING:
    from sip.call import Call
    from sip.credentials import Credentials
    from sip.endpoint import Endpoint
    from sip.flow import Flow
    from sip.message import Request
    from sip.session.outputs import Event as SessionEvent


MOST_HOPS = 70
"""What a call begins with (RFC 3261 section 8.1.1.6). A caller that claims more makes loops longer, not calls."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One place to send an INVITE to.

    number: what is called. target: the Request-URI. host: the numeric address (or name) the peer has, to choose ours.
    flow: the connection a phone registered over (RFC 5626). next_hop: the link's address.
    line: the line whose phone it is (its scoped number); it has that line's rights. link: the scoped name of the link
    it is reached over. company: whose it is.
    """

    number: str
    target: Uri
    host: str
    flow: Flow | None = None
    next_hop: Uri | None = None
    credentials: Credentials | None = None
    route: tuple[str, ...] = ()
    line: str | None = None
    link: str | None = None
    company: int = DEFAULT_COMPANY

    def call(
        self,
        endpoint: Endpoint,
        *,
        caller: str,
        offer: bytes | None,
        on_event: Callable[[SessionEvent], None],
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Call:
        """Send the INVITE; its progress goes to ``on_event``, never before this returns."""
        own = endpoint.local_host_for(self.host)
        return endpoint.call(
            target=self.target,
            from_=NameAddr(None, Uri(scheme="sip", user=escape_user(caller) or "anonymous", host=own)),
            to=NameAddr(None, Uri(scheme="sip", user=escape_user(self.number), host=own)),
            offer=offer,
            flow=self.flow,
            next_hop=self.next_hop,
            credentials=self.credentials,
            headers=(*(("Route", each) for each in self.route), *headers),
            on_event=on_event,
            may_follow=self._is_within_link,
        )

    def _is_within_link(self, uri: Uri) -> bool:
        """Whether a redirection stays within the PBX that sent it; any other leads where routing allows (C7)."""
        if self.link is None:
            return False
        return uri.host in (self.host, self.target.host)


def hops_left(request: Request) -> int:
    """The Max-Forwards of a call that passes ``request`` on, which must have some (RFC 3261 section 16.6).

    Two calls are one to whoever loops: without this, two of us that send a number to each other never stop.
    """
    if request.max_forwards is None:
        return MOST_HOPS
    return min(request.max_forwards, MOST_HOPS) - 1
