"""What callers are entitled to, asked at each call: rights on applications, parameters, and channels left.

What the store says of it is read in one go and replaced as a whole, so a change holds from the next call on. Somebody
who calls from a line has what its user has; whoever else calls a company has what holds in its first domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.automates.parameters import ACCESS, AUTHORISED, DECLARED
from engine.call.numbers import AutomateTarget, LineTarget, Target
from engine.domain.applications import CALLS, OUTSIDE
from engine.domain.parameters import Parameter, Parameters, Value
from engine.domain.quotas import Quota, Spent
from engine.domain.rights import ObjectKind, Rights
from engine.domain.structure import Structure

TEXTS = {
    "en": "All {limit} channels of {application} are in use",
    "fr": "Les {limit} voies de {application} sont toutes prises",
}
AGENT = "polyphony"
RETRY_SECONDS = 10
NO_CIRCUIT = "Q.850;cause=34"
"""No circuit or channel is available (ITU-T Q.850), in a Reason header field (RFC 3326, RFC 6432)."""


@dataclass(frozen=True, slots=True)
class EntitlementReading:
    """What the store says. users: the user of each line that has one. strangers: by the key of a company, the domain
    whose parameters hold for whoever has no line of it. cultures: of users and domains, by identity."""

    rights: Rights = field(default_factory=lambda: Rights(Structure()))
    parameters: Parameters = field(default_factory=lambda: Parameters(DECLARED, Structure()))
    quotas: tuple[Quota, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict)
    strangers: Mapping[int, str] = field(default_factory=dict)
    cultures: Mapping[str, str] = field(default_factory=dict)


class Entitlements:
    """The last reading, and the questions calls have."""

    def __init__(self) -> None:
        self._reading = EntitlementReading()

    def use(self, reading: EntitlementReading) -> None:
        """Answer by another reading from now on."""
        self._reading = reading

    def values(self, application: str, line: str | None, company: int) -> dict[str, Value]:
        """What is set of an application's parameters for who calls from ``line``; None: for a stranger."""
        return self._reading.parameters.values(application, self._subject(line, company))

    def value(self, parameter: Parameter, line: str | None, company: int) -> Value:
        """One parameter's."""
        return parameter.of(self.values(parameter.application, line, company))

    def may(self, application: str, line: str | None, company: int) -> bool:
        """Whether the application is open to who calls from ``line``."""
        access = ACCESS.get(application)
        if access is None or self.value(access, line, company) != AUTHORISED:
            return True
        user = None if line is None else self._reading.users.get(line)
        return user is not None and self._reading.rights.may(user, ObjectKind.APPLICATION, application)

    def user_of(self, line: str) -> str | None:
        """The uid of a line's user, if it has one."""
        return self._reading.users.get(line)

    def warning(self, spent: Spent, line: str | None, company: int) -> tuple[tuple[str, str], ...]:
        """The header fields that tell a caller why it is refused (RFC 3261 section 20.43), in its language."""
        culture = self._reading.cultures.get(self._subject(line, company) or "", "en")
        text = TEXTS.get(culture, TEXTS["en"]).format(limit=spent.limit, application=spent.application)
        return (
            ("Warning", f'399 {AGENT} "{text}"'),
            ("Reason", f'{NO_CIRCUIT};text="{text}"'),
            ("Retry-After", str(RETRY_SECONDS)),
        )

    def _subject(self, line: str | None, company: int) -> str | None:
        found = None if line is None else self._reading.users.get(line)
        return self._reading.strangers.get(company) if found is None else found


def application_of(target: Target) -> str:
    """The application that a call to ``target`` uses."""
    match target:
        case AutomateTarget(application=application):
            return application
        case LineTarget():
            return CALLS
    return OUTSIDE
