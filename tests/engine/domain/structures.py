"""Strategies for structures: two companies, their domains, users and groups, and memberships of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from engine.domain.structure import Node, Structure

COMPANIES = ("cmp_a", "cmp_b")
DOMAINS = {"dom_a1": "cmp_a", "dom_a2": "cmp_a", "dom_b1": "cmp_b"}
USERS = {f"usr_{domain[4:]}_{index}": domain for domain in DOMAINS for index in range(3)}
GROUPS = {f"grp_{domain[4:]}_{index}": domain for domain in DOMAINS for index in range(3)}

NODES = (
    *(Node(each, each) for each in COMPANIES),
    *(Node(each, company, each) for each, company in DOMAINS.items()),
    *(Node(each, DOMAINS[domain], domain) for each, domain in {**USERS, **GROUPS}.items()),
)
COMPANY_OF = {each.uid: each.company for each in NODES}
DOMAIN_OF = {each.uid: each.domain for each in NODES}

uids = st.sampled_from([each.uid for each in NODES])
users = st.sampled_from(list(USERS))
memberships = st.lists(
    st.tuples(st.sampled_from([*USERS, *GROUPS]), st.sampled_from(list(GROUPS))), max_size=24
)


def structure(*pairs: tuple[str, str]) -> Structure:
    """The nodes above, with these memberships."""
    return Structure(NODES, pairs)


def reached(uid: str, pairs: list[tuple[str, str]]) -> set[str]:
    """What ``uid`` is in, by the definition: the closure within its company, in the slowest way."""
    within = {(one, other) for one, other in pairs if COMPANY_OF[one] == COMPANY_OF[other]}
    found = {uid}
    while more := {other for one, other in within if one in found} - found:
        found |= more
    return found - {uid}
