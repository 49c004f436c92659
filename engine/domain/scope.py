"""Names that several companies may each have: the line 200, the link pbx, the room 9001.

Within the engine each is told apart by its company: ``200`` is the line of the default company, ``200@2`` that of
company 2. Neither numbers nor names of links have an ``@``, so nothing from the network can be mistaken for it.
"""

from __future__ import annotations

DEFAULT_COMPANY = 1
"""The id of the company every store begins with, to which belongs what is said to be nobody else's."""
DEFAULT_DOMAIN = 1
"""The id of its first domain."""


def scoped(name: str, company: int) -> str:
    """``name`` as the engine knows it: alone in the default company, else with its company."""
    return name if company == DEFAULT_COMPANY else f"{name}@{company}"


def company_of(name: str) -> int:
    """Whose a scoped name is."""
    company = name.rpartition("@")[2]
    return DEFAULT_COMPANY if company == name else int(company)


def scope_of(company: int) -> str:
    """What is behind the names of a company."""
    return scoped("", company)


def plain(name: str) -> str:
    """A scoped name as its company knows it, and as people and phones are told."""
    return name.partition("@")[0]
