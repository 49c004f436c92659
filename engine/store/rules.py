"""What a record's fields must hold before it is stored; ``Invalid`` names the field and what was expected."""

from __future__ import annotations

import json
import re

from engine.store.errors import Invalid
from engine.store.records import DTMF_MODES, AutomateRange, Line, Link, Prompt

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NUMBER = re.compile(r"[A-Za-z0-9*#+_]{1,32}")  # dots and hyphens are separators, RFC 3966 section 5.1.1
DIGITS = re.compile(r"[0-9]{1,32}")
PREFIX = re.compile(r"[0-9*#+]{1,32}")
HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]{0,254}")
WORD = re.compile(r"[a-z][a-z0-9_-]{0,31}")
TRANSPORTS = ("udp", "tcp", "tls")
SRTP_MODES = ("off", "optional", "required")
LARGEST_RANGE = 10_000
LONGEST_PREFIXES = 255
LARGEST_PARAMETERS = 16_384


def check_link(link: Link) -> None:
    """Refuse a link that could not work."""
    _match(NAME, "name", link.name, "1 to 64 letters, digits, dots, hyphens or underscores")
    _match(HOST, "host", link.host, "a host name or an address, IPv6 without brackets")
    if link.port is not None and not 1 <= link.port <= 65_535:
        raise Invalid("port", "1 to 65535, or none")
    if link.transport not in TRANSPORTS:
        raise Invalid("transport", " or ".join(TRANSPORTS))
    if link.dtmf not in DTMF_MODES:
        raise Invalid("dtmf", " or ".join(DTMF_MODES))
    _match(WORD, "pbx_type", link.pbx_type, "a lower-case word such as generic")
    for field in ("realm", "username", "password"):
        _one_line(field, getattr(link, field), 255)
    if len(link.dialled_prefixes) > LONGEST_PREFIXES:
        raise Invalid("dialled_prefixes", f"at most {LONGEST_PREFIXES} characters")
    for prefix in link.prefixes:
        _match(PREFIX, "dialled_prefixes", prefix, "digits or *#+, separated by spaces")
    _srtp(link.srtp)
    if link.rate_limit is not None and not 1 <= link.rate_limit <= 1_000_000:
        raise Invalid("rate_limit", "1 to 1000000 requests/s, or none")
    if link.nat and link.symmetric:
        raise Invalid("symmetric", "false behind NAT: its media does not come from where its SDP says")


def check_automate_range(automates: AutomateRange) -> None:
    """Refuse a range whose numbers cannot be counted, or are too many."""
    _match(DIGITS, "first_number", automates.first_number, "1 to 32 digits")
    if not 1 <= automates.count <= LARGEST_RANGE:
        raise Invalid("count", f"1 to {LARGEST_RANGE} numbers")
    if len(automates.last_number) != len(automates.first_number):
        raise Invalid("count", "a last number with as many digits as the first")
    _match(WORD, "application", automates.application, "a lower-case word such as echo")
    _one_line("password", automates.password, 255)
    if len(json.dumps(dict(automates.parameters))) > LARGEST_PARAMETERS:
        raise Invalid("parameters", f"at most {LARGEST_PARAMETERS} characters of JSON")


def check_line(line: Line) -> None:
    """Refuse a line nobody could register."""
    _match(NUMBER, "number", line.number, "1 to 32 letters, digits or *#+_")
    _one_line("display_name", line.display_name, 128)
    _one_line("realm", line.realm, 255)
    _srtp(line.srtp)
    if not line.ha1:
        raise Invalid("ha1", "at least one digest algorithm")


def check_prompt(prompt: Prompt) -> None:
    """Refuse a prompt without a usable name."""
    check_name(prompt.name)
    if prompt.seconds <= 0:
        raise Invalid("seconds", "more than 0")


def check_name(name: str) -> None:
    """Refuse a name that could not be typed on a command line or stand in a path."""
    _match(NAME, "name", name, "1 to 64 letters, digits, dots, hyphens or underscores")


def printable(text: str, length: int) -> str:
    """``text`` from the network, safe to keep: cut to ``length``, control characters become spaces."""
    return "".join(character if character.isprintable() else " " for character in text[:length])


def _srtp(mode: str | None) -> None:
    if mode is not None and mode not in SRTP_MODES:
        raise Invalid("srtp", " or ".join(SRTP_MODES))


def _match(pattern: re.Pattern[str], field: str, value: str, expected: str) -> None:
    if pattern.fullmatch(value) is None:
        raise Invalid(field, expected)


def _one_line(field: str, value: str | None, length: int) -> None:
    if value is not None and (len(value) > length or not value.isprintable()):
        raise Invalid(field, f"at most {length} characters on one line")
