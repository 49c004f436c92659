"""Rules a key's value obeys beyond its type: named in ``sections``, said in words in the documentation.

A rule takes the value and answers whether it holds; its words complete "expected ...".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from engine.mail.address import MAIL_ADDRESS

HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253})")
REALM = re.compile(r"[A-Za-z0-9._@-]{1,100}")
PLUGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(:[A-Za-z_][A-Za-z0-9_]{0,99})?")
NUMBER = re.compile(r"[A-Za-z0-9*#+_]{0,32}")
LINK = re.compile(r"https?://[!-~]{1,500}")
TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
LONGEST_LINE = 100
PORT_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")
SMALLEST_PORT_RANGE = 8


class Rule(NamedTuple):
    """One named rule."""

    words: str
    holds: Callable[[str], bool]
    each: bool = False  # the key is a list and the rule is for its members
    filled: bool = False  # an empty list is refused


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_line(text: str) -> bool:
    return len(text) <= LONGEST_LINE and text.isprintable()


def _is_template(text: str) -> bool:
    """Whether {number} is all that stands in braces."""
    return not set(text.replace("{number}", "")) & {"{", "}", '"', "<", ">"}


def _is_port_range(text: str) -> bool:
    match = PORT_RANGE.fullmatch(text)
    if match is None:
        return False
    first, last = int(match[1]), int(match[2])
    return first >= 1024 and last <= 65_535 and last - first + 1 >= SMALLEST_PORT_RANGE


def _is_store_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    if parts.scheme == "sqlite":
        return text.startswith("sqlite:///") and len(text) > len("sqlite:///")
    return parts.scheme in {"postgresql", "postgresql+psycopg"} and len(parts.path) > 1


RULES: dict[str, Rule] = {
    "time_of_day": Rule("a time from 00:00 to 23:59", lambda text: TIME_OF_DAY.fullmatch(text) is not None),
    "address": Rule("an IPv4 or IPv6 address", _is_address),
    "addresses": Rule("a list of at least one IPv4 or IPv6 address", _is_address, each=True, filled=True),
    "networks": Rule(
        "a list of networks such as 192.0.2.0/24, without bits set behind the prefix", _is_network, each=True
    ),
    "host": Rule(
        "a host name, an address or nothing",
        lambda text: text == "" or _is_address(text) or HOST_NAME.fullmatch(text) is not None,
    ),
    "mail_address": Rule(
        "an e-mail address such as zoe@example.com, or nothing",
        lambda text: text == "" or MAIL_ADDRESS.fullmatch(text) is not None,
    ),
    "line": Rule(f"at most {LONGEST_LINE} printable characters", lambda text: _is_line(text)),
    "lines": Rule(
        f"a list of texts of 1 to {LONGEST_LINE} printable characters",
        lambda text: text != "" and _is_line(text),
        each=True,
    ),
    "link": Rule(
        "a web address, with {number} in it or not, or nothing",
        lambda text: text == "" or (LINK.fullmatch(text) is not None and _is_template(text)),
    ),
    "names": Rule("a list of host names", lambda text: HOST_NAME.fullmatch(text) is not None, each=True),
    "realm": Rule(
        "1 to 100 letters, digits, dots, hyphens, underscores or @",
        lambda text: REALM.fullmatch(text) is not None,
    ),
    "header": Rule(
        "1 to 100 printable ASCII characters",
        lambda text: 0 < len(text) <= 100 and text.isascii() and text.isprintable(),
    ),
    "trace": Rule(
        "all, a number of up to 32 letters, digits or *#+_, or nothing",
        lambda text: NUMBER.fullmatch(text) is not None,
    ),
    "port_range": Rule(
        f"first-last, two ports from 1024 to 65535 with at least {SMALLEST_PORT_RANGE} ports in all",
        _is_port_range,
    ),
    "file": Rule("a file that exists and can be read", lambda text: text == "" or _is_readable(text)),
    "path": Rule("a path", lambda text: "\0" not in text),
    "store_url": Rule(
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE",
        lambda text: text == "" or _is_store_url(text),
    ),
    "plugins": Rule(
        "a list of plug-ins, each the name of an entry point or module:factory",
        lambda text: PLUGIN.fullmatch(text) is not None,
        each=True,
    ),
    "some": Rule("a list of at least one, none twice", lambda text: True, each=True, filled=True),
}
PATHS = frozenset({"file", "path"})


def _is_readable(text: str) -> bool:
    try:
        with Path(text).open("rb"):
            return True
    except OSError:
        return False


def obeys(rule: Rule, value: object) -> bool:
    """Whether ``value``, already of the key's type, obeys the rule."""
    if not rule.each:
        return isinstance(value, str) and rule.holds(value)
    members = value if isinstance(value, list) else []
    if rule.filled and not members:
        return False
    return len(set(members)) == len(members) and all(rule.holds(member) for member in members)
