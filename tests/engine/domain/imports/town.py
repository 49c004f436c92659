"""People for the tests of imports: entries of a source, users of a domain."""

from __future__ import annotations

from engine.domain.imports.candidate import Candidate
from engine.domain.imports.difference import Difference, Known

OURS, OTHERS = 7, 8  # imports


def candidate(login: str, key: str = "", enabled: bool | None = None, **values: str) -> Candidate:
    """Somebody of the source."""
    return Candidate(f"cn={login}", key or login, {"login": login, **values}, enabled)


def user(
    identity: int,
    login: str,
    *,
    owner: int | None = OURS,
    key: str | None = None,
    enabled: bool = True,
    disabled_here: bool = False,
    in_group: bool = True,
    **values: str,
) -> Known:
    """Somebody of the domain; of our import, with her login as the key, unless said otherwise."""
    if key is None:
        key = "" if owner is None else login
    return Known(identity, {"login": login, **values}, enabled, owner, key, disabled_here, in_group)


def told(difference: Difference) -> dict[str, str]:
    """Login -> what becomes of her, with the reason."""
    return {
        outcome.login: " ".join(filter(None, (outcome.action.value, outcome.reason, outcome.field)))
        for outcome in difference.outcomes
    }
