"""What a field takes, in words: read from the same types that check it. A wrong value itself is never repeated."""

from __future__ import annotations

from typing import Any

from msgspec import inspect

_FORMATS = {
    inspect.DateTimeType: "a date and time such as 2027-01-31T09:30:00Z",
    inspect.DateType: "a date such as 2027-01-31",
    inspect.TimeType: "a time such as 09:30:00",
    inspect.BoolType: "true or false",
    inspect.NoneType: "null",
    inspect.AnyType: "a value",
    inspect.UUIDType: "a UUID",
}


def expected(hint: Any) -> str:
    """What a value of a type must be."""
    return _text(inspect.type_info(hint))


def _text(info: inspect.Type) -> str:
    if isinstance(info, inspect.Metadata):
        return _text(info.type)
    if type(info) in _FORMATS:
        return _FORMATS[type(info)]
    match info:
        case inspect.StrType():
            return _string(info)
        case inspect.IntType():
            return _number("a whole number", info)
        case inspect.FloatType():
            return _number("a number", info)
        case inspect.EnumType():
            return " or ".join(str(each.value) for each in info.cls)
        case inspect.LiteralType():
            return " or ".join(map(str, info.values))
        case inspect.UnionType():
            parts = sorted(info.types, key=lambda each: isinstance(each, inspect.NoneType))
            return " or ".join(_text(each) for each in parts)
        case inspect.ListType() | inspect.SetType() | inspect.FrozenSetType() | inspect.VarTupleType():
            return (
                f"a list{_between(info.min_length, info.max_length, ' of', '')}, each {_text(info.item_type)}"
            )
        case inspect.StructType():
            return f"an object with {', '.join(each.encode_name for each in info.fields) or 'nothing'}"
    return "an object"


def _string(info: inspect.StrType) -> str:
    text = "a text" + _between(info.min_length, info.max_length, " of", " characters")
    return text if info.pattern is None else f"{text} like {info.pattern}"


def _number(words: str, info: inspect.IntType | inspect.FloatType) -> str:
    low = info.ge if info.ge is not None else info.gt
    high = info.le if info.le is not None else info.lt
    return words + _between(low, high, ":" if low is not None and high is not None else "", "")


def _between(low: float | None, high: float | None, before: str, after: str) -> str:
    if low is not None and high is not None:
        return f"{before} {low} to {high}{after}"
    if high is not None:
        return f"{before} at most {high}{after}"
    return f"{before} at least {low}{after}" if low is not None else ""
