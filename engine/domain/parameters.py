"""Application parameters: what one is, which values it may have, and which value holds for a user.

A parameter is declared in code. Its value is the default's, unless the user's domain, one of her groups or she
herself has another: default < domain < group < user. Of several groups the nearest holds (one she is in herself
before one that one is in), of equally near ones the one whose identity sorts first; the answer names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.domain.structure import Path, Structure

Value = bool | int | float | str
LONGEST_TEXT = 255


class Kind(StrEnum):
    """What a value is, in JSON."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"


class Level(StrEnum):
    """Whose a value is, from the weakest on."""

    DEFAULT = "default"
    DOMAIN = "domain"
    GROUP = "group"
    USER = "user"


class WrongValue(ValueError):
    """The value is none the parameter can have; ``expected`` says which it can."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"expected {expected}")
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter.

    unit: of the value, a word such as ``s``; empty where it has none. least, most: bounds of numbers, both included.
    choices: the only values, where there are few. expert: shown only to who asks for those, too.
    """

    application: str
    name: str
    kind: Kind
    default: Value
    description_en: str
    description_fr: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[Value, ...] = ()
    expert: bool = False

    @property
    def full_name(self) -> str:
        """``application.name``."""
        return f"{self.application}.{self.name}"

    def description(self, language: str) -> str:
        """What it does, in French or in English."""
        return self.description_fr if language == "fr" else self.description_en

    def of(self, values: Mapping[str, object]) -> Value:
        """Its value among those of its application, by name; the default where it has none, or one it cannot have."""
        try:
            return self.check(values[self.name]) if self.name in values else self.default
        except WrongValue:
            return self.default

    def check(self, value: object) -> Value:
        """The value as it is stored. Raises WrongValue."""
        checked = self._typed(value)
        if self.choices and checked not in self.choices:
            raise WrongValue(self.expected)
        if isinstance(checked, int | float) and not isinstance(checked, bool):
            too_small = self.least is not None and checked < self.least
            if too_small or (self.most is not None and checked > self.most):
                raise WrongValue(self.expected)
        return checked

    def _typed(self, value: object) -> Value:
        match self.kind:
            case Kind.BOOLEAN if isinstance(value, bool):
                return value
            case Kind.INTEGER if isinstance(value, int) and not isinstance(value, bool):
                return value
            case Kind.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
                if abs(value) < float("inf"):  # neither infinite nor not a number
                    return value
            case Kind.TEXT if isinstance(value, str):
                if len(value) <= LONGEST_TEXT and (not value or value.isprintable()):
                    return value
        raise WrongValue(self.expected)

    @property
    def expected(self) -> str:
        """The values it can have, for who has sent another."""
        if self.choices:
            return " or ".join(str(each) for each in self.choices)
        match self.kind:
            case Kind.BOOLEAN:
                return "true or false"
            case Kind.TEXT:
                return f"at most {LONGEST_TEXT} characters on one line"
        noun = "a whole number" if self.kind is Kind.INTEGER else "a number"
        bounds = [] if self.least is None else [f"at least {self.least:g}"]
        bounds += [] if self.most is None else [f"at most {self.most:g}"]
        of_unit = f" ({self.unit})" if self.unit else ""
        return f"{noun} {' and '.join(bounds)}".rstrip() + of_unit


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that somebody other than the code has given: ``owner`` is a domain, a group or a user."""

    owner: str
    parameter: str
    value: Value


@dataclass(frozen=True, slots=True)
class Step:
    """A value met on the way from the default to the user: the last one holds. way: from the user to its owner."""

    level: Level
    value: Value
    way: Path


@dataclass(frozen=True, slots=True)
class Resolved:
    """The value that holds, and how it came to it; ``steps`` begins with the default."""

    parameter: Parameter
    steps: tuple[Step, ...]

    @property
    def value(self) -> Value:
        """The value that holds."""
        return self.steps[-1].value

    @property
    def level(self) -> Level:
        """Whose it is."""
        return self.steps[-1].level


class Parameters:
    """All declared parameters, and the values they were given; replaced as a whole when one is changed."""

    def __init__(
        self, declared: Iterable[Parameter], structure: Structure, settings: Iterable[Setting] = ()
    ) -> None:
        """A setting of a parameter that is not declared, or whose value it cannot have any more, is left out."""
        self._structure = structure
        self._declared: Mapping[str, Parameter] = {each.full_name: each for each in declared}
        self._applications: dict[str, list[Parameter]] = {}
        for parameter in self._declared.values():
            self._applications.setdefault(parameter.application, []).append(parameter)
        self._settings: dict[tuple[str, str], Value] = {}
        self._owners: set[str] = set()
        for setting in settings:
            self._take(setting)

    def _take(self, setting: Setting) -> None:
        parameter = self._declared.get(setting.parameter)
        if parameter is None:
            return
        try:
            value = parameter.check(setting.value)
        except WrongValue:
            return  # of another version, which allowed it: the next weaker one holds
        self._settings[setting.owner, setting.parameter] = value
        self._owners.add(setting.owner)

    def resolve(self, parameter: Parameter, user: str | None) -> Resolved:
        """The value for ``user``. A domain's identity: what holds in it for whoever is no user; None: the default."""
        return Resolved(parameter, self._steps(parameter, self._owners_of(user)))

    def all_of(self, user: str | None, application: str | None = None) -> list[Resolved]:
        """Every parameter, or those of one application, for ``user``."""
        owners = self._owners_of(user)
        return [
            Resolved(each, self._steps(each, owners))
            for each in self._declared.values()
            if application is None or each.application == application
        ]

    def values(self, application: str, user: str | None) -> dict[str, Value]:
        """What an application is to do for ``user``, by the names of its parameters; what is its default is left out.

        Asked at each call: without any value given to anybody it costs two look-ups.
        """
        if not self._owners:
            return {}
        owners = self._owners_of(user)
        if not owners:
            return {}
        found: dict[str, Value] = {}
        for parameter in self._applications.get(application, ()):
            for owner, _, _ in owners:
                value = self._settings.get((owner, parameter.full_name))
                if value is not None:
                    found[parameter.name] = value
        return found

    def _owners_of(self, user: str | None) -> list[tuple[str, Level, Path]]:
        """Who can have set something for ``user`` and has, the weakest first."""
        node = None if user is None else self._structure.find(user)
        if node is None:
            return []
        groups = self._structure.groups_of(node.uid)
        ways: list[tuple[str, Level, Path]] = []
        if node.uid == node.domain:
            ways.append((node.uid, Level.DOMAIN, (node.uid,)))
        else:
            if node.domain is not None:
                ways.append((node.domain, Level.DOMAIN, (node.uid, node.domain)))
            ways += [(group, Level.GROUP, groups[group]) for group in reversed(groups)]
            ways.append((node.uid, Level.USER, (node.uid,)))
        return [each for each in ways if each[0] in self._owners]

    def _steps(self, parameter: Parameter, owners: Iterable[tuple[str, Level, Path]]) -> tuple[Step, ...]:
        given = [
            Step(level, self._settings[owner, parameter.full_name], way)
            for owner, level, way in owners
            if (owner, parameter.full_name) in self._settings
        ]
        return (Step(Level.DEFAULT, parameter.default, ()), *given)
