"""SDP security descriptions for SRTP (RFC 4568, with the suites of RFC 7714): ``a=crypto`` lines and our keys.

Each side writes down the key it sends with. Keys are secrets: no ``repr``, error or counter here shows one, and
``without_keys`` makes a description fit to be shown. What we cannot do is refused line by line, never guessed: a master
key identifier (MKI), several keys in one line, derivation rates, unencrypted or unauthenticated streams, FEC, and
session parameters we do not know (section 6.3).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sip.sdp import MediaSection, SdpError, number

SECURE_PROFILES = frozenset({"RTP/SAVP", "RTP/SAVPF"})

MAX_LIFETIME = 1 << 48
"""Packets under one key (RFC 3711 section 9.2)."""
LEAST_LIFETIME = 1 << 20
"""Packets; we do not change keys by ourselves, and this many are six hours of sound."""


class Suite(NamedTuple):
    """A crypto suite. Sizes in octets."""

    name: str
    key_size: int
    salt_size: int

    @property
    def size(self) -> int:
        """Octets of key and salt together, as they stand in ``inline:``."""
        return self.key_size + self.salt_size


SUITES = (
    Suite("AEAD_AES_128_GCM", 16, 12),
    Suite("AEAD_AES_256_GCM", 32, 12),
    Suite("AES_CM_128_HMAC_SHA1_80", 16, 14),
    Suite("AES_CM_128_HMAC_SHA1_32", 16, 14),
)
"""What we offer, in our order: GCM costs the least processor and has the longest tags (RFC 7714 section 14.2)."""
_BY_NAME = {suite.name: suite for suite in SUITES}

_LINE = re.compile(r"([0-9]{1,9})[ \t]+([A-Za-z0-9_]+)[ \t]+(\S+)((?:[ \t]+\S+)*)[ \t]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_WINDOW = re.compile(r"WSH=[0-9]{2,10}")
_KEYS = re.compile(rb"(?i)(inline:)[^\s|;]*")


class CryptoError(Exception):
    """A crypto line that is not valid, or asks for what we do not do; ``label`` is a stable word."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


@dataclass(frozen=True, slots=True)
class Crypto:
    """One ``a=crypto`` line that we can use. ``key``: master key and salt."""

    tag: int
    suite: Suite
    key: bytes = field(repr=False)
    lifetime: int | None = None

    @classmethod
    def parse(cls, value: str) -> Crypto:
        """Read the value of the attribute (section 9.2 has its grammar).

        Raises CryptoError: ``syntax``, ``suite``, ``key_length``, ``lifetime``, ``mki``, ``keys``, ``parameter``.
        """
        match = _LINE.fullmatch(value)
        if match is None:
            raise CryptoError("syntax")
        tag, name, key_params, session = match.groups()
        suite = _BY_NAME.get(name)
        if suite is None:
            raise CryptoError("suite")
        if ";" in key_params:
            raise CryptoError("keys")  # several keys need an MKI to be told apart
        key, lifetime = _read_inline(key_params, suite)
        for parameter in session.split():
            # "-": may be passed over (section 6.3.7). WSH is but advice (6.3.6). Everything else changes what is sent.
            if not parameter.startswith("-") and not _WINDOW.fullmatch(parameter):
                raise CryptoError("parameter")
        return cls(int(tag), suite, key, lifetime)

    def serialise(self) -> str:
        """The value of the attribute, key and all."""
        text = f"{self.tag} {self.suite.name} inline:{base64.b64encode(self.key).decode()}"
        return text if self.lifetime is None else f"{text}|{self.lifetime}"


def _read_inline(text: str, suite: Suite) -> tuple[bytes, int | None]:
    """``inline:<key||salt>["|" lifetime]["|" MKI ":" length]`` (section 6.1)."""
    method, colon, info = text.partition(":")
    if method.lower() != "inline" or not colon:
        raise CryptoError("syntax")
    encoded, *rest = info.split("|")
    if any(":" in each for each in rest):
        raise CryptoError("mki")
    if len(rest) > 1:
        raise CryptoError("syntax")
    if not _BASE64.fullmatch(encoded):
        raise CryptoError("syntax")
    try:
        # section 6.1 wants padding; some leave it out
        key = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        raise CryptoError("key_length") from None
    if len(key) != suite.size:
        raise CryptoError("key_length")
    return key, _read_lifetime(rest[0]) if rest else None


def _read_lifetime(text: str) -> int:
    power = text.startswith("2^")
    digits = number(text[2:] if power else text, 48 if power else 9_999_999_999)
    lifetime = None if digits is None else (1 << digits if power else digits)
    if lifetime is None or not LEAST_LIFETIME <= lifetime <= MAX_LIFETIME:
        raise CryptoError("lifetime")
    return lifetime


def read_cryptos(section: MediaSection) -> list[Crypto]:
    """The lines of a stream that we can use, in its order; the others are passed over (section 7.1.2).

    Raises:
        SdpError: two lines have one tag, or there are lines and none of them can be used (488).
    """
    values = [value or "" for name, value in section.attributes if name == "crypto"]
    tags = [value.split(maxsplit=1)[0] if value.split() else "" for value in values]
    if len(set(tags)) != len(tags):
        raise SdpError("sdp_crypto_tag")
    found: list[Crypto] = []
    problem = ""
    for value in values:
        try:
            found.append(Crypto.parse(value))
        except CryptoError as error:
            problem = problem or error.label
    if values and not found:
        raise SdpError(f"sdp_crypto_{problem}")
    return found


