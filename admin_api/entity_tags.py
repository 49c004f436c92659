"""Entity tags (RFC 9110 section 8.8.3) and what a request demands of them (section 13.1).

A thing's tag is its version in quotes; that of a list is a digest of its octets.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from admin_api.guard import header

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR = re.compile(r"[ \t]*,[ \t]*")
_LONGEST_VERSION = 18
NO_VERSION = 0
"""Matches nothing: the first version is 1."""


class BadTag(ValueError):
    """A header that is no list of entity tags."""


def tag_of(version: int) -> bytes:
    """The ETag of a thing."""
    return b'"%d"' % version


def tag_of_octets(data: bytes) -> bytes:
    """The ETag of an answer that has no version."""
    return b'"%s"' % hashlib.blake2b(data, digest_size=12).hexdigest().encode()


def parse(text: str) -> list[tuple[bool, str]] | None:
    """The tags of a header, each with whether it is weak; None: ``*``, whatever there is. Raises BadTag."""
    if text.strip() == "*":
        return None
    found = []
    at = 0
    text = text.strip(" \t")
    while at < len(text):
        match = _TAG.match(text, at)
        if match is None:
            raise BadTag
        found.append((match["weak"] is not None, match["opaque"]))
        at = match.end()
        if at < len(text):
            comma = _SEPARATOR.match(text, at)
            if comma is None:
                raise BadTag
            at = comma.end()
    return found


def demanded_versions(request: IRequest) -> frozenset[int] | None:
    """The versions If-Match allows; None: any. A weak tag matches none (section 13.1.1). Raises BadTag."""
    text = header(request, b"if-match")
    if not text:
        return None
    tags = parse(text)
    if tags is None:
        return None
    return frozenset(_version(opaque) for weak, opaque in tags if not weak) or frozenset({NO_VERSION})


def is_known(request: IRequest, tag: bytes) -> bool:
    """Whether If-None-Match says that the asker has it already; compared weakly (section 13.1.2). Raises BadTag."""
    text = header(request, b"if-none-match")
    if not text:
        return False
    tags = parse(text)
    ours = tag.decode("latin-1").strip('"')
    return tags is None or any(opaque == ours for _, opaque in tags)


def _version(opaque: str) -> int:
    right = opaque.isascii() and opaque.isdigit() and len(opaque) <= _LONGEST_VERSION
    return int(opaque) if right and not opaque.startswith("0") else NO_VERSION
