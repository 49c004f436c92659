"""Carrying out what an import changes, within one transaction: many rows a statement, every change noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.orm import Session

from engine.administration.user_imports import FIELDS
from engine.administration.users import Users
from engine.domain.actor import Actor
from engine.domain.folding import fold
from engine.domain.identity import new_uid
from engine.domain.imports.candidate import CULTURE
from engine.domain.imports.difference import Action, Change, Difference, Known, Outcome
from engine.imports.people import People, Shown
from engine.store.audit import Audit
from engine.store.domain.bearers import end_sessions_of_user
from engine.store.domain.import_tables import ImportedUserRow, UserImportRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow
from engine.store.errors import InUse
from engine.store.event_log import EventLog, NewEvent

_WRITTEN = (*FIELDS, "enabled")
_MANY = 500
"""Keys of one statement; SQLite takes no more than 32,766 parameters."""


@dataclass(frozen=True, slots=True)
class _Note:
    """A change to be noted: a user's, or that she joins the group."""

    kind: str
    subject: str
    view: dict[str, Any]
    changes: dict[str, Change]


class Writing:
    """One import's changes. users: the noun, whose rules for removing and for what follows from a field hold here."""

    def __init__(
        self,
        session: Session,
        source: UserImportRow,
        people: People,
        actor: Actor,
        users: Users,
        logs: tuple[EventLog, Audit],
    ) -> None:
        self._session = session
        self._source = source
        self._people = people
        self._actor = actor
        self._users = users
        self._events, self._audit = logs
        self._notes: list[_Note] = []
        company = session.get_one(CompanyRow, source.company_id)
        domain = session.get_one(DomainRow, source.domain_id)
        self._place = {"company": company.uid, "domain": domain.uid}
        self._culture = source.culture or domain.culture
        self._group = None if source.group_id is None else session.get_one(GroupRow, source.group_id)

    def carry_out(self, difference: Difference) -> Difference:
        """Write it all; answers what has come of it: who is needed elsewhere is not removed."""
        removed = {id(each): self._remove(each) for each in difference.of(Action.DELETED)}
        self._change(difference.of(Action.UPDATED, Action.DISABLED))
        self._add(difference.of(Action.CREATED))
        self._note()
        return replace(difference, outcomes=[removed.get(id(each), each) for each in difference.outcomes])

    # ---- users

    def _remove(self, outcome: Outcome) -> Outcome:
        """Through the noun, which knows what else goes with a user."""
        assert outcome.known is not None
        uid = self._people.shown[outcome.known.id].uid
        try:
            self._users.remove_within(self._session, self._actor, uid)
        except InUse:
            return replace(outcome, action=Action.IGNORED, reason="in_use")
        return outcome

    def _change(self, outcomes: Sequence[Outcome]) -> None:
        rows, joining = [], []
        for outcome in outcomes:
            user = outcome.known
            assert user is not None
            after = self._after(outcome, user)
            shown = self._people.shown[user.id]
            if outcome.changes:
                rows.append({"b_id": user.id, "version": shown.version + 1, **self._columns(after)})
            if outcome.changes or outcome.joins:
                self._tell("changed", shown, after, outcome)
            if outcome.enables is False:
                end_sessions_of_user(self._session, user.id)
            if outcome.joins:
                joining.append((user.id, shown.uid))
        if rows:
            table = UserRow.__table__
            names = [name for name in rows[0] if name != "b_id"]
            statement = (
                update(UserRow)
                .where(table.c.id == bindparam("b_id"))
                .values({name: bindparam(name) for name in names})
            )
            self._session.connection().execute(statement, rows)
        self._join(joining)
        self._own([(outcome.known, outcome) for outcome in outcomes if outcome.known is not None])

    def _add(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        made: dict[str, tuple[Outcome, dict[str, Any]]] = {}
        rows = []
        for outcome in outcomes:
            after = self._after(outcome, None)
            uid = new_uid(Users.prefix)
            made[uid] = (outcome, after)
            rows.append(
                {
                    "uid": uid,
                    "version": 1,
                    "company_id": self._source.company_id,
                    "domain_id": self._source.domain_id,
                    "password": None,
                    "voicemail_pin": None,
                    **self._columns(after),
                }
            )
        keys = self._session.execute(insert(UserRow).returning(UserRow.uid, UserRow.id), rows)
        ids = {row.uid: row.id for row in keys}
        for uid, (outcome, after) in made.items():
            self._tell("added", Shown(uid, 1, False, False, []), after, outcome)
        self._join([(ids[uid], uid) for uid in made])
        self._own([(Known(ids[uid], after, True), outcome) for uid, (outcome, after) in made.items()])

    def _after(self, outcome: Outcome, user: Known | None) -> dict[str, Any]:
        """The user's fields as they will be."""
        after: dict[str, Any] = dict.fromkeys(FIELDS, "") | {CULTURE: self._culture, "enabled": True}
        if user is not None:
            after |= {**user.values, "enabled": user.enabled}
        return after | {name: change[1] for name, change in outcome.changes.items()}

    def _columns(self, after: dict[str, Any]) -> dict[str, Any]:
        """The columns of a row, with those that follow from others."""
        row = UserRow(**after)
        folded = {
            name: self._users.folded(row, name.removesuffix("_folded"))
            for name in UserRow.__table__.columns.keys()  # noqa: SIM118  # no mapping
            if name.endswith("_folded")
        }
        return {**after, **folded, "search_text": fold(self._users.searched(self._session, row))}

    # ---- what belongs to them

    def _join(self, users: Sequence[tuple[int, str]]) -> None:
        """Put users into the group of the import."""
        if self._group is None or not users:
            return
        rows = []
        for user_id, user_uid in users:
            uid = new_uid("mbr")
            rows.append(
                {
                    "uid": uid,
                    "version": 1,
                    "company_id": self._source.company_id,
                    "group_id": self._group.id,
                    "user_id": user_id,
                }
            )
            view = {
                "uid": uid,
                "company": self._place["company"],
                "group": self._group.uid,
                "member": user_uid,
            }
            changes: dict[str, Change] = {"group": ("", self._group.uid), "member": ("", user_uid)}
            self._notes.append(_Note("memberships.added", uid, view, changes))
        self._session.execute(insert(MembershipRow), rows)

    def _own(self, users: Sequence[tuple[Known, Outcome]]) -> None:
        """Note whose they are now, by which key, and who was disabled by the import."""
        ids = [user.id for user, _ in users]
        for start in range(0, len(ids), _MANY):
            part = ids[start : start + _MANY]
            self._session.execute(delete(ImportedUserRow).where(ImportedUserRow.user_id.in_(part)))
        rows = [
            {
                "user_id": user.id,
                "import_id": self._source.id,
                "key": user.key if outcome.candidate is None else outcome.candidate.key,
                "disabled_here": user.disabled_here if outcome.enables is None else not outcome.enables,
            }
            for user, outcome in users
        ]
        if rows:
            self._session.execute(insert(ImportedUserRow), rows)

    # ---- who is told

    def _tell(self, verb: str, shown: Shown, after: dict[str, Any], outcome: Outcome) -> None:
        groups = shown.groups
        if outcome.joins and self._group is not None:
            groups = sorted([*groups, self._group.uid])
        view = {
            "uid": shown.uid,
            **self._place,
            **{name: after[name] for name in _WRITTEN},
            "has_password": shown.has_password,
            "has_voicemail_pin": shown.has_voicemail_pin,
            "numbers": shown.numbers,
            "groups": groups,
        }
        self._notes.append(_Note(f"{Users.name}.{verb}", shown.uid, view, dict(outcome.changes)))

    def _note(self) -> None:
        """Append events and audit entries, many at once."""
        name, company = self._actor.name, self._source.company_id
        self._audit.extend(
            self._session, company, name, [(each.kind, each.subject, each.changes) for each in self._notes]
        )
        self._events.extend(
            self._session,
            company,
            [NewEvent(each.kind, each.subject, {"actor": name, **each.view}) for each in self._notes],
        )
