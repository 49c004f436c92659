"""A SIP message as a log may hold it: what would let a reader listen, or in, is masked (security F4, G6).

Masked are the master keys of ``a=crypto`` (RFC 4568) and old ``k=`` lines, ICE passwords, the proofs in Authorization
headers (an eavesdropper guesses the password from them at leisure), and digits sent by INFO, which may be a PIN.
"""

from __future__ import annotations

import re

from sip.sdes import without_keys

_HIDDEN = "***"
_PROOF = re.compile(r'(?i)\b(response|cnonce|nextnonce|rspauth)=("[^"]*"|[^\s,;]+)')
_AUTHORIZATION = re.compile(r"(?im)^((?:proxy-)?authorization|(?:proxy-)?authentication-info)[ \t]*:.*$")
_BASIC = re.compile(r"(?i):[ \t]*(basic|bearer)[ \t]+.*")
_SECRET_LINE = re.compile(r"(?im)^(k=|a=ice-pwd:|signal[ \t]*=)[^\r\n]*")
_DIGITS_ONLY = re.compile(r"(?im)^(?:content-type|c)[ \t]*:[ \t]*application/dtmf[ \t]*(?:;|$)")


def masked(data: bytes) -> str:
    """The message as text of one line, its line ends shown as " | " and its secrets as asterisks."""
    text = without_keys(data).decode("utf-8", "replace").replace("\r\n", "\n")
    head, gap, body = text.partition("\n\n")
    head = re.sub(r"\n[ \t]+", " ", head)  # a folded header is one
    if _DIGITS_ONLY.search(head) and body:
        body = _HIDDEN
    head = _AUTHORIZATION.sub(_without_proof, head)
    return (head + gap + _SECRET_LINE.sub(rf"\1{_HIDDEN}", body)).strip("\n").replace("\n", " | ")


def _without_proof(header: re.Match[str]) -> str:
    line = _BASIC.sub(rf": \1 {_HIDDEN}", header[0])
    return _PROOF.sub(rf'\1="{_HIDDEN}"', line)


def concerns(data: bytes, number: str) -> bool:
    """Whether the number is one that the message's first line or From, To and the like name."""
    head = data.partition(b"\r\n\r\n")[0]
    return (
        re.search(rb"(?i)(?:sips?|tel):" + re.escape(number.encode()) + rb"(?=[@;>:\s]|$)", head) is not None
    )
