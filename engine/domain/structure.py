"""Who belongs to what: users and groups in groups, domains and companies, as rights and parameters see it.

One reading of the store, never changed, replaced as a whole. Nothing in it crosses a company: a membership
that does, whatever wrote it, is left out, so that no answer made from it can tell of another company.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Path = tuple[str, ...]
"""Identities from a member up to what it is in, both included; one step each."""


@dataclass(frozen=True, slots=True)
class Node:
    """Something that can be a member, or can have members, or both: a user, a group, a queue, a domain, a company.

    company: the identity of its company; a company's own. domain: that of its domain; None of a company.
    """

    uid: str
    company: str
    domain: str | None = None


class Structure:
    """The nodes by identity, and what each of them is in."""

    def __init__(self, nodes: Iterable[Node] = (), memberships: Iterable[tuple[str, str]] = ()) -> None:
        """memberships: pairs of a member and the group, or queue, it is in."""
        self._nodes: Mapping[str, Node] = {each.uid: each for each in nodes}
        self._in: dict[str, list[str]] = {}
        for member, container in memberships:
            one, other = self._nodes.get(member), self._nodes.get(container)
            if one is not None and other is not None and one.company == other.company:
                self._in.setdefault(member, []).append(container)
        for containers in self._in.values():
            containers.sort()

    def find(self, uid: str) -> Node | None:
        """The node of this identity."""
        return self._nodes.get(uid)

    def groups_of(self, uid: str) -> dict[str, Path]:
        """Every group and queue that ``uid`` is in, itself or by another group, with the shortest way there.

        Nearest first; of equally near ones in the order of their identities. A ring of groups ends where it began.
        """
        paths: dict[str, Path] = {uid: (uid,)}
        level = [uid]
        while level:
            above: list[str] = []
            for member in level:
                for container in self._in.get(member, ()):
                    if container not in paths:
                        paths[container] = (*paths[member], container)
                        above.append(container)
            level = sorted(above)
        del paths[uid]
        return dict(sorted(paths.items(), key=lambda each: (len(each[1]), each[0])))

    def above(self, uid: str) -> dict[str, Path]:
        """``uid`` itself, the groups it is in, its domain, its company: what a rule about it may name."""
        node = self._nodes.get(uid)
        if node is None:
            return {}
        found: dict[str, Path] = {uid: (uid,), **self.groups_of(uid)}
        for outer in (node.domain, node.company):
            if outer is not None:
                found.setdefault(outer, (uid, outer))
        return found
