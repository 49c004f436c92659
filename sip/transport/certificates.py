"""Whom a certificate names, and whether that is the SIP domain we want to reach (RFC 5922 section 7)."""

from __future__ import annotations

import contextlib
from ipaddress import ip_address

from cryptography import x509

from sip.errors import ParseError
from sip.uri import Uri


def identities(certificate: x509.Certificate) -> tuple[str, ...]:
    """List the SIP domains and addresses a certificate names, in lower case (RFC 5922 section 7.1).

    SIP URIs win over DNS names; a URI with a user part names a user, not a domain. The common name
    does not count, although section 7.1 still allows it: what may sign a name is then two rules.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    domains = [domain for domain in map(_sip_domain, uris) if domain]
    if not any(uri.lower().startswith("sip:") for uri in uris):
        domains = [name.lower().rstrip(".") for name in names.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return tuple(domains + addresses)


def names_domain(certificate: x509.Certificate, domain: str) -> bool:
    """Tell whether the certificate is for ``domain``, letter for letter: no wildcards (section 7.2)."""
    wanted = domain.lower().rstrip(".")
    with contextlib.suppress(ValueError):
        wanted = str(ip_address(wanted))  # one spelling of an IPv6 address
    return "*" not in wanted and wanted in identities(certificate)


def _sip_domain(text: str) -> str | None:
    try:
        uri = Uri.parse(text)
    except ParseError:
        return None
    if uri.scheme != "sip" or uri.user is not None or uri.opaque is not None:
        return None
    return uri.host.lower()
