"""``[-ExternalPrefix-]`` and its like: a domain's values in patterns and results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from engine.domain.dial_plan.errors import DialPlanError
from engine.domain.dial_plan.settings import DialSettings

EXTERNAL = "[-ExternalPrefix-]"
INTERNATIONAL = "[-InternationalPrefix-]"
COUNTRY = "[-CountryPrefix-]"

_FIELDS: Mapping[str, str] = {
    EXTERNAL: "external_prefix",
    INTERNATIONAL: "international_prefix",
    COUNTRY: "country_prefix",
}
_PLACEHOLDER = re.compile(r"\[-[A-Za-z]+-\]")


def filled(text: str, settings: DialSettings, field: str, written: Callable[[str], str] = str) -> str:
    """``text`` with the domain's values, each passed through ``written``.

    Raises DialPlanError, naming ``field``, for a placeholder that does not exist.
    """

    def value(found: re.Match[str]) -> str:
        name = _FIELDS.get(found[0])
        if name is None:
            raise DialPlanError(field, f"{', '.join(_FIELDS)}; {found[0]} is none of them")
        return written(str(getattr(settings, name)))

    return _PLACEHOLDER.sub(value, text)
