"""SRTP written down from the RFCs, one packet at a time and with nothing of libsrtp: what the tests compare with."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

KEY_SIZES = {
    "AEAD_AES_128_GCM": (16, 12),
    "AEAD_AES_256_GCM": (32, 12),
    "AES_CM_128_HMAC_SHA1_80": (16, 14),
    "AES_CM_128_HMAC_SHA1_32": (16, 14),
}


def _counter_mode(key: bytes, iv: int, data: bytes) -> bytes:
    encryptor = Cipher(AES(key), CTR(iv.to_bytes(16, "big"))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def derive(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """RFC 3711 section 4.3.1 with a derivation rate of nought; a GCM salt is filled up (RFC 7714 section 11)."""
    wide = int.from_bytes(salt.ljust(14, b"\0"), "big")
    return _counter_mode(key, (wide ^ (label << 48)) << 16, bytes(size))


@dataclass
class Oracle:
    """One direction: ``protect`` with the roll-over counter given."""

    suite: str
    master: bytes

    def _split(self) -> tuple[bytes, bytes]:
        size, salt = KEY_SIZES[self.suite]
        assert len(self.master) == size + salt
        return self.master[:size], self.master[size:]

    def protect(self, packet: bytes, roc: int = 0) -> bytes:
        """An RTP packet without CSRCs and extension."""
        key, salt = self._split()
        header, payload = packet[:12], packet[12:]
        sequence, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
        index = (roc << 16) | sequence
        session, session_salt = derive(key, salt, 0, len(key)), derive(key, salt, 2, len(salt))
        if "GCM" in self.suite:  # RFC 7714 section 8.1
            iv = int.from_bytes(session_salt, "big") ^ ((ssrc << 48) | index)
            return header + AESGCM(session).encrypt(iv.to_bytes(12, "big"), payload, header)
        iv = (int.from_bytes(session_salt, "big") << 16) ^ (ssrc << 64) ^ (index << 16)
        sealed = header + _counter_mode(session, iv, payload)
        return sealed + self._tag(derive(key, salt, 1, 20), sealed + roc.to_bytes(4, "big"), rtcp=False)

    def protect_rtcp(self, packet: bytes, index: int) -> bytes:
        """A compound packet, encrypted."""
        key, salt = self._split()
        header, payload = packet[:8], packet[8:]
        ssrc = int.from_bytes(packet[4:8], "big")
        word = (0x80000000 | index).to_bytes(4, "big")
        session, session_salt = derive(key, salt, 3, len(key)), derive(key, salt, 5, len(salt))
        if "GCM" in self.suite:  # RFC 7714 section 9.1 to 9.3
            iv = int.from_bytes(session_salt, "big") ^ ((ssrc << 48) | index)
            return header + AESGCM(session).encrypt(iv.to_bytes(12, "big"), payload, header + word) + word
        iv = (int.from_bytes(session_salt, "big") << 16) ^ (ssrc << 64) ^ (index << 16)
        sealed = header + _counter_mode(session, iv, payload) + word
        return sealed + self._tag(derive(key, salt, 4, 20), sealed, rtcp=True)

    def _tag(self, key: bytes, data: bytes, *, rtcp: bool) -> bytes:
        size = 4 if self.suite.endswith("_32") and not rtcp else 10  # RFC 4568 section 6.2.2
        return hmac.new(key, data, hashlib.sha1).digest()[:size]
