"""What a call needs of the engine, in one typed object instead of a service locator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail

from engine.call.media_address import forbidden_media_address
from engine.call.media_security import MediaSecurity
from engine.call.reanchoring import Reanchoring
from engine.call_journal import CallJournal
from media.speech import SpeechError
from sip.errors import SipError
from sip.offer_answer import PCMA, PCMU, TELEPHONE_EVENT, Codec, audio_address, audio_host

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from engine.call.destinations import Destination
    from engine.call.register import CallRegister
    from engine.call.routing import Routing
    from engine.conferences.conferences import Conferences
    from engine.conferences.names import SpokenNames
    from engine.config.annotation import IpNetwork
    from engine.recordings import Recordings
    from engine.store import DtmfMode
    from media.pool import WorkerPool
    from sip.call import Call
    from sip.endpoint import Endpoint


def no_speech(text: str, language: str) -> Deferred[str]:
    """Where nobody speaks texts."""
    return fail(SpeechError("absent"))


def _ignore(_conversation: object) -> None:
    """What changes while no journal is kept."""


@dataclass(slots=True)
class CallServices:
    """Shared by all calls of one engine.

    routing, conferences: set once, before the first call: they need some of this.

    ring_timeout: seconds a called side may ring.
    codecs: what a leg can speak, in our order of preference; in an answer the offerer's order wins.
    prompts: the scoped names of those that were imported, besides the shipped ones.
    own_ports: the ports the engine listens on, where no stream may be sent.
    nat_links: scoped names of the links behind address translation, whose media source is learned (security reference
    F1).
    link_dtmf: how digits travel on the links where that is not ``auto``.
    security: whose sound is protected.
    names: those that callers record before they enter a conference.
    changed: told of a conversation that has something new to be remembered by the journal.
    symmetric_links, symmetric_networks: whose media comes from the address their SDP names (RFC 4961).
    """

    clock: IReactorTime
    endpoint: Endpoint
    media: WorkerPool
    calls: CallRegister
    recordings: Recordings
    language: str
    ring_timeout: float
    codecs: tuple[Codec, ...] = (PCMU, PCMA, TELEPHONE_EVENT)
    prompts: frozenset[str] = frozenset()
    own_ports: frozenset[int] = frozenset()
    nat_links: frozenset[str] = frozenset()
    link_dtmf: Mapping[str, DtmfMode] = field(default_factory=dict)
    security: MediaSecurity = field(default_factory=MediaSecurity)
    symmetric_links: frozenset[str] = frozenset()
    symmetric_networks: tuple[IpNetwork, ...] = ()
    say: Callable[[str, str], Deferred[str]] = no_speech
    journal: CallJournal = field(default_factory=CallJournal)
    changed: Callable[[Any], None] = _ignore
    names: SpokenNames | None = None
    routing: Routing = field(init=False)
    reanchoring: Reanchoring = field(init=False)
    conferences: Conferences = field(init=False)

    def __post_init__(self) -> None:
        self.reanchoring = Reanchoring(self.clock)

    def count(self, label: str) -> None:
        """Count one occurrence under ``label`` (a fixed word, never text from the network)."""
        self.endpoint.counters.count(label)

    def forbidden_media(self, call: Call) -> Callable[[str, int], bool]:
        """The test for media addresses of this call's peer."""
        host = call.flow.remote.host
        local = host.startswith("127.") or host in ("::1", "::ffff:127.0.0.1")
        return forbidden_media_address(self.own_ports, self.is_own_host, peer_is_local=local)

    def is_own_host(self, host: str) -> bool:
        """Whether a numeric address is one of this machine: then the way there begins at itself."""
        return self.endpoint.local_host_for(host) == host

    def media_trust(self, call: Call) -> str | None:
        """The address media may also be learned from: the signalling's, for a peer behind NAT; else None."""
        kind, _, link = (call.peer_class or "").partition(":")
        behind_nat = kind == "registered" or (kind == "link" and link in self.nat_links)
        return call.flow.remote.host if behind_nat else None

    def dtmf_mode(self, call: Call | None, destination: Destination | None) -> DtmfMode:
        """How digits travel between us and who is called, or calls."""
        if destination is not None:
            return self.link_dtmf.get(destination.link or "", "auto")
        kind, _, link = ("" if call is None else call.peer_class or "").partition(":")
        return self.link_dtmf.get(link, "auto") if kind == "link" else "auto"

    def symmetric_source(self, call: Call) -> tuple[str, int] | None:
        """Where the media of an incoming call will come from, if its peer is declared to be that predictable."""
        kind, _, link = (call.peer_class or "").partition(":")
        if kind == "link":
            predictable = link in self.symmetric_links
        else:
            predictable = kind == "loopback" and self._sends_symmetrically(call.flow.remote.host)
        if not predictable or call.offer is None:
            return None
        try:
            return audio_address(call.offer)
        except SipError:
            return None  # the answer will be a refusal

    def _sends_symmetrically(self, host: str) -> bool:
        networks = self.symmetric_networks
        return bool(networks) and any(ip_address(host) in network for network in networks)

    def media_host(self, remote: str) -> str:
        """Our address as a peer at ``remote`` sees it: what goes into SDP."""
        return self.endpoint.local_host_for(remote)

    def media_peer(self, call: Call) -> str:
        """The address to choose our own by: the signalling's, or the media's when that is of the other IP version."""
        remote = call.flow.remote.host
        offer = call.offer
        if offer is None or (b"IN IP6" in offer) == (":" in remote):
            return remote
        try:
            host = audio_host(offer)
        except SipError:
            return remote  # the answer will be a refusal
        return host if host is not None and (":" in host) != (":" in remote) else remote
