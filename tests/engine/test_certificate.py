"""The self-signed certificate of a first start."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from cryptography import x509

from engine.certificate import ensure_self_signed


def test_it_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    """A second start keeps the first's; nobody else may read the key."""
    files = ensure_self_signed(tmp_path / "tls")
    before = files.certificate.read_bytes()
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert ensure_self_signed(tmp_path / "tls") == files
    assert files.certificate.read_bytes() == before


def test_it_can_serve_and_names_this_host(tmp_path: Path) -> None:
    """OpenSSL takes the pair, and the loopback addresses are among its names."""
    files = ensure_self_signed(tmp_path)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert {str(each) for each in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}
