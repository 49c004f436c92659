"""``POST /api/v1/{noun}/bulk``: many changes in one body, each in a transaction of its own."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from admin_api.bodies import MOST_BULK, json_answer, language_of, octets
from admin_api.bulk import Add, Change, Outcome, Row, rows_of_csv, rows_of_json, step_of
from admin_api.negotiation import content_type
from admin_api.operations import CSV
from admin_api.refusals import REFUSALS, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.iweb import IRequest

    from engine.administration.desk import Desk
    from engine.administration.noun import Noun
    from engine.domain.actor import Actor

TOGETHER = 20
"""Rows between which nobody else is answered: some 50 ms of the store's thread."""


class BulkChanges:
    """Of one noun."""

    def __init__(self, noun: Noun[Any], desk: Desk, actor_of: Callable[[IRequest], Actor]) -> None:
        self._noun = noun
        self._desk = desk
        self._actor_of = actor_of

    async def answer(self, request: IRequest) -> bytes:
        """Every row's outcome, in the order of the body; a row that is refused stops no other."""
        actor = self._actor_of(request)
        self._noun.require_write(actor)
        data = octets(request, MOST_BULK)
        of_csv = content_type(request) == CSV
        rows = rows_of_csv(data, self._noun) if of_csv else rows_of_json(data)
        done = Outcome(0, 0, 0, 0, [])
        language = language_of(request)
        for first in range(0, len(rows), TOGETHER):
            part = rows[first : first + TOGETHER]
            await self._desk.write(self._noun, self._do, actor, part, first, done, language)
        return json_answer(request, done)

    def _do(self, actor: Actor, rows: list[object], first: int, done: Outcome, language: Any) -> None:
        """In the store's thread."""
        for number, row in enumerate(rows, first + 1):
            try:
                done.rows.append(self._row(actor, number, row, done))
            except REFUSALS as error:
                found = problem_of(error, language)
                done.failed += 1
                done.rows.append(
                    Row(number, found.status, _uid(row), msgspec.Raw(msgspec.json.encode(found)))
                )

    def _row(self, actor: Actor, number: int, row: object, done: Outcome) -> Row:
        step = step_of(self._noun, row)
        if isinstance(step, Add):
            added = self._noun.add(actor, step.draft)
            done.added += 1
            return Row(number, HTTPStatus.CREATED.value, added.view.uid)
        if isinstance(step, Change):
            self._noun.change(actor, step.uid, step.patch, step.version)
            done.changed += 1
            return Row(number, HTTPStatus.OK.value, step.uid)
        self._noun.remove(actor, step.uid, step.version)
        done.removed += 1
        return Row(number, HTTPStatus.NO_CONTENT.value, step.uid)


def _uid(row: object) -> str:
    found = row.get("uid") if isinstance(row, dict) else None
    return found[:32] if isinstance(found, str) else ""
