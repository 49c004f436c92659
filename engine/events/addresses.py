"""Where a webhook may lead: to public addresses, and to networks that are named (server-side request forgery)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits


def is_allowed(address: str, networks: Iterable[str] = ()) -> bool:
    """Whether requests may go to ``address``; False for what is no address. networks: allowed besides public ones."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = _inner(found)
    return (found.is_global and not found.is_multicast) or any(
        found in ipaddress.ip_network(each) for each in networks
    )


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to by a translator or a tunnel."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            return address.teredo[1]
    return address
