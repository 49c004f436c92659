"""What has to be known of a session to go on with it in another process.

Only of one that was answered: a call that still rings ends with its process. Times are those of the monotonic
clock, which all processes of one boot share.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DialogSnapshot:
    """A dialog (RFC 3261 section 12): see :class:`sip.dialog.Dialog`."""

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    remote: str
    contact: str
    remote_target: str
    routes: list[str]
    loose: bool
    local_cseq: int
    remote_cseq: int | None


@dataclass(frozen=True, slots=True)
class AckSnapshot:
    """The ACK to the 2xx of our INVITE, to be said again when that comes again: number, credentials, body."""

    cseq: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session that was answered.

    accepted: our 2xx that waits for its ACK; our_offer: the ACK is to bring the answer to the offer in it.
    interval, we_refresh, refresh_at, expires_at: of the session timer (RFC 4028).
    """

    dialog: DialogSnapshot
    is_caller: bool
    local_sdp: bytes | None
    peer_allow: list[str]
    interval: int | None
    we_refresh: bool
    refresh_at: float | None
    expires_at: float | None
    ack: AckSnapshot | None
    accepted: bytes | None
    our_offer: bool
