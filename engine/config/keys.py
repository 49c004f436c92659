"""The keys as data: what ``sections`` declares, in the words used by errors and by the documentation."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, get_args

import msgspec
from msgspec import inspect

from engine.config.checks import RULES, Rule
from engine.config.sections import SECTIONS


class Key(NamedTuple):
    """One documented key."""

    section: str
    name: str
    type: Any  # the annotation msgspec converts to
    description: str
    unit: str
    rule: Rule | None
    rule_name: str
    reloads: bool  # whether a change takes effect without a restart
    example: str
    default: object

    @property
    def full_name(self) -> str:
        """``section.name``, as it is written after ``--set``."""
        return f"{self.section}.{self.name}"

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of strings."""
        return isinstance(_bare(inspect.type_info(self.type)), inspect.ListType)

    @property
    def is_text(self) -> bool:
        """Whether the value is a string, free or one of a few."""
        return isinstance(_bare(inspect.type_info(self.type)), inspect.StrType | inspect.LiteralType)

    @property
    def expected(self) -> str:
        """What a value must be, to complete "expected ..."."""
        kind = _words(_bare(inspect.type_info(self.type)))
        if self.rule is None:
            return kind
        if self.rule_name == "some":
            return f"{kind}, at least one and none twice"
        return self.rule.words


def _bare(info: inspect.Type) -> inspect.Type:
    """The msgspec description of a type, without the wrapper that carries our ``extra``."""
    return info.type if isinstance(info, inspect.Metadata) else info


def _words(info: inspect.Type) -> str:
    if isinstance(info, inspect.IntType):
        return f"an integer from {info.ge} to {info.le}"
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.LiteralType):
        return "one of " + ", ".join(f'"{value}"' for value in info.values)
    if isinstance(info, inspect.ListType):
        return "a list, each " + _words(_bare(info.item_type))
    return "a string"


@cache
def keys() -> dict[str, dict[str, Key]]:
    """Every key, by section and name, in the order of the documentation."""
    return {section: {key.name: key for key in _keys_of(section)} for section in SECTIONS}


def _keys_of(section: str) -> list[Key]:
    struct = SECTIONS[section]
    defaults = struct()
    found = []
    for field in msgspec.structs.fields(struct):
        meta = next(item for item in get_args(field.type) if isinstance(item, msgspec.Meta))
        extra = meta.extra or {}
        found.append(
            Key(
                section=section,
                name=field.name,
                type=field.type,
                description=meta.description or "",
                unit=extra["unit"],
                rule=RULES[extra["check"]] if extra["check"] else None,
                rule_name=extra["check"],
                reloads=extra["reloads"],
                example=extra["example"],
                default=getattr(defaults, field.name),
            )
        )
    return found
