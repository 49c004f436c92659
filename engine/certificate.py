"""The self-signed certificate a first start makes, so that TLS works before anybody has bought one."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEARS = 10
"""A self-signed certificate is pinned by hand where it is trusted at all; a short life would only break links."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the PEM files are. The key's file has mode 0600."""

    certificate: Path
    key: Path


def ensure_self_signed(directory: Path) -> CertificateFiles:
    """Return the certificate in ``directory``, making a self-signed one when there is none.

    Raises:
        OSError: the directory or its files cannot be written.
    """
    files = CertificateFiles(directory / "cert.pem", directory / "key.pem")
    if files.certificate.exists() and files.key.exists():
        return files
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    _write_private(
        files.key,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    files.certificate.write_bytes(_self_signed(key).public_bytes(serialization.Encoding.PEM))
    return files


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate for this host's name and the loopback addresses (RFC 5922 section 4: names as subjectAltName)."""
    host = socket.gethostname() or "localhost"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in dict.fromkeys([host, "localhost"])]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _write_private(path: Path, data: bytes) -> None:
    """Write ``data`` where only the owner can ever have read it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
