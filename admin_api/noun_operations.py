"""What the routes of a noun say of themselves, from what the noun does."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from admin_api.bulk import Outcome
from admin_api.operations import (
    BAD,
    CONFLICT,
    CSV,
    JSON,
    JSON_LINES,
    MISSING,
    STALE,
    Operation,
    Parameter,
)
from admin_api.queries import FIELDS, parameters_of
from engine.administration.action import Action
from engine.administration.noun import Noun

BASE = "/api/v1"
LISTS = (JSON, CSV, JSON_LINES)
PATCHES = (JSON, "application/merge-patch+json")
ROWS = (JSON_LINES, CSV)
_IF_MATCH = Parameter(
    "If-Match", "The ETag of what is changed: refused when it is another by now.", place="header"
)
IF_NONE_MATCH = Parameter("If-None-Match", "An ETag: 304 where the answer would bear it.", place="header")
_ETAG = {"ETag": "Its version."}
_UNCHANGED = {HTTPStatus.NOT_MODIFIED: "What the asker has is what there is."}
_WRITING = frozenset({BAD, MISSING, CONFLICT})


class NounOperations:
    """The operations of one noun."""

    def __init__(self, noun: Noun[Any]) -> None:
        self._noun = noun
        self._parts = {"uid": f"The identity of the {noun.singular}."}

    def list(self) -> Operation:
        """GET of them all."""
        noun = self._noun
        page = msgspec.defstruct(
            f"{noun.view.__name__}Page",
            [("items", list[noun.view]), ("next", str | None)],  # type: ignore[name-defined]
        )
        return Operation(
            summary=f"Lists {_spoken(noun.name)}; as CSV or JSON lines all of them where no limit is given.",
            tag=noun.name,
            answer=page,
            answers=LISTS,
            also=_UNCHANGED,
            parameters=(*parameters_of(noun), IF_NONE_MATCH),
            refusals=frozenset({BAD}),
            headers={"ETag": "Of the octets.", "Link": "The next page (rel=next), where there is one."},
        )

    def one(self) -> Operation:
        """GET of one."""
        return Operation(
            summary=f"Shows one of the {_spoken(self._noun.name)}.",
            tag=self._noun.name,
            answer=self._noun.view,
            also=_UNCHANGED,
            parameters=(FIELDS, IF_NONE_MATCH),
            parts=self._parts,
            refusals=frozenset({BAD, MISSING}),
            headers=_ETAG,
        )

    def add(self) -> Operation:
        """POST."""
        return Operation(
            summary=f"Makes one of the {_spoken(self._noun.name)}.",
            tag=self._noun.name,
            answer=self._noun.view,
            status=HTTPStatus.CREATED,
            body=self._noun.draft,
            refusals=_WRITING,
            headers={**_ETAG, "Location": "Where it is."},
        )

    def change(self) -> Operation:
        """PATCH."""
        return Operation(
            summary="Changes the fields that are named; the others stay.",
            tag=self._noun.name,
            answer=self._noun.view,
            body=self._noun.patch,
            bodies=PATCHES,
            parameters=(_IF_MATCH,),
            parts=self._parts,
            refusals=_WRITING | {STALE},
            headers=_ETAG,
        )

    def remove(self) -> Operation:
        """DELETE."""
        return Operation(
            summary=f"Removes one of the {_spoken(self._noun.name)}.",
            tag=self._noun.name,
            status=HTTPStatus.NO_CONTENT,
            parameters=(_IF_MATCH,),
            parts=self._parts,
            refusals=_WRITING | {STALE},
        )

    def bulk(self) -> Operation:
        """POST of many rows."""
        return Operation(
            summary="Does each row by itself: adds it, with uid changes it, with _remove removes it.",
            tag=self._noun.name,
            answer=Outcome,
            body=self._noun.draft,
            bodies=ROWS,
            refusals=frozenset({BAD}),
        )

    def action(self, action: Action) -> Operation:
        """A verb."""
        reads = action.method == "GET"
        parameters: tuple[Parameter, ...] = ()
        if reads and action.body is not None:
            parameters = tuple(
                Parameter(each.encode_name, "", each.type, required=each.required)
                for each in msgspec.structs.fields(action.body)
            )
        return Operation(
            summary=action.summary,
            tag=self._noun.name,
            answer=action.answer,
            status=HTTPStatus.NO_CONTENT if action.answer is None else HTTPStatus.OK,
            body=None if reads else action.body,
            answers=(action.media_type,),
            parameters=parameters,
            parts=self._parts if action.of_one else {},
            refusals=_WRITING,
        )


def _spoken(name: str) -> str:
    return name.replace("-", " ")
