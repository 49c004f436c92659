"""An import as it is stored, as what it means: where to read, how to make users of it, what to change."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from engine.administration.noun import fields_given
from engine.administration.user_imports import USUAL_PORTS
from engine.administration.users import Users, is_sip_address
from engine.domain.directory_security import Security
from engine.domain.folding import folded_key
from engine.domain.imports.candidate import LOGIN, Reading
from engine.domain.imports.csv_source import read_csv
from engine.domain.imports.difference import ADDRESS, Comparison
from engine.domain.imports.entry import Entry
from engine.domain.imports.filters import Kind
from engine.domain.imports.mapping import FieldMap
from engine.domain.imports.mode import Mode
from engine.imports.directory import Directory, Told, read_directory
from engine.store.domain.import_tables import UserImportRow
from engine.store.errors import Invalid

_WRONG = re.compile(r"`\$\.(\w+)")


def entries_of(row: UserImportRow, csv: str | None, told: Told) -> list[Entry]:
    """Everybody in the source. Raises SourceError."""
    kind = Kind(row.kind)
    if kind is Kind.CSV:
        entries = read_csv((csv or "").encode(), key=row.key, enabled=row.enabled_column)
        told(len(entries))
        return entries
    directory = Directory(
        kind=kind,
        host=row.host,
        port=row.port or USUAL_PORTS[row.security],
        security=Security(row.security),
        authority=row.authority,
        bind_dn=row.bind_dn,
        password=row.password or "",
        base=row.base,
        filter=row.filter,
        group=row.members_of,
        page_size=row.page_size,
        key=row.key,
        attributes=FieldMap.parse(row.fields).attributes,
    )
    return read_directory(directory, told)


def reading_of(row: UserImportRow) -> Reading:
    """How its entries become users."""
    return Reading(
        FieldMap.parse(row.fields),
        wrong_field,
        str,
        leaves_out_disabled=row.disabled_accounts == "leave-out",
    )


def comparison_of(row: UserImportRow, *, force: bool) -> Comparison:
    """What it changes; ``force``: however many are gone."""
    return Comparison(row.id, Mode(row.mode), 100 if force else row.largest_share)


def wrong_field(values: Mapping[str, str]) -> str | None:
    """The first field that no user can have as it is: by the description all other ways to change one go by."""
    try:
        fields_given(msgspec.convert(values, Users.patch))
    except msgspec.ValidationError as error:
        found = _WRONG.search(str(error))
        return found[1] if found else LOGIN
    except Invalid as error:
        return error.field
    if not folded_key(values[LOGIN]):
        return LOGIN
    address = values.get(ADDRESS, "")
    return ADDRESS if address and not is_sip_address(address) else None
