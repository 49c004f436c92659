"""Bindings of addresses of record to contacts, and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sip.flow import Flow
from sip.uri import NameAddr, Uri


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of one address of record (RFC 3261 section 10)."""

    aor: str
    contact: str
    """The contact's URI, as it was registered."""
    expires_at: float
    """In the time of ``now``: a store that outlives the process has to translate."""
    call_id: str
    cseq: int
    q: int = 1000
    """Preference in thousandths."""
    params: tuple[tuple[str, str | None], ...] = ()
    """Contact parameters besides expires and q, raw: they are given back as they came."""
    path: tuple[str, ...] = ()
    """Path values, the hop next to us first (RFC 3327)."""
    instance_id: str | None = None
    reg_id: int | None = None
    flow: Flow | None = None
    """What it was registered over; requests to the contact go back there (RFC 5626 section 5.3)."""
    user_agent: str = ""
    registered_at: float = 0.0

    @property
    def uri(self) -> Uri:
        """The contact as a URI."""
        return Uri.parse(self.contact)

    def same_contact(self, other: Binding) -> bool:
        """Tell whether ``other`` takes the place of this one (RFC 5626 section 6, RFC 3261 19.1.4)."""
        if self.reg_id is not None and other.reg_id is not None:
            return (self.instance_id, self.reg_id) == (other.instance_id, other.reg_id)
        return self.contact == other.contact or self.uri.equivalent(other.uri)

    def value(self, now: float) -> str:
        """Write the Contact value for a response to REGISTER."""
        contact = NameAddr(None, self.uri, self.params)
        if self.q != 1000:
            contact = contact.with_param("q", f"{self.q / 1000:.3f}".rstrip("0").rstrip("."))
        return str(contact.with_param("expires", str(max(0, round(self.expires_at - now)))))


class BindingStore(Protocol):
    """Keeps bindings. Called in the reactor's thread, so it answers from memory and writes behind."""

    def load(self, aor: str) -> Sequence[Binding]:
        """Give the bindings of an address of record, expired ones too."""

    def save(self, aor: str, bindings: Sequence[Binding]) -> None:
        """Replace the bindings of an address of record, all at once."""

    def delete(self, aor: str) -> None:
        """Forget an address of record."""


class MemoryBindings:
    """A store that lasts as long as the process."""

    def __init__(self) -> None:
        """Begin empty."""
        self._bindings: dict[str, tuple[Binding, ...]] = {}

    def load(self, aor: str) -> Sequence[Binding]:
        """Give the bindings of an address of record."""
        return self._bindings.get(aor, ())

    def save(self, aor: str, bindings: Sequence[Binding]) -> None:
        """Replace the bindings of an address of record."""
        self._bindings[aor] = tuple(bindings)

    def delete(self, aor: str) -> None:
        """Forget an address of record."""
        self._bindings.pop(aor, None)

    def addresses_of_record(self) -> list[str]:
        """List who has bindings."""
        return list(self._bindings)
