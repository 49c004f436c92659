"""Whom a certificate names (RFC 5922 section 7; security rule G1)."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sip.transport.certificates import identities, names_domain

Names = list[x509.GeneralName]
DNS = x509.DNSName("Example.com")
WILDCARD = x509.DNSName("*.example.com")
URI = x509.UniformResourceIdentifier("sip:sip.example.net")
USER = x509.UniformResourceIdentifier("sip:alice@example.org")
WEB = x509.UniformResourceIdentifier("https://web.example")
JUNK = x509.UniformResourceIdentifier("sip:[")
IP = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
IP6 = x509.IPAddress(ipaddress.ip_address("2001:db8::1"))


def certificate(names: Names | None) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "common.example")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (None, ()),  # no fallback to the common name
        ([DNS], ("example.com",)),
        ([URI, DNS], ("sip.example.net",)),  # a SIP URI wins over DNS names
        ([USER, DNS], ()),  # it names a user, and the DNS name does not count then
        ([WEB, DNS], ("example.com",)),
        ([JUNK, DNS], ()),
        ([IP, IP6], ("192.0.2.1", "2001:db8::1")),
        ([DNS, IP], ("example.com", "192.0.2.1")),
    ],
)
def test_identities(names: Names | None, found: tuple[str, ...]) -> None:
    """Section 7.1."""
    assert identities(certificate(names)) == found


@pytest.mark.parametrize(
    ("names", "domain", "good"),
    [
        ([DNS], "example.com", True),
        ([DNS], "EXAMPLE.com.", True),
        ([DNS], "sub.example.com", False),
        ([WILDCARD], "sub.example.com", False),  # section 7.2: no wildcards
        ([WILDCARD], "*.example.com", False),
        (None, "common.example", False),
        ([IP6], "2001:DB8:0::1", True),
        ([DNS], "192.0.2.1", False),
        ([DNS], "", False),
    ],
)
def test_names_domain(names: Names | None, domain: str, good: bool) -> None:
    """Section 7.2: letter for letter."""
    assert names_domain(certificate(names), domain) is good
