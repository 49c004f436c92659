"""Digest authentication: its arithmetic and its two headers (RFC 7616, RFC 8760, RFC 3261 section 22.4).

Unsupported on purpose: userhash and ``username*`` (no phone sends them), Authentication-Info (RFC 3261
makes it optional and a SIP client can do nothing with it).
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sip.errors import Misuse, ParseError
from sip.grammar import TOKEN, closing_quote, quote, split_list, unquote

PREFERENCE: Final = ("SHA-256", "SHA-512-256", "MD5")
"""Hash functions we know, the one we would rather use first; each also with ``-sess``."""

MAX_PARAMETERS = 32  # a challenge has nine at most; more is an attack on our memory

_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_SESS: Final = "-sess"
_NAMES: Final = {name.lower(): name for base in PREFERENCE for name in (base, base + _SESS)}
_HEX: Final = frozenset(string.hexdigits)


def base_algorithm(algorithm: str) -> str:
    """Give the hash function of an algorithm: ``MD5`` for ``MD5-sess``."""
    return algorithm.removesuffix(_SESS)


def is_supported(algorithm: str) -> bool:
    """Tell whether we can compute this algorithm (canonical spelling)."""
    return base_algorithm(algorithm) in _HASHES


def ha1(username: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """Hash user, realm and password: what is stored instead of the password.

    It is the same with ``-sess`` and without.
    """
    return _hash(base_algorithm(algorithm), f"{username}:{realm}:{password}")


def digest_response(
    algorithm: str,
    secret: str,
    *,
    nonce: str,
    method: str,
    uri: str,
    qop: str | None = None,
    nc: str = "",
    cnonce: str = "",
    body: bytes = b"",
) -> str:
    """Compute ``response`` from HA1 ``secret``.

    RFC 7616 section 3.4.1; without qop RFC 2617 section 3.2.2.1.
    """
    base = base_algorithm(algorithm)
    if algorithm.endswith(_SESS):
        secret = _hash(base, f"{secret}:{nonce}:{cnonce}")
    a2 = f"{method}:{uri}"
    if qop == "auth-int":
        a2 += ":" + hashlib.new(_HASHES[base], body).hexdigest()
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return _hash(base, f"{secret}:{middle}:{_hash(base, a2)}")


def same(ours: str, theirs: str) -> bool:
    """Compare two hashes in constant time, hexadecimal digits of either case."""
    return hmac.compare_digest(_octets(ours), _octets(theirs.lower()))


@dataclass(frozen=True, slots=True)
class Challenge:
    """One Digest challenge of WWW-Authenticate or Proxy-Authenticate."""

    realm: str
    nonce: str
    algorithm: str | None = None
    """Canonical when known to us, as the peer wrote it otherwise; None: not said, so MD5."""
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False
    domain: str | None = None

    @classmethod
    def parse_all(cls, text: str) -> list[Challenge]:
        """Read the Digest challenges of one header; other schemes are passed over. Raises ParseError."""
        return [cls._from(params) for scheme, params in _schemes(text) if scheme == "digest"]

    @classmethod
    def _from(cls, params: dict[str, str]) -> Challenge:
        _require(params, "realm", "nonce")
        return cls(
            realm=params["realm"],
            nonce=params["nonce"],
            algorithm=_canonical(params.get("algorithm")),
            qop=tuple(
                part.strip(" \t").lower() for part in params.get("qop", "").split(",") if part.strip(" \t")
            ),
            opaque=params.get("opaque"),
            stale=params.get("stale", "").lower() == "true",
            domain=params.get("domain"),
        )

    def __str__(self) -> str:
        """Write the header's value."""
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        if self.algorithm is not None:
            parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f"qop={quote(','.join(self.qop))}")
        if self.stale:
            parts.append("stale=true")
        for name, value in (("opaque", self.opaque), ("domain", self.domain)):
            if value is not None:
                parts.append(f"{name}={quote(value)}")
        return "Digest " + ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The Digest answer of Authorization or Proxy-Authorization."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str | None = None
    qop: str | None = None
    nc: str = ""
    """Eight hexadecimal digits as sent: they are part of what is hashed."""
    cnonce: str = ""
    opaque: str | None = None

    @property
    def count(self) -> int:
        """The nonce count; 0 without qop."""
        return int(self.nc, 16) if self.nc else 0

    @classmethod
    def parse(cls, text: str) -> Authorization | None:
        """Read one header; None when it is of another scheme. Raises ParseError."""
        found = [params for scheme, params in _schemes(text) if scheme == "digest"]
        if not found:
            return None
        if len(found) > 1:
            raise ParseError("digest_repeated", "expected one set of credentials in a header")
        return cls._from(found[0])

    @classmethod
    def _from(cls, params: dict[str, str]) -> Authorization:
        _require(params, "username", "realm", "nonce", "uri", "response")
        qop = params.get("qop")
        nc = params.get("nc", "")
        if qop:
            _require(params, "nc", "cnonce")
            if len(nc) != 8 or not _HEX.issuperset(nc):
                raise ParseError("digest_nc", "expected eight hexadecimal digits")
        return cls(
            username=params["username"],
            realm=params["realm"],
            nonce=params["nonce"],
            uri=params["uri"],
            response=params["response"],
            algorithm=_canonical(params.get("algorithm")),
            qop=qop.lower() if qop else None,
            nc=nc if qop else "",
            cnonce=params.get("cnonce", ""),
            opaque=params.get("opaque"),
        )

    def __str__(self) -> str:
        """Write the header's value."""
        quoted = {
            "username": self.username,
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": self.uri,
            "response": self.response,
        }
        parts = [f"{name}={quote(value)}" for name, value in quoted.items()]
        if self.algorithm is not None:
            parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            # RFC 3261 section 25.1: neither qop nor nc stands in quotes here
            parts += [f"cnonce={quote(self.cnonce)}", f"qop={self.qop}", f"nc={self.nc}"]
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        return "Digest " + ", ".join(parts)

    def expected(self, secret: str, method: str, body: bytes) -> str:
        """Compute what ``response`` has to be when HA1 is ``secret``."""
        return digest_response(
            self.algorithm or "MD5",
            secret,
            nonce=self.nonce,
            method=method,
            uri=self.uri,
            qop=self.qop,
            nc=self.nc,
            cnonce=self.cnonce,
            body=body,
        )


