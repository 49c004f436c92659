"""Where no stream may be sent (security reference E3)."""

from __future__ import annotations

import pytest

from engine.call.media_address import forbidden_media_address

OWN = {5060, 8080}


def forbidden(host: str, port: int, *, local: bool) -> bool:
    """For a machine whose own address is 192.0.2.1."""
    return forbidden_media_address(OWN, lambda each: each == "192.0.2.1", peer_is_local=local)(host, port)


@pytest.mark.parametrize(
    "host",
    ["224.0.0.1", "0.0.0.0", "255.255.255.255", "::", "ff02::1", "pbx.example.com", "", "::ffff:0.0.0.0"],
)
def test_addresses_nobody_may_name(host: str) -> None:
    """Groups, nothing at all, and names (which would be resolved for a stranger) are refused to everyone."""
    assert forbidden(host, 40000, local=True)
    assert forbidden(host, 40000, local=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_for_local_peers_and_never_our_own_ports(host: str) -> None:
    """An offer that points the stream at our REST port sends nothing."""
    assert not forbidden(host, 40000, local=True)
    assert forbidden(host, 8080, local=True)
    assert forbidden(host, 40000, local=False)


def test_plain_addresses_are_good() -> None:
    """A phone's own address is, whatever port it has."""
    assert not forbidden("192.0.2.7", 8080, local=False)


def test_our_own_ports_are_not_at_any_address_of_ours() -> None:
    """The machine's address on the network is as much the engine's as loopback is."""
    assert forbidden("192.0.2.1", 5060, local=False)
    assert not forbidden("192.0.2.1", 40000, local=False)
