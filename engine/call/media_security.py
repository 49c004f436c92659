"""Whether a call's sound is protected by SRTP: what the configuration, its link and its line say of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.call.number_plans import OURSELVES
from sip.sdes import PLAIN, OwnKeys, Security

if TYPE_CHECKING:
    from engine.call.destinations import Destination
    from engine.store.records import SrtpMode
    from sip.call import Call
    from sip.uri import Uri


def new_keys() -> OwnKeys:
    """The keys of a new call, drawn from the system's generator when they are needed."""
    return OwnKeys(secrets.token_bytes)


@dataclass(frozen=True, slots=True)
class MediaSecurity:
    """What is asked of calls. A line's word goes before its link's, a link's before ``default``.

    best_effort: offer and take keys beside plain RTP (RFC 8643). any_signalling: exchange keys over signalling that is
    not encrypted, where whoever reads it can listen.
    """

    default: SrtpMode = "optional"
    best_effort: bool = False
    any_signalling: bool = False
    links: Mapping[str, SrtpMode] = field(default_factory=dict)
    lines: Mapping[str, SrtpMode] = field(default_factory=dict)

    def of_call(self, call: Call, identity: str | None, keys: OwnKeys) -> Security:
        """What holds for a call that has a peer."""
        if call.peer_class == OURSELVES:
            return PLAIN
        kind, _, link = (call.peer_class or "").partition(":")
        mode = self._mode(identity, link if kind == "link" else None)
        if call.incoming is not None and call.incoming.request_uri.scheme == "sips":
            mode = "required"  # never down to plain RTP (security reference G3)
        return self._security(mode, call.flow.remote.transport == "tls", keys)

    def of_destination(self, destination: Destination, keys: OwnKeys) -> Security:
        """What holds for a call to be placed."""
        flow = destination.flow
        if flow is None and destination.link is None and destination.line is None:
            return PLAIN  # an automate of ours
        transport = flow.remote.transport if flow is not None else _transport(_first_hop(destination))
        mode = self._mode(destination.line, destination.link)
        if destination.target.scheme == "sips":
            mode = "required"
        return self._security(mode, transport == "tls", keys)

    def _mode(self, line: str | None, link: str | None) -> SrtpMode:
        return self.lines.get(line or "") or self.links.get(link or "") or self.default

    def _security(self, mode: SrtpMode, encrypted: bool, keys: OwnKeys) -> Security:
        if mode == "off":
            return PLAIN
        usable = encrypted or self.any_signalling
        return Security(keys if usable else None, mode == "required", self.best_effort)


def _first_hop(destination: Destination) -> Uri:
    return destination.next_hop or destination.target


def _transport(uri: Uri) -> str:
    return "tls" if uri.scheme == "sips" else (uri.param("transport") or "udp").lower()
