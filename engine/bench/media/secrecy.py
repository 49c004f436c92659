"""SRTP of the load generator's calls (RFC 3711, RFC 7714), their keys in the description (RFC 4568).

By pylibsrtp, so that both ends are not the same code of ours.
"""

from __future__ import annotations

import base64
import secrets

from pylibsrtp import Error, Policy, Session

from sip.sdp import MediaSection

SUITE = "AEAD_AES_128_GCM"
TAG_SIZE = 16
_KEY_SIZE = 28  # 16 of the key, 12 of the salt


class Secrecy:
    """The keys of one call, both ways."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(_KEY_SIZE)
        self._outbound = Session(_policy(self.key, Policy.SSRC_ANY_OUTBOUND))
        self._inbound: Session | None = None

    @property
    def line(self) -> str:
        """Our crypto attribute."""
        return f"a=crypto:1 {SUITE} inline:{base64.b64encode(self.key).decode()}"

    def accept(self, section: MediaSection) -> bool:
        """Take the server's key out of its answer; False when there is none that fits."""
        words = (section.attribute("crypto") or "").split()
        if len(words) < 3 or words[1] != SUITE or not words[2].startswith("inline:"):
            return False
        self.use(base64.b64decode(words[2].removeprefix("inline:").partition("|")[0]))
        return True

    def use(self, key: bytes) -> None:
        """Open what comes with the server's key, salt and all."""
        self._inbound = Session(_policy(key, Policy.SSRC_ANY_INBOUND))

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet, encrypted."""
        return bytes(self._outbound.protect(packet))

    def unprotect(self, packet: bytes) -> bytes | None:
        """The RTP packet in an SRTP packet; None when it is not authentic."""
        if self._inbound is None:
            return None
        try:
            return bytes(self._inbound.unprotect(packet))
        except Error:
            return None


def _policy(key: bytes, direction: int) -> Policy:
    return Policy(key=key, ssrc_type=direction, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
