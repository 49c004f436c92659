"""Where a command does what it does to a noun: in the running engine, or, when none runs, in the store itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import click
import msgspec

from engine.administration.catalogue import nouns
from engine.administration.noun import Noun
from engine.administration.query import MOST_ROWS, Query
from engine.cli.administration import opened_store
from engine.cli.engine_client import EngineNotRunning, request
from engine.data_directory import DataDirectory
from engine.domain.actor import LOCAL
from engine.language import of_environment
from engine.store import Store

Shown = dict[str, Any]
"""A view, as JSON has it."""


class Office(Protocol):
    """What can be done to the things of one noun; refusals are click's exceptions, in words."""

    def page(self, wanted: Mapping[str, str], cursor: str | None) -> tuple[list[Shown], str | None]:
        """Some of a list and the cursor of what follows. wanted: filters, and ``q``, ``order``, ``limit``."""

    def get(self, uid: str) -> Shown:
        """One."""

    def add(self, fields: Mapping[str, Any]) -> Shown:
        """Make one."""

    def change(self, uid: str, fields: Mapping[str, Any]) -> Shown:
        """Change one."""

    def remove(self, uid: str) -> None:
        """Remove one."""

    def act(self, method: str, uid: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One of the noun's verbs: what it answers, as JSON has it; text where it is none."""


class EngineOffice:
    """By the socket of the running engine."""

    def __init__(self, data: DataDirectory, noun: str) -> None:
        self._data = data
        self._noun = noun

    def page(self, wanted: Mapping[str, str], cursor: str | None) -> tuple[list[Shown], str | None]:
        """See ``Office``."""
        given = dict(wanted) if cursor is None else {**wanted, "cursor": cursor}
        answer = self._ask("GET", f"{self._noun}?{urlencode(given)}")
        return answer["items"], answer["next"]

    def get(self, uid: str) -> Shown:
        """See ``Office``."""
        return self._one("GET", uid)

    def add(self, fields: Mapping[str, Any]) -> Shown:
        """See ``Office``."""
        made: Shown = self._ask("POST", self._noun, fields)
        return made

    def change(self, uid: str, fields: Mapping[str, Any]) -> Shown:
        """See ``Office``."""
        return self._one("PATCH", uid, fields)

    def remove(self, uid: str) -> None:
        """See ``Office``."""
        self._one("DELETE", uid)

    def act(self, method: str, uid: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """See ``Office``."""
        return self._ask(method, f"{self._noun}/{quote(uid, safe='')}/{path}", body)

    def _one(self, method: str, uid: str, body: object = None) -> Shown:
        answer: Shown = self._ask(method, f"{self._noun}/{quote(uid, safe='')}", body)
        return answer

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        status, answer = request(self._data, method, path, body)
        if status >= 400:
            raise click.ClickException(str(answer.get("detail") or answer.get("title") or status))
        return answer


class StoreOffice:
    """In the store, that nobody else has open."""

    def __init__(self, store: Store, realm: str, noun: str) -> None:
        self._noun: Noun[Any] = next(each for each in nouns(store, realm=realm) if each.name == noun)

    def page(self, wanted: Mapping[str, str], cursor: str | None) -> tuple[list[Shown], str | None]:
        """See ``Office``."""
        filters = dict(wanted)
        limit, q, order = (
            int(filters.pop("limit", MOST_ROWS)),
            filters.pop("q", None),
            filters.pop("order", None),
        )
        page = self._noun.page(LOCAL, Query(limit=limit, cursor=cursor, filters=filters, q=q, order=order))
        return [msgspec.to_builtins(each) for each in page.items], page.next

    def get(self, uid: str) -> Shown:
        """See ``Office``."""
        return self._told(self._noun.get(LOCAL, uid).view)

    def add(self, fields: Mapping[str, Any]) -> Shown:
        """See ``Office``."""
        return self._told(self._noun.add(LOCAL, self._read(fields, self._noun.draft)).view)

    def change(self, uid: str, fields: Mapping[str, Any]) -> Shown:
        """See ``Office``."""
        return self._told(self._noun.change(LOCAL, uid, self._read(fields, self._noun.patch)).view)

    def remove(self, uid: str) -> None:
        """See ``Office``."""
        self._noun.remove(LOCAL, uid)

    def act(self, method: str, uid: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """See ``Office``."""
        action = next(each for each in self._noun.actions if (each.method, each.path) == (method, path))
        given = None if action.body is None else self._read(body or {}, action.body)
        answer = action.perform(self._noun, replace(LOCAL, language=of_environment()), uid, given)
        return answer.decode() if isinstance(answer, bytes) else msgspec.to_builtins(answer)

    def _read(self, fields: Mapping[str, Any], kind: type[msgspec.Struct]) -> msgspec.Struct:
        try:
            return msgspec.convert(fields, kind)
        except msgspec.ValidationError as error:
            raise click.ClickException(_in_words(error)) from None

    def _told(self, view: msgspec.Struct) -> Shown:
        told: Shown = msgspec.to_builtins(view)
        return told


def _in_words(error: msgspec.ValidationError) -> str:
    """What is wrong, the field first, as everything else that is refused is said."""
    text, _, place = str(error).partition(" - at `$.")
    return f"{place.rstrip('`')}: {text[:1].lower()}{text[1:]}" if place else text


@contextmanager
def opened_office(
    data: Path, file: Path | None, overrides: tuple[str, ...], noun: str, *, to_read: bool = True
) -> Iterator[Office]:
    """The office of a noun: the running engine's, so that a change holds there at once; else the store's.

    to_read: the data directory must be there already.
    """
    directory = DataDirectory(data.absolute())
    if directory.running_pid() is not None:
        try:
            yield EngineOffice(directory, noun)
        except EngineNotRunning as error:
            raise click.ClickException(str(error)) from error
        return
    with opened_store(data, file, overrides, to_read=to_read) as (store, config):
        yield StoreOffice(store, config.sip.realm, noun)
