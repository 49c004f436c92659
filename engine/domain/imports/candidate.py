"""From an entry of the source to the user it asks for, or the reason why it cannot be one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.domain.folding import folded_key
from engine.domain.imports.entry import Entry
from engine.domain.imports.mapping import FieldMap

LONGEST_KEY = 255

Check = Callable[[Mapping[str, str]], str | None]
"""Says which field of a user cannot be stored as it is, or None."""
Adapt = Callable[[str], str]
"""A number of the source as the domain dials it. Raises ValueError where it is none."""

LOGIN, NUMBER, CULTURE = "login", "number", "culture"
KEPT = frozenset({NUMBER, CULTURE})
"""Fields that stay as they are where the source has no value; every other one becomes empty with it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user as the source wants her. enabled: None where it does not say."""

    reference: str
    key: str
    values: Mapping[str, str]
    enabled: bool | None

    @property
    def login(self) -> str:
        """What she logs in with."""
        return self.values[LOGIN]


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry that is left out. reason: a key of the texts; field: of which one, where it is one's fault."""

    reference: str
    key: str
    login: str
    reason: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How entries become users.

    leaves_out_disabled: a disabled account is none of ours; otherwise it becomes a disabled user.
    """

    fields: FieldMap
    check: Check
    adapt: Adapt
    leaves_out_disabled: bool = False
    cultures: Collection[str] = ("en", "fr")

    def candidates(self, entries: Iterable[Entry]) -> Iterator[Candidate | Ignored]:
        """One result for each entry, in their order; of two entries with one key or login the first counts."""
        keys: set[str] = set()
        logins: set[str] = set()
        for entry in entries:
            found = self._read(entry)
            if isinstance(found, Ignored):
                yield found
            elif found.key in keys or folded_key(found.login) in logins:
                yield Ignored(found.reference, found.key, found.login, "twice")
            else:
                keys.add(found.key)
                logins.add(folded_key(found.login))
                yield found

    def _read(self, entry: Entry) -> Candidate | Ignored:
        values = self._values(entry)
        login = values[LOGIN]
        # Where the source knows no lasting key, the login has to be it; an entry in error is nobody's then.
        key = entry.key or ("" if entry.error else folded_key(login))

        def ignored(reason: str, field: str = "") -> Ignored:
            return Ignored(entry.reference, key, login, reason, field)

        if entry.error:
            return ignored(entry.error)
        if len(key) > LONGEST_KEY:
            return Ignored(entry.reference, "", login, "no_key")
        if not login:
            return ignored("missing", LOGIN)
        if self.leaves_out_disabled and entry.enabled is False:
            return ignored("account_disabled")
        if number := values.get(NUMBER):
            try:
                values[NUMBER] = self.adapt(number)
            except ValueError:
                return ignored("invalid", NUMBER)
        if (field := self.check(values)) is not None:
            return ignored("invalid", field)
        return Candidate(entry.reference, key, values, entry.enabled)

    def _values(self, entry: Entry) -> dict[str, str]:
        """The fields that are written; a culture nobody speaks here is none (``fr-FR`` is ``fr``)."""
        values = self.fields.values(entry)
        if CULTURE in values:
            language = values[CULTURE].lower()[:2]
            values[CULTURE] = language if language in self.cultures else ""
        return {field: value for field, value in values.items() if value or field not in KEPT}