def _schemes(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Split a header into schemes (lower case) and the parameters of those that are Digest."""
    scheme = ""
    params: dict[str, str] = {}
    for element in split_list(text):
        if not element:
            continue
        found = TOKEN.match(element)
        if found is None:
            if scheme in ("", "digest"):
                raise ParseError("digest_syntax", "expected a scheme or a parameter")
            continue  # credentials of a scheme that is not ours to read
        rest = element[found.end() :].lstrip(" \t")
        if not rest.startswith("="):
            if rest and rest[0] == element[found.end()]:
                raise ParseError("digest_syntax", "expected a blank after the scheme")
            if scheme:
                yield scheme, params
            scheme, params = found[0].lower(), {}
            element = rest
        if scheme == "digest" and element:
            _add_parameter(params, element)
        elif not scheme:
            raise ParseError("digest_syntax", "expected a scheme first")
    if scheme:
        yield scheme, params


def _add_parameter(params: dict[str, str], element: str) -> None:
    name, equal, value = element.partition("=")
    name = name.rstrip(" \t").lower()
    value = value.lstrip(" \t")
    if not equal or not TOKEN.fullmatch(name):
        raise ParseError("digest_syntax", "expected name=value")
    if name in params:
        raise ParseError("digest_repeated", "a parameter stands twice")
    if len(params) >= MAX_PARAMETERS:
        raise ParseError("digest_size", f"at most {MAX_PARAMETERS} parameters")
    if value.startswith('"'):
        if closing_quote(value, 0) != len(value) - 1:
            raise ParseError("digest_syntax", "text after a quoted value")
        value = unquote(value[1:-1])
    elif not value or not value.isprintable() or " " in value or '"' in value:
        raise ParseError("digest_syntax", "expected a value")
    params[name] = value


def _require(params: dict[str, str], *names: str) -> None:
    for name in names:
        if name not in params:
            raise ParseError("digest_incomplete", f"expected {name}")


def _canonical(algorithm: str | None) -> str | None:
    return None if algorithm is None else _NAMES.get(algorithm.lower(), algorithm)


def _hash(base: str, text: str) -> str:
    name = _HASHES.get(base)
    if name is None:
        raise Misuse(f"no such digest algorithm: {base}")
    return hashlib.new(name, _octets(text)).hexdigest()


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
