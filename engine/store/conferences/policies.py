"""Meeting policies at their three levels, and the one that holds for an owner."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.policy import MeetingPolicy, PolicyChoices, resolve
from engine.domain.scope import DEFAULT_COMPANY, company_of, plain
from engine.store.collection import OwnedCollection
from engine.store.conferences.records import CHOICES, ConferencePolicy, PolicyScope
from engine.store.conferences.rules import check_policy
from engine.store.conferences.tables import ConferencePolicyRow
from engine.store.errors import Taken

_STRENGTH = {scope: strength for strength, scope in enumerate(PolicyScope)}


class ConferencePolicies(OwnedCollection[ConferencePolicyRow, ConferencePolicy]):
    """Policies, by scope and name (``default``, ``group:sales``, ``user:101``), which are scoped by company."""

    row_type = ConferencePolicyRow
    record_type = ConferencePolicy
    key = "key"
    what = "meeting policy"

    def check(self, session: Session, record: ConferencePolicy) -> None:
        """Refuse bad fields, and a second policy for the same."""
        check_policy(record)
        row = self._find(session, self._name(record))
        if row is not None and row.id != record.id:
            raise Taken(self.what, record.key, f"another {self.what}")

    def all(self) -> list[ConferencePolicy]:
        """Every policy: the default, then groups, then users, each by name."""
        with self._database.reading() as session:
            found = [self._record(row) for row in session.scalars(select(ConferencePolicyRow))]
        return sorted(found, key=lambda each: (_STRENGTH[each.scope], each.name))

    def of(self, owner: str | None) -> MeetingPolicy:
        """What holds for the meetings of an owner (a scoped name). Of two groups that differ, the last by name."""
        company = DEFAULT_COMPANY if owner is None else company_of(owner)
        its_own = [each for each in self.all() if each.company_id == company]
        return policy_of(its_own, None if owner is None else plain(owner))

    def _find(self, session: Session, key: str | int) -> ConferencePolicyRow | None:
        scope, _, name = plain(str(key)).partition(":")
        return session.scalars(
            select(ConferencePolicyRow).where(
                ConferencePolicyRow.scope == scope,
                ConferencePolicyRow.name == name,
                ConferencePolicyRow.company_id == company_of(str(key)),
            )
        ).one_or_none()

    def _record(self, row: ConferencePolicyRow) -> ConferencePolicy:
        return ConferencePolicy(
            scope=PolicyScope(row.scope),
            name=row.name,
            members=tuple(row.members),
            choices=PolicyChoices(**{name: getattr(row, name) for name in CHOICES}),
            company_id=row.company_id,
            id=row.id,
        )

    def _columns(self, record: ConferencePolicy) -> dict[str, object]:
        said: dict[str, object] = {name: getattr(record.choices, name) for name in CHOICES}
        return {
            **said,
            "scope": str(record.scope),
            "name": record.name,
            "members": list(record.members),
            "company_id": record.company_id,
        }


def policy_of(policies: list[ConferencePolicy], owner: str | None) -> MeetingPolicy:
    """What ``policies``, the weakest first, say for the meetings of ``owner``; the built-in values where none does."""
    return resolve(*(each.choices for each in policies if _is_for(each, owner)))


def _is_for(policy: ConferencePolicy, owner: str | None) -> bool:
    match policy.scope:
        case PolicyScope.DEFAULT:
            return True
        case PolicyScope.GROUP:
            return owner in policy.members
        case PolicyScope.USER:
            return owner == policy.name
