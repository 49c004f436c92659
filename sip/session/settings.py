"""What the application decides once for its sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from sip.message import Request, Response

T1, T2 = 0.5, 4.0  # seconds, RFC 3261 table 4

METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REFER, NOTIFY"


class CredentialsSource(Protocol):
    """What answers digest challenges; `sip.credentials` has one."""

    def answer(self, response: Response, request: Request, now: float) -> tuple[str, str] | None:
        """The header that answers the challenge of ``response``, None when we must not or cannot."""


@dataclass(frozen=True)
class SessionSettings:
    """Settings of `InviteSession`.

    Attributes:
        random: gives numbers in [0, 1), for RSeq and for the back-off after glare.
        reliable_provisionals: RFC 3262, "never", "supported" (when the peer asks, or a provisional response
            carries a description) or "required".
        session_expires: seconds, what we ask for; 0 asks for nothing (RFC 4028).
        min_se: seconds, the shortest session interval we take.
        refresh_alone: refresh the session of a peer that knows no session timers.
        follow_redirects: how many targets of 3xx responses are tried in turn.
        info_types, info_packages, message_types: what bodies are taken; "text/*" matches a whole type.
    """

    random: Callable[[], float]
    reliable_provisionals: str = "supported"
    session_expires: int = 1800
    min_se: int = 90
    refresh_alone: bool = False
    follow_redirects: int = 0
    info_types: tuple[str, ...] = ("application/dtmf-relay", "application/dtmf")
    info_packages: tuple[str, ...] = ()
    message_types: tuple[str, ...] = ("text/plain",)
    t1: float = T1
    t2: float = T2
    max_auth_tries: int = 2

    @property
    def give_up(self) -> float:
        """64*T1: how long a 2xx waits for its ACK (RFC 3261 section 13.3.1.4)."""
        return 64 * self.t1

    @cached_property
    def option_tags(self) -> tuple[str, ...]:
        """The extensions we have; anything else in Require is answered 420."""
        reliable = () if self.reliable_provisionals == "never" else ("100rel",)
        return (*reliable, "timer", "replaces", "norefersub")

    @cached_property
    def allow(self) -> str:
        """The Allow value."""
        return METHODS if self.reliable_provisionals == "never" else f"{METHODS}, PRACK"

    @cached_property
    def capabilities(self) -> tuple[tuple[str, str], ...]:
        """Allow and Supported, for requests and responses that set up a dialog (RFC 3261 section 13.2.1)."""
        return (("Allow", self.allow), ("Supported", ", ".join(self.option_tags)))