class Keys(NamedTuple):
    """What both directions of a stream are protected with, as the suite's name and two master keys."""

    suite: str
    send: bytes
    receive: bytes

    def __repr__(self) -> str:
        return f"Keys(suite={self.suite!r})"


class OwnKeys:
    """Our master keys of one call: one a suite, drawn when it is first needed.

    A key stays as long as the call and the peer's address do, so that a re-offer changes nothing. Where the peer's
    key is another one and its address moved, somebody else may be there, who does not know how often our numbers
    wrapped: ours is drawn anew.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._keys: dict[Suite, bytes] = {}
        self._peer: tuple[bytes, str, int] | None = None

    def __repr__(self) -> str:
        return f"OwnKeys({', '.join(suite.name for suite in self._keys)})"

    def of(self, suite: Suite) -> bytes:
        """Our key of a suite."""
        key = self._keys.get(suite)
        if key is None:
            key = self._keys[suite] = self._random_bytes(suite.size)
        return key

    def towards(self, suite: Suite, key: bytes, host: str, port: int) -> bytes:
        """Our key in the answer to an offer with this key, from there."""
        before, self._peer = self._peer, (key, host, port)
        if before is not None and before[0] != key and before[1:] != (host, port):
            self._keys.clear()
        return self.of(suite)

    def state(self) -> dict[str, bytes]:
        """The keys drawn so far, by suite, for a process that goes on with the call."""
        return {suite.name: key for suite, key in self._keys.items()}

    def restore(self, keys: dict[str, bytes]) -> None:
        """Go on with the keys of another process."""
        self._keys = {_BY_NAME[name]: key for name, key in keys.items() if name in _BY_NAME}

    def offers(self) -> list[Crypto]:
        """A line for every suite, preferred first."""
        return [Crypto(tag, suite, self.of(suite)) for tag, suite in enumerate(SUITES, 1)]


class Security(NamedTuple):
    """What one side may do about SRTP in a negotiation.

    keys: None: nothing. required: no plain RTP. best_effort: keys are also offered, and taken, beside plain RTP/AVP
    (RFC 8643).
    """

    keys: OwnKeys | None = None
    required: bool = False
    best_effort: bool = False


PLAIN = Security()


def answer_keys(
    section: MediaSection, security: Security, host: str, port: int
) -> tuple[Crypto, Keys] | None:
    """Our line in the answer to an offered stream, and the keys agreed on; None: plain RTP.

    Raises:
        SdpError: the stream's profile, or its lack of usable keys, is not acceptable to us (488).
    """
    secure = section.protocol in SECURE_PROFILES
    own = security.keys
    if own is None or not (secure or security.best_effort):
        if secure:
            raise SdpError("sdp_profile")
        if security.required:
            raise SdpError("srtp_required")
        return None
    offered = read_cryptos(section)
    if not offered:
        if secure:
            raise SdpError("sdp_crypto_missing")
        if security.required:
            raise SdpError("srtp_required")
        return None
    theirs = offered[0]  # the offerer's order decides (section 5.1.2)
    key = own.towards(theirs.suite, theirs.key, host, port)
    _refuse_reflected(key, theirs.key)
    return Crypto(theirs.tag, theirs.suite, key), Keys(theirs.suite.name, key, theirs.key)


def accepted_keys(mine: MediaSection, theirs: MediaSection) -> Keys | None:
    """The keys that an answer to our own offer settles (section 5.1.3); None: plain RTP.

    Raises:
        SdpError: the answer changes the profile, or chooses what we did not offer.
    """
    secure = mine.protocol in SECURE_PROFILES
    if secure != (theirs.protocol in SECURE_PROFILES):
        raise SdpError("sdp_profile")
    if mine.attribute("crypto") is None or theirs.attribute("crypto") is None:
        if secure:
            raise SdpError("sdp_crypto_missing")
        return None
    chosen = read_cryptos(theirs)
    offered = {each.tag: each for each in read_cryptos(mine)}
    if len(chosen) != 1 or len([name for name, _ in theirs.attributes if name == "crypto"]) != 1:
        raise SdpError("sdp_crypto_choice")
    ours = offered.get(chosen[0].tag)
    if ours is None or ours.suite != chosen[0].suite:
        raise SdpError("sdp_crypto_choice")
    _refuse_reflected(ours.key, chosen[0].key)
    return Keys(ours.suite.name, ours.key, chosen[0].key)


def _refuse_reflected(own: bytes, theirs: bytes) -> None:
    """One key in both directions would be a key stream used twice (RFC 3711 section 9.1)."""
    if own == theirs:
        raise SdpError("sdp_crypto_reflected")


def offer_protocol(security: Security, before: str | None) -> tuple[str, bool]:
    """The profile to offer, and whether with keys; ``before``: of our last description in this session.

    Raises:
        SdpError: SRTP is required and may not be offered.
    """
    if security.keys is None:
        if security.required:
            raise SdpError("srtp_insecure_signalling")
        return "RTP/AVP", False
    if before in SECURE_PROFILES and before is not None:
        return before, True  # a call that is secure stays so
    if security.required:
        return "RTP/SAVP", True
    return "RTP/AVP", security.best_effort


def crypto_lines(cryptos: Iterable[Crypto]) -> Sequence[str]:
    """The lines of a description."""
    return [f"a=crypto:{each.serialise()}" for each in cryptos]


def without_keys(text: bytes) -> bytes:
    """A description, or a message with one, with asterisks for each key."""
    return _KEYS.sub(rb"\1***", text)
