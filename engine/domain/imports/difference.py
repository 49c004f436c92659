"""What an import changes: users as they are, against users as the source wants them.

A user is recognised by the source's key, which survives a new name, else by her login. Only users of the same import
are ever removed or disabled for being gone from the source; those made by hand, or by another import, never.

Who was disabled by the import is enabled again when the source has her back. Who was disabled by a person stays so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from engine.domain.folding import folded_key
from engine.domain.imports.candidate import LOGIN, NUMBER, Candidate, Ignored
from engine.domain.imports.mode import Mode

Change = tuple[str | bool, str | bool]  # before, after
EMAIL, ADDRESS = "email", "address"


class Action(Enum):
    """What becomes of one user."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DISABLED = "disabled"
    DELETED = "deleted"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Known:
    """A user of the domain as she is.

    owner: the import that made or took her, None: a person did. key: of that import. disabled_here: that import has
    disabled her. in_group: she is in the group this import puts its users into (True where there is none).
    """

    id: int
    values: Mapping[str, str]
    enabled: bool
    owner: int | None = None
    key: str = ""
    disabled_here: bool = False
    in_group: bool = True

    @property
    def login(self) -> str:
        """What she logs in with."""
        return self.values[LOGIN]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the report. reason, field: why one is ignored. known: the user, None for a new one."""

    action: Action
    login: str
    reference: str = ""
    reason: str = ""
    field: str = ""
    changes: Mapping[str, Change] = dataclasses.field(default_factory=dict)
    known: Known | None = None
    candidate: Candidate | None = None
    joins: bool = False

    @property
    def enables(self) -> bool | None:
        """The new state of the user, None where it stays."""
        change = self.changes.get("enabled")
        return None if change is None else bool(change[1])


@dataclass(frozen=True, slots=True)
class Difference:
    """Every outcome of one import, unchanged users included.

    spared: users who seem to be gone and were left alone, as an entry nobody can be recognised in may be one of them.
    """

    outcomes: Sequence[Outcome]
    spared: int = 0

    def of(self, *actions: Action) -> list[Outcome]:
        """The outcomes of these kinds."""
        return [outcome for outcome in self.outcomes if outcome.action in actions]

    @property
    def counts(self) -> dict[Action, int]:
        """How many of each."""
        counts = dict.fromkeys(Action, 0)
        for outcome in self.outcomes:
            counts[outcome.action] += 1
        return counts


class TooManyGone(Exception):
    """So many users are gone from the source that it is rather the source that is wrong."""

    def __init__(self, gone: int, users: int) -> None:
        super().__init__(f"{gone} of {users} users are gone from the source")
        self.gone = gone
        self.users = users


FEW = 10
"""So many may always be gone: a share of a small firm would stop every import."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rules of one import. largest_share: per cent of its users that may be gone at once; 100 asks nothing."""

    import_id: int
    mode: Mode
    largest_share: int = 20

    def compare(
        self,
        found: Iterable[Candidate | Ignored],
        users: Iterable[Known],
        reserved: Iterable[tuple[str, str]] = (),
    ) -> Difference:
        """Every entry of the source and every user of this import has one outcome. Raises TooManyGone.

        users: all of the domain. reserved: (field, value) that others of the company have, such as a room's number.
        """
        known = list(users)
        matching = _Matching(self.import_id, known)
        results: list[Candidate | Ignored] = list(found)
        pairs = [(each, matching.match(each)) for each in results]
        gone = self._gone(pairs, known)
        spared = 0
        if any(isinstance(each, Ignored) and not each.key for each in results):
            spared, gone = len(gone), []
        free = _FreeNames(known, gone if self.mode.deletes else [], reserved)
        outcomes = [self._outcome(each, match, free) for each, match in pairs]
        outcomes += [self._left(user) for user in gone]
        return Difference(outcomes, spared)

    def _gone(
        self, pairs: Sequence[tuple[Candidate | Ignored, Known | None]], known: Sequence[Known]
    ) -> list[Known]:
        """Users of this import that the source has no more. An entry that cannot be used is there all the same."""
        if not (self.mode.deletes or self.mode.disables):
            return []
        there = {match.id for each, match in pairs if match is not None and _is_there(each)}
        ours = [user for user in known if user.owner == self.import_id]
        gone = [user for user in ours if user.id not in there]
        active = [user for user in gone if self.mode.deletes or user.enabled]
        if len(active) > max(FEW, len(ours) * self.largest_share // 100):
            raise TooManyGone(len(active), len(ours))
        return gone

    def _outcome(self, each: Candidate | Ignored, match: Known | None, free: _FreeNames) -> Outcome:
        if isinstance(each, Ignored):
            return Outcome(Action.IGNORED, each.login, each.reference, each.reason, each.field, known=match)
        if match is not None and match.owner not in {None, self.import_id}:
            return _ignored(each, "other_import")
        if match is None and not self.mode.inserts:
            return _ignored(each, "not_here")
        if (field := free.taken(each, match)) is not None:
            return _ignored(each, "taken", field)
        return _created(each) if match is None else _updated(each, match, self.import_id)

    def _left(self, user: Known) -> Outcome:
        if self.mode.deletes:
            return Outcome(Action.DELETED, user.login, reason="gone", known=user)
        if not user.enabled:
            return Outcome(Action.UNCHANGED, user.login, reason="gone", known=user)
        return Outcome(
            Action.DISABLED, user.login, reason="gone", changes={"enabled": (True, False)}, known=user
        )


def _is_there(each: Candidate | Ignored) -> bool:
    """Whether its user stays; a disabled account that is to be left out is as good as gone."""
    return isinstance(each, Candidate) or each.reason != "account_disabled"


def _ignored(each: Candidate, reason: str, field: str = "") -> Outcome:
    return Outcome(Action.IGNORED, each.login, each.reference, reason, field, candidate=each)


def _created(each: Candidate) -> Outcome:
    changes: dict[str, Change] = {name: ("", value) for name, value in _wanted(each, {}).items() if value}
    if each.enabled is False:
        changes["enabled"] = (True, False)
    return Outcome(Action.CREATED, each.login, each.reference, changes=changes, candidate=each, joins=True)


def _updated(each: Candidate, user: Known, import_id: int) -> Outcome:
    changes: dict[str, Change] = {
        name: (user.values.get(name, ""), value)
        for name, value in _wanted(each, user.values).items()
        if user.values.get(name, "") != value
    }
    enabled = _enabled(each, user)
    if enabled != user.enabled:
        changes["enabled"] = (user.enabled, enabled)
    joins = not user.in_group
    taken = user.owner != import_id or user.key != each.key
    action = Action.UPDATED if changes or joins or taken else Action.UNCHANGED
    reason = "adopted" if user.owner != import_id else ""
    return Outcome(action, each.login, each.reference, reason, "", changes, user, each, joins)


def _wanted(each: Candidate, before: Mapping[str, str]) -> Mapping[str, str]:
    """What the user is to be; an address that is that of her mail follows it."""
    if EMAIL not in each.values or ADDRESS in each.values:
        return each.values
    old, new = before.get(EMAIL, ""), each.values[EMAIL]
    if before.get(ADDRESS, "") != address_of(old):
        return each.values
    return {**each.values, ADDRESS: address_of(new)}


def address_of(email: str) -> str:
    """The SIP address of who has this mail address."""
    return f"sip:{email}" if email else ""


def _enabled(each: Candidate, user: Known) -> bool:
    if each.enabled is False:
        return False
    return user.enabled or user.disabled_here


class _Matching:
    """Finds the user an entry means."""

    def __init__(self, import_id: int, known: Sequence[Known]) -> None:
        self._by_key = {user.key: user for user in known if user.owner == import_id and user.key}
        self._by_login = {folded_key(user.login): user for user in known}
        self._import_id = import_id
        self._matched: set[int] = set()

    def match(self, each: Candidate | Ignored) -> Known | None:
        """By key, else by login; each user is meant once."""
        user = self._by_key.get(each.key)
        if user is None and each.login:
            user = self._by_login.get(folded_key(each.login))
            if user is not None and self._is_of_another_entry(user, each.key):
                user = None
        if user is None or user.id in self._matched:
            return None
        if isinstance(each, Candidate):
            self._matched.add(user.id)
        return user

    def _is_of_another_entry(self, user: Known, key: str) -> bool:
        """Whether she is known by a key of her own: then a login alone is not enough to be taken for her."""
        return user.owner == self._import_id and bool(user.key) and user.key != key


class _FreeNames:
    """Which logins and numbers a user can have: no two of a domain may share one, before or after the import.

    A name that its owner gives up in the same import counts as taken until the next one, but for who is deleted:
    rows are written one after the other, and two that exchange their names would meet half-way.
    """

    def __init__(
        self,
        known: Sequence[Known],
        deleted: Sequence[Known],
        reserved: Iterable[tuple[str, str]],
    ) -> None:
        gone = {user.id for user in deleted}
        self._owners: dict[tuple[str, str], int | str | None] = {
            (name, folded_key(value)): None for name, value in reserved
        }
        for user in known:
            if user.id not in gone:
                for name in (LOGIN, NUMBER):
                    if value := user.values.get(name, ""):
                        self._owners[name, folded_key(value)] = user.id

    def taken(self, each: Candidate, match: Known | None) -> str | None:
        """The field whose value somebody else has; otherwise ``each`` has both from now on."""
        me: int | str = each.key if match is None else match.id
        wanted = [(name, folded_key(each.values[name])) for name in (LOGIN, NUMBER) if each.values.get(name)]
        for name in wanted:
            if self._owners.get(name, me) != me:
                return name[0]
        self._owners.update(dict.fromkeys(wanted, me))
        return None
