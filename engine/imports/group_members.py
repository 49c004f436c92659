"""Who is in a group of a directory, through groups in groups; for servers that cannot tell themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.dn import parse_dn

GROUP_ATTRIBUTES = ("member", "uniqueMember")
GROUPS_FILTER = "(|(member=*)(uniqueMember=*))"
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


class Groups:
    """The groups of a directory and who is in each."""

    def __init__(self) -> None:
        self._members: dict[str, list[str]] = {}

    def add(self, name: str, members: Iterable[str]) -> None:
        """A group by its DN, with those of its members."""
        self._members[canonical(name)] = [canonical(each) for each in members]

    def members(self, group: str) -> frozenset[str]:
        """Everybody in it, directly or not, as ``canonical`` writes them; groups may be in each other."""
        found: set[str] = set()
        waiting = [canonical(group)]
        while waiting:
            for each in self._members.get(waiting.pop(), ()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return frozenset(found)


def canonical(name: str) -> str:
    """A DN as it is compared: without case, without blanks around its parts; what is none stays as it is."""
    if "\\" not in name and '"' not in name and "+" not in name:  # the usual case, a fiftieth of the time
        return ",".join("=".join(map(str.strip, part.split("=", 1))) for part in name.casefold().split(","))
    try:
        parts = parse_dn(name, escape=False, strip=True)
    except LDAPInvalidDnError:
        return name.casefold()
    return ",".join(f"{kind}={_plain(value)}".casefold() for kind, value, _separator in parts)


def _plain(value: str) -> str:
    """A value with the one escape a comma needs, however it was escaped (RFC 4514 section 2.4)."""
    octets = _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].decode()) if len(found[1]) == 2 else found[1], value.encode()
    )
    return octets.decode("utf-8", errors="replace").replace("\\", "\\\\").replace(",", "\\,")


def common_base(one: str, other: str) -> str:
    """The longest DN both lie below; of two that share nothing, what ``other`` lies in."""
    ones, others = _parts(one), _parts(other)
    common: list[str] = []
    for mine, theirs in zip(reversed(ones), reversed(others), strict=False):
        if canonical(mine) != canonical(theirs):
            break
        common.insert(0, theirs)
    return ",".join(common or others[1:] or others)


def _parts(name: str) -> list[str]:
    return [f"{kind}={value}" for kind, value, _separator in parse_dn(name, escape=False, strip=True)]
