"""Where a webhook may lead, and how its requests are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from engine.events.addresses import is_allowed
from engine.events.signature import headers, key_of
from engine.store.errors import Invalid

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses(address: str) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:0001::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2001:0:1:1:1:1:f5ff:fffe",
        "localhost",
        "",
    ],
)
def test_no_others(address: str) -> None:
    """Also not by way of a translator or a tunnel."""
    assert not is_allowed(address)


def test_networks_of_ones_own() -> None:
    assert is_allowed("10.1.2.3", ["10.1.0.0/16"])
    assert is_allowed("::ffff:10.1.2.3", ["10.1.0.0/16"])
    assert is_allowed("fd00::1", ["fd00::/8"])
    assert not is_allowed("10.2.0.1", ["10.1.0.0/16", "fd00::/8"])


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """HMAC-SHA256 over id, time and body with dots between, in base64, with the version before it."""
    found = headers(SECRET, "whk_a-1-2", 1_700_000_000, b'{"a":1}')
    proof = hmac.new(bytes(range(24)), b'whk_a-1-2.1700000000.{"a":1}', hashlib.sha256).digest()
    assert found == {
        "webhook-id": "whk_a-1-2",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + base64.b64encode(proof).decode(),
    }


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "abc", "whsec_" + "A" * 30, SECRET + "\n", SECRET.replace("whsec_", ""), "whsec_é"],
)
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(Invalid) as error:
        key_of(secret)
    assert error.value.field == "secret"
