"""Where and how a peer receives, read from its description of one audio stream (RFC 4566, 3605, 5761)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from sip.payload_format import PTIME_MS
from sip.sdes import SECURE_PROFILES
from sip.sdp import MediaSection, SdpError, SessionDescription, number

PTIME_RANGE_MS = range(10, 61)
PROFILES = frozenset({"RTP/AVP", "RTP/AVPF"}) | SECURE_PROFILES

Forbidden = Callable[[str, int], bool]


class PeerMedia(NamedTuple):
    """Where and how the peer receives. ``rtcp_port`` is the one without multiplexing (RFC 5761).

    ``silenced``: the hold of RFC 2543, c=0.0.0.0.
    """

    host: str
    port: int
    rtcp_port: int | None
    ptime_ms: int
    mux: bool
    silenced: bool

    @classmethod
    def read(
        cls, described: SessionDescription, section: MediaSection, forbidden: Forbidden | None
    ) -> PeerMedia:
        """From a stream of the peer's description.

        Raises:
            SdpError: no stream of sound we could take part in, or an address that must not be sent to.
        """
        if section.kind != "audio":
            raise SdpError("sdp_no_audio")
        if section.protocol not in PROFILES:
            raise SdpError("sdp_profile")
        host = described.host_of(section)
        if host is None:
            raise SdpError("sdp_connection")
        nature = _nature(host) if len(host) <= 64 else "name"
        if nature not in ("unicast", "unspecified"):
            raise SdpError(f"sdp_address_{nature}")
        mux = section.attribute("rtcp-mux") is not None
        rtcp_port = _rtcp_port(section)
        if nature == "unspecified":
            return cls(host, section.port, None, _ptime(section), mux, True)
        if forbidden is not None and (
            forbidden(host, section.port) or (rtcp_port is not None and forbidden(host, rtcp_port))
        ):
            raise SdpError("sdp_address_forbidden")
        return cls(host, section.port, rtcp_port, _ptime(section), mux, False)


@lru_cache(maxsize=4096)
def _nature(host: str) -> str:
    """The kind of address: unicast may be sent to, unspecified means hold (RFC 3264 section 8.4)."""
    try:
        address = ip_address(host)
    except ValueError:
        return "name"
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified:
        return "unspecified"
    if address.is_multicast:
        return "multicast"
    if str(address) == "255.255.255.255" or "%" in host:
        return "broadcast"
    return "unicast"


def _rtcp_port(section: MediaSection) -> int | None:
    """RFC 3605: a=rtcp names another port; by RFC 3550 section 11 it is the next one.

    An address in a=rtcp is not followed: reports go to the host that gets the media or nowhere else.
    """
    named = section.attribute("rtcp")
    port = number(named.partition(" ")[0], 65535) if named else None
    return port or (section.port + 1 if section.port < 65535 else None)


def _ptime(section: MediaSection) -> int:
    asked = number((section.attribute("ptime") or "").strip(), 65535) or PTIME_MS
    most = number((section.attribute("maxptime") or "").strip(), 65535)
    if most is not None and most in PTIME_RANGE_MS:
        asked = min(asked, most)
    return asked if asked in PTIME_RANGE_MS else PTIME_MS
