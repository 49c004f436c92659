"""Whether a request may have an effect, decided before it costs any state (security reference C1, D1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.message import Response


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request is served. ``identity``: the user it has proved to come from; None when it needed no proof."""

    identity: str | None


@dataclass(frozen=True, slots=True)
class Denied:
    """The request is answered once, statelessly, by ``response`` and forgotten; None: dropped unanswered."""

    response: Response | None


Admission = Admitted | Denied
