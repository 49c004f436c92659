"""Search filters of an import (RFC 4515): of what a person typed, of a group, nested in Active Directory's way."""

from __future__ import annotations

from enum import Enum

IN_CHAIN = "1.2.840.113556.1.4.1941"  # [MS-ADTS] 3.1.1.3.4.4.3, LDAP_MATCHING_RULE_TRANSITIVE_EVAL
ACCOUNT_DISABLED = 0x2  # userAccountControl, [MS-ADTS] 2.2.16, ADS_UF_ACCOUNTDISABLE


class Kind(Enum):
    """What sort of source an import reads."""

    LDAP = "ldap"
    ACTIVE_DIRECTORY = "active-directory"
    CSV = "csv"


DEFAULT_FILTERS = {
    Kind.LDAP: "(objectClass=person)",
    # Computers are users there too; a contact is a person and no user.
    Kind.ACTIVE_DIRECTORY: "(&(objectCategory=person)(objectClass=user))",
}
KEY_ATTRIBUTES = {Kind.LDAP: "entryUUID", Kind.ACTIVE_DIRECTORY: "objectGUID"}
ENABLED_ATTRIBUTE = "userAccountControl"


def escaped(value: str) -> str:
    """``value`` as an assertion value, RFC 4515 section 3: no character of it has a meaning."""
    return "".join(f"\\{ord(each):02x}" if each in "\0()*\\" else each for each in value)


def whole(text: str, kind: Kind) -> str:
    """The filter a person typed, with the brackets she left out; the usual one where she typed none."""
    text = text.strip()
    if not text:
        return DEFAULT_FILTERS[kind]
    return text if text.startswith("(") else f"({text})"


def of_members(people: str, group: str) -> str:
    """Those of ``people`` in the group with this DN, or in a group in it: the server finds the chain."""
    return f"(&{people}(memberOf:{IN_CHAIN}:={escaped(group)}))" if group else people


def account_enabled(flags: str) -> bool | None:
    """What userAccountControl says; None where it says nothing that can be read."""
    try:
        return not int(flags) & ACCOUNT_DISABLED
    except ValueError:
        return None
