"""Where a peer may ask us to send sound (security reference E3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import lru_cache


def forbidden_media_address(
    own_ports: Collection[int], is_own_host: Callable[[str], bool], *, peer_is_local: bool
) -> Callable[[str, int], bool]:
    """Return the test an offer's media address must fail to be used.

    own_ports: the ports this engine itself listens on (SIP, REST), where no stream may be sent.
    is_own_host: whether a numeric address is one of this machine; asked for those ports only.
    peer_is_local: the signalling came from a loopback address, so its media may be there too.
    """

    def forbidden(host: str, port: int) -> bool:
        kind = _kind(host)
        if kind == "never" or (kind == "loopback" and not peer_is_local):
            return True
        return port in own_ports and (kind == "loopback" or is_own_host(host))

    return forbidden


@lru_cache(maxsize=4096)
def _kind(host: str) -> str:
    """Sort a numeric address into "never", "loopback" and "plain"; a name is never resolved for media."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "never"
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    if address.is_multicast or address.is_unspecified or host == "255.255.255.255":
        return "never"
    return "loopback" if address.is_loopback else "plain"
