"""Which TLS versions are spoken (security reference G1)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from OpenSSL import SSL

from sip.transport.tls import TlsContexts, TlsSettings, TlsVersion


@pytest.fixture
def settings(tmp_path: Path) -> TlsSettings:
    authority = trustme.CA()
    ours = authority.issue_cert("pbx.example")
    certificate, key, trusted = (tmp_path / name for name in ("cert.pem", "key.pem", "ca.pem"))
    for blob in ours.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    ours.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    return TlsSettings(certificate, key, trusted)


def peer(newest: int) -> SSL.Context:
    """A peer that can do no better, and would take anything."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_max_proto_version(newest)
    return context


def shake_hands(client: SSL.Context, server: SSL.Context) -> str | None:
    """The version two ends agree on, over memory; None when they do not."""
    ends = SSL.Connection(client, None), SSL.Connection(server, None)
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    done = [False, False]
    for _ in range(6):
        for at, (end, other) in enumerate((ends, ends[::-1])):
            try:
                end.do_handshake()
                done[at] = True
            except SSL.WantReadError:
                pass
            except SSL.Error:
                return None
            with suppress(SSL.WantReadError):
                other.bio_write(end.bio_read(65536))
    return ends[0].get_protocol_version_name() if all(done) else None


@pytest.mark.parametrize(
    ("oldest", "newest", "spoken"),
    [
        ("1.2", SSL.TLS1_1_VERSION, None),
        ("1.2", SSL.TLS1_2_VERSION, "TLSv1.2"),
        ("1.2", SSL.TLS1_3_VERSION, "TLSv1.3"),
        ("1.3", SSL.TLS1_1_VERSION, None),
        ("1.3", SSL.TLS1_2_VERSION, None),
        ("1.3", SSL.TLS1_3_VERSION, "TLSv1.3"),
    ],
)
def test_the_oldest_version_is_a_setting(
    settings: TlsSettings, oldest: TlsVersion, newest: int, spoken: str | None
) -> None:
    """TLS 1.1 never, 1.2 unless the setting says 1.3; as a server, and as a client."""
    contexts = TlsContexts(TlsSettings(settings.certificate, settings.key, min_version=oldest))
    assert shake_hands(peer(newest), contexts.server) == spoken
    other = peer(newest)
    other.use_certificate_chain_file(str(settings.certificate))
    other.use_privatekey_file(str(settings.key))
    trusting = TlsContexts(
        TlsSettings(settings.certificate, settings.key, settings.authorities, min_version=oldest)
    )
    assert shake_hands(trusting.client, other) == spoken


def test_the_peer_of_this_test_does_speak_the_old_version(settings: TlsSettings) -> None:
    """Else the refusals above would prove nothing."""
    old = peer(SSL.TLS1_1_VERSION)
    old.use_certificate_chain_file(str(settings.certificate))
    old.use_privatekey_file(str(settings.key))
    assert shake_hands(peer(SSL.TLS1_1_VERSION), old) == "TLSv1.1"
