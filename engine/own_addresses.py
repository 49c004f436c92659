"""Which addresses are the engine's own: to be told to others, and to be recognised when they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.flow import Address, host_port

if TYPE_CHECKING:
    from sip.endpoint import Endpoint

ANSWERS_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""An address of this host for one that stands for all of them."""


class OwnAddresses:
    """What the endpoint listens on, wildcards understood."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def listens_at(self, host: str, port: int) -> bool:
        """Whether something sent there comes to us."""
        return any(self._names(ours, host, port) for ours in self._endpoint.listening)

    def is_us(self, address: Address) -> bool:
        """Whether this is one of our own sockets: the system lets nobody else send from there."""
        return any(
            ours.transport == address.transport and self._names(ours, address.host, address.port)
            for ours in self._endpoint.listening
        )

    def first(self) -> Address:
        """An address at which we answer from this host."""
        found = self._endpoint.listening[0]
        return found._replace(host=ANSWERS_HERE.get(found.host, found.host))

    def uris(self) -> list[str]:
        """Every address as a SIP URI that can be called from this host."""
        return [
            f"sip:{host_port(ANSWERS_HERE.get(each.host, each.host), each.port)};transport={each.transport}"
            for each in self._endpoint.listening
        ]

    def _names(self, ours: Address, host: str, port: int) -> bool:
        if port != ours.port:
            return False
        return host == ours.host or (ours.host in ANSWERS_HERE and self._is_this_host(host))

    def _is_this_host(self, host: str) -> bool:
        """The way to an address of our own begins at itself."""
        return host.lower() == "localhost" or self._endpoint.local_host_for(host) == host
