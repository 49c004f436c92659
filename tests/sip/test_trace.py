"""What a log may hold of a SIP message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.trace import concerns, masked

KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
INVITE = (
    "INVITE sip:5000@192.0.2.1;transport=tls SIP/2.0\r\n"
    "Via: SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bK1\r\n"
    'From: "Anna" <sip:1001@192.0.2.1>;tag=1\r\n'
    "To: <sip:5000@192.0.2.1>\r\n"
    'Authorization: Digest username="1001", realm="polyphony",\r\n'
    ' nonce="n", uri="sip:5000@192.0.2.1", response="6629fae49393a053", cnonce="0a4f113b"\r\n'
    "Content-Type: application/sdp\r\n"
    "\r\n"
    "v=0\r\n"
    "m=audio 4000 RTP/SAVP 0\r\n"
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31\r\n"
    "k=clear:secret-words\r\n"
    "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
)


def test_secrets_are_masked_and_the_rest_is_not() -> None:
    """Keys, proofs and old key lines are gone; what a support case needs is there, on one line."""
    shown = masked(INVITE.encode())
    for secret in (KEY, "6629fae49393a053", "0a4f113b", "secret-words", "asd88fgpdd777uzjYhagZg"):
        assert secret not in shown
    for kept in (
        "INVITE sip:5000@192.0.2.1",
        'username="1001"',
        'nonce="n"',
        "inline:***|2^31",
        "m=audio 4000",
    ):
        assert kept in shown
    assert "\n" not in shown
    assert "\r" not in shown


@pytest.mark.parametrize(
    "body",
    [
        "Content-Type: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n",
        "Content-Type: application/dtmf-relay\r\n\r\nsignal = 7\r\nDuration=160",
        "Content-Type: application/dtmf\r\n\r\n7",
        "c: application/dtmf\r\n\r\n7\r\n",
    ],
)
def test_digits_are_masked(body: str) -> None:
    """A PIN is typed digit by digit."""
    assert "7" not in masked(f"INFO sip:5000@192.0.2.1 SIP/2.0\r\n{body}".encode())


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Basic c2VjcmV0",
        "Proxy-Authorization: Digest response=c2VjcmV0, opaque=1",
        "proxy-authorization:Bearer c2VjcmV0",
        'Authentication-Info: nextnonce="c2VjcmV0", rspauth="c2VjcmV0"',
    ],
)
def test_other_credentials(header: str) -> None:
    """Every kind of proof, in any case and with or without quotes."""
    assert "c2VjcmV0" not in masked(f"REGISTER sip:192.0.2.1 SIP/2.0\r\n{header}\r\n\r\n".encode())


def test_the_number_is_looked_for_in_the_head() -> None:
    """As a whole user part, in any URI of the head; a body does not count."""
    data = INVITE.encode()
    assert concerns(data, "1001")
    assert concerns(data, "5000")
    assert not concerns(data, "100")
    assert not concerns(data, "001")
    assert not concerns(b"OPTIONS sip:a SIP/2.0\r\n\r\nsip:1001@a", "1001")
    assert concerns(b"INVITE tel:+33123 SIP/2.0\r\n\r\n", "+33123")


@given(st.binary(max_size=300), st.binary(min_size=28, max_size=30))
def test_any_octets_are_shown_on_one_line(data: bytes, rest: bytes) -> None:
    """Junk too; the log must not break over it."""
    assert "\n" not in masked(data + b"\r\n\r\n" + rest)
