"""Where no stream may be sent (security reference E3)."""

from __future__ import annotations

import pytest

from engine.call.media_address import forbidden_media_address

OWN = {5060, 8080}


@pytest.mark.parametrize(
    "host",
    ["224.0.0.1", "0.0.0.0", "255.255.255.255", "::", "ff02::1", "pbx.example.com", "", "::ffff:0.0.0.0"],
)
def test_addresses_nobody_may_name(host: str) -> None:
    """Groups, nothing at all, and names (which would be resolved for a stranger) are refused to everyone."""
    assert forbidden_media_address(OWN, peer_is_local=True)(host, 40000)
    assert forbidden_media_address(OWN, peer_is_local=False)(host, 40000)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_for_local_peers_and_never_our_own_ports(host: str) -> None:
    """An offer that points the stream at our REST port sends nothing."""
    local, remote = (forbidden_media_address(OWN, peer_is_local=each) for each in (True, False))
    assert not local(host, 40000)
    assert local(host, 8080)
    assert remote(host, 40000)


def test_plain_addresses_are_good() -> None:
    """A phone's own address is."""
    assert not forbidden_media_address(OWN, peer_is_local=False)("192.0.2.7", 8080)
