"""What a rule puts in the place of what its pattern found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.domain.dial_plan.errors import DialPlanError
from engine.domain.dial_plan.placeholders import EXTERNAL, filled

if TYPE_CHECKING:
    from engine.domain.dial_plan.pattern import Found
    from engine.domain.dial_plan.settings import DialSettings

LONGEST_RESULT = 128

_RESULT = re.compile(r"(?:[0-9A-Za-z+*#_]|\$[0-9])*")
_GROUP = re.compile(r"\$([0-9])")


@dataclass(frozen=True, slots=True)
class Result:
    """Text in which ``$1`` to ``$9`` stand for the pattern's groups, ``$0`` for all it found.

    has_external: it begins with the external prefix by its name, so that none is missing.
    """

    text: str
    has_external: bool

    def expand(self, found: Found) -> str:
        """The text with what was found."""
        return _GROUP.sub(lambda each: found.groups[int(each[1])], self.text)


def parse_result(text: str, settings: DialSettings, groups: int) -> Result:
    """The result for a pattern of ``groups`` groups. Raises DialPlanError saying what is wrong with it."""
    if len(text) > LONGEST_RESULT:
        raise DialPlanError("result", f"at most {LONGEST_RESULT} characters")
    plain = filled(text, settings, "result")
    if _RESULT.fullmatch(plain) is None:
        raise DialPlanError(
            "result", "digits, letters, +*#_ , placeholders, and $1 to $9 for what was matched"
        )
    for each in _GROUP.findall(plain):
        if int(each) > groups:
            raise DialPlanError("result", f"no ${each}: the pattern has {groups} group(s)")
    return Result(plain, text.startswith(EXTERNAL))
