"""What the store hands out: frozen records, with every secret kept out of ``repr``.

A record with ``id`` 0 is not stored yet. Times are Unix seconds (wall clock), since they outlive the
process. ``company_id``: the company it belongs to; ``key``: what sets it apart from other companies' of that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.domain.scope import DEFAULT_COMPANY, scoped

DtmfMode = Literal["auto", "rfc4733", "info", "inband"]
"""``auto``: events (RFC 4733) where the peer has them, else the sound. ``rfc4733``: events only. ``info``: INFO, in and
out. ``inband``: the sound, whatever the peer offers. Digits by INFO are taken in every mode."""
DTMF_MODES: tuple[DtmfMode, ...] = ("auto", "rfc4733", "info", "inband")
SrtpMode = Literal["off", "optional", "required"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A SIP link to a PBX."""

    name: str
    host: str
    port: int | None = None  # None: found by RFC 3263, or the transport's own
    transport: str = "udp"  # udp, tcp or tls
    pbx_type: str = "generic"
    realm: str | None = None  # the only realm whose challenges are answered (security C5); None: the host
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    register: bool = True
    rate_limit: int | None = None  # requests/s from this PBX; None: limits.link_rate
    nat: bool = False
    dtmf: DtmfMode = "auto"
    symmetric: bool = False  # its media comes from the address its SDP names (RFC 4961): calls share a port
    dialled_prefixes: str = ""  # prefixes our lines may dial over it, separated by spaces; empty: none
    enabled: bool = True
    srtp: SrtpMode | None = None  # None: media.srtp
    company_id: int = DEFAULT_COMPANY
    id: int = 0

    @property
    def key(self) -> str:
        """Its scoped name."""
        return scoped(self.name, self.company_id)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """``dialled_prefixes``, one by one."""
        return tuple(self.dialled_prefixes.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomateRange:
    """Consecutive numbers that one application answers: ``first_number`` and ``count`` - 1 after it."""

    first_number: str
    application: str
    count: int = 1
    link_id: int | None = None  # the PBX it registers on; None: none, it is called here
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, object] = field(default_factory=dict)
    enabled: bool = True
    company_id: int = DEFAULT_COMPANY
    id: int = 0

    def numbers(self) -> list[str]:
        """Every number of the range, leading zeros kept."""
        return [self._number(index) for index in range(self.count)]

    @property
    def last_number(self) -> str:
        """The last number of the range."""
        return self._number(self.count - 1)

    def __contains__(self, number: str) -> bool:
        """Whether ``number`` is one of the range; 0100 and 100 are two numbers."""
        same_length = is_digits(number) and len(number) == len(self.first_number)
        return same_length and self.first_number <= number <= self.last_number

    def _number(self, index: int) -> str:
        return str(int(self.first_number) + index).zfill(len(self.first_number))

    def overlaps(self, other: AutomateRange) -> bool:
        """Whether a number is in both ranges."""
        return other.first_number in self or self.first_number in other


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A number a phone registers under with our own registrar."""

    number: str
    display_name: str = ""
    realm: str
    ha1: Mapping[str, str] = field(repr=False)  # digest algorithm -> HA1 in hexadecimal
    enabled: bool = True
    srtp: SrtpMode | None = None  # None: that of the link or of media.srtp
    company_id: int = DEFAULT_COMPANY
    id: int = 0

    @property
    def key(self) -> str:
        """Its scoped number."""
        return scoped(self.number, self.company_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An imported announcement."""

    name: str
    path: str
    seconds: float
    sha256: str  # of the source, so that importing the same file again is recognised
    source_name: str = ""
    company_id: int = DEFAULT_COMPANY
    id: int = 0

    @property
    def key(self) -> str:
        """Its scoped name."""
        return scoped(self.name, self.company_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording, from its first second on."""

    number: str  # the automate that recorded
    caller: str
    path: str
    started_at: float
    seconds: float
    reason: str  # what ended it; empty while it is being made
    company_id: int = DEFAULT_COMPANY
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call that was answered and is over: one party's, so a call between two has two.

    number: the other side's. direction: ``in`` or ``out``. seconds: since it was answered. late: packets that came
    after their turn. delay_ms: one way. mos_*: of what we heard (G.107), None when that was too little; remote_mos:
    what the other side says it heard (RFC 3611).
    """

    call_id: str
    number: str
    direction: str
    link: str
    codec: str
    started_at: float
    seconds: float
    packets_sent: int
    packets_received: int
    lost: int
    late: int
    remote_lost: int
    jitter_average_ms: float
    jitter_most_ms: float
    delay_ms: float | None
    mos_lowest: float | None
    mos_average: float | None
    remote_mos: float | None
    company_id: int = DEFAULT_COMPANY
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCall:
    """A call that is over, as one of our numbers remembers it.

    line: that number, of a line, an automate or a room. user: the uid of the line's user. direction: ``in``, ``out`` or
    ``missed``. number, name: of the other side. seconds: since it was answered. recording: its name.
    """

    company_id: int
    line: str
    user: str | None
    direction: str
    number: str
    name: str
    started_at: float
    seconds: float
    answered_by: str
    recording: str
    call_id: str


def is_digits(text: str) -> bool:
    """Whether ``text`` is ASCII digits only; ``str.isdigit`` also takes those of other scripts."""
    return text.isascii() and text.isdigit()
