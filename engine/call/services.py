"""What a call needs of the engine, in one typed object instead of a service locator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.call.media_address import forbidden_media_address

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from engine.call.register import CallRegister
    from engine.call.transfers import Transfers
    from media.pool import WorkerPool
    from sip.call import Call
    from sip.endpoint import Endpoint


@dataclass(slots=True)
class CallServices:
    """Shared by all calls of one engine.

    transfers: set once, before the first call: it needs the rest of this.

    ring_timeout: seconds a called side may ring.
    own_ports: the ports the engine listens on, where no stream may be sent.
    nat_links: names of the links behind address translation, whose media source is learned (security reference F1).
    """

    clock: IReactorTime
    endpoint: Endpoint
    media: WorkerPool
    calls: CallRegister
    recordings: Path
    language: str
    ring_timeout: float
    own_ports: frozenset[int] = frozenset()
    nat_links: frozenset[str] = frozenset()
    transfers: Transfers = field(init=False)
    recording_closed: Callable[[str, str, Path, int, str | None], None] = field(default=lambda *_: None)

    def count(self, label: str) -> None:
        """Count one occurrence under ``label`` (a fixed word, never text from the network)."""
        self.endpoint.counters.count(label)

    def forbidden_media(self, call: Call) -> Callable[[str, int], bool]:
        """The test for media addresses of this call's peer."""
        host = call.flow.remote.host
        local = host.startswith("127.") or host in ("::1", "::ffff:127.0.0.1")
        return forbidden_media_address(self.own_ports, peer_is_local=local)

    def media_trust(self, call: Call) -> str | None:
        """The address media may also be learned from: the signalling's, for a peer behind NAT; else None."""
        peer = call.peer_class or ""
        behind_nat = peer == "registered" or peer.removeprefix("link:") in self.nat_links
        return call.flow.remote.host if behind_nat else None

    def media_host(self, remote: str) -> str:
        """Our address as a peer at ``remote`` sees it: what goes into SDP."""
        return self.endpoint.local_host_for(remote)
