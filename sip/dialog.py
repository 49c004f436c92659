"""Dialogs (RFC 3261 section 12): who talks to whom, along which route, and in which order."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import NamedTuple

from sip.headers import Headers
from sip.message import Request, Response
from sip.session.snapshot import DialogSnapshot
from sip.uri import NameAddr

# Requests that may move the remote target (RFC 3261 section 12.2, RFC 3311, RFC 6665 section 4.4.1).
TARGET_REFRESH = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})
MAX_CSEQ = 2**31 - 1
UNSEEN_REQUESTS = 10
"""Requests a process may have sent between its last snapshot and its death; a gap in CSeq is allowed (12.2.2)."""


class DialogId(NamedTuple):
    """RFC 3261 section 12: what both ends know the dialog by. A missing tag (RFC 2543) is ""."""

    call_id: str
    local_tag: str
    remote_tag: str


class DialogState(enum.Enum):
    """How far the dialog is."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Dialog:
    """One dialog, from either side.

    ``local`` and ``remote`` are the whole From and To values of our requests, tags included.
    """

    __slots__ = (
        "_loose",
        "_routes",
        "contact",
        "id",
        "local",
        "local_cseq",
        "remote",
        "remote_cseq",
        "remote_target",
        "state",
    )

    def __init__(
        self,
        identity: DialogId,
        *,
        local: str,
        remote: str,
        contact: str,
        remote_target: str,
        routes: list[str],
        loose: bool,
        local_cseq: int = 0,
        remote_cseq: int | None = None,
    ) -> None:
        self.id = identity
        self.local = local
        self.remote = remote
        self.contact = contact
        self.remote_target = remote_target
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.state = DialogState.EARLY
        self._routes = routes
        self._loose = loose

    @classmethod
    def as_uas(cls, request: Request, local_tag: str, contact: NameAddr | str) -> Dialog:
        """The dialog an incoming request makes when we answer it with ``local_tag`` (section 12.1.1)."""
        routes = request.record_routes
        contacts = request.contacts
        return cls(
            DialogId(request.call_id, local_tag, request.from_tag or ""),
            local=f"{request.headers.get('to')};tag={local_tag}",
            remote=request.headers.get("from") or "",
            contact=str(contact),
            remote_target=str(contacts[0].uri) if contacts else str(request.from_.uri),
            routes=[str(route) for route in routes],
            loose=not routes or routes[0].uri.has_param("lr"),
            remote_cseq=request.cseq.number,
        )

    @classmethod
    def as_uac(cls, request: Request, response: Response) -> Dialog:
        """The dialog that a response with a To tag makes of our request (section 12.1.2)."""
        routes = response.record_routes[::-1]
        contacts = response.contacts
        return cls(
            DialogId(request.call_id, request.from_tag or "", response.to_tag or ""),
            local=request.headers.get("from") or "",
            remote=response.headers.get("to") or "",
            contact=request.headers.get("contact") or "",
            remote_target=str(contacts[0].uri) if contacts else request.uri,
            routes=[str(route) for route in routes],
            loose=not routes or routes[0].uri.has_param("lr"),
            local_cseq=request.cseq.number,
        )

    @classmethod
    def restored(cls, snapshot: DialogSnapshot) -> Dialog:
        """A confirmed dialog of another process. Our numbers go on above any that one may still have used."""
        dialog = cls(
            DialogId(snapshot.call_id, snapshot.local_tag, snapshot.remote_tag),
            local=snapshot.local,
            remote=snapshot.remote,
            contact=snapshot.contact,
            remote_target=snapshot.remote_target,
            routes=list(snapshot.routes),
            loose=snapshot.loose,
            local_cseq=snapshot.local_cseq + UNSEEN_REQUESTS,
            remote_cseq=snapshot.remote_cseq,
        )
        dialog.state = DialogState.CONFIRMED
        return dialog

    def snapshot(self) -> DialogSnapshot:
        """What another process needs to go on with it."""
        return DialogSnapshot(
            *self.id,
            self.local,
            self.remote,
            self.contact,
            self.remote_target,
            list(self._routes),
            self._loose,
            self.local_cseq,
            self.remote_cseq,
        )

    @property
    def route_set(self) -> tuple[str, ...]:
        """The route set as Route values, the next hop first."""
        return tuple(self._routes)

    def next_cseq(self) -> int:
        """Take the next number of our side (section 12.2.1.1)."""
        self.local_cseq = self.local_cseq + 1 if self.local_cseq < MAX_CSEQ else 1
        return self.local_cseq

    def new_request(
        self,
        method: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
        *,
        cseq: int | None = None,
    ) -> Request:
        """Build a request within the dialog (section 12.2.1.1), without a Via.

        Args:
            cseq: for ACK, the number of the INVITE; every other request takes the next one.
        """
        uri, routes = self._target()
        fields = [("Route", route) for route in routes]
        fields += [
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.id.call_id),
            ("CSeq", f"{self.next_cseq() if cseq is None else cseq} {method}"),
        ]
        if method in TARGET_REFRESH:
            fields.append(("Contact", self.contact))
        fields += headers
        if body:
            fields.append(("Content-Type", content_type or "application/octet-stream"))
        return Request(method, uri, Headers(fields), body)

    def in_order(self, request: Request) -> bool:
        """Take the CSeq of an incoming request; False when it is not above the last one (section 12.2.2)."""
        number = request.cseq.number
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """Follow the Contact of a target refresh request or of its 2xx (section 12.2.1.2, 12.2.2)."""
        contacts = message.contacts
        if contacts:
            self.remote_target = str(contacts[0].uri)

    def confirm(self, response: Response | None = None) -> None:
        """Become confirmed; a 2xx brings the route set and the target anew (section 13.2.2.4)."""
        self.state = DialogState.CONFIRMED
        if response is None:
            return
        routes = response.record_routes[::-1]
        self._routes = [str(route) for route in routes]
        self._loose = not routes or routes[0].uri.has_param("lr")
        self.refresh_target(response)

    def terminate(self) -> None:
        """Mark it as over."""
        self.state = DialogState.TERMINATED

    def _target(self) -> tuple[str, list[str]]:
        """Request-URI and Route values; a strict router gets its URI in the request line."""
        if self._loose:
            return self.remote_target, self._routes
        first = NameAddr.parse(self._routes[0]).uri
        return str(first), [*self._routes[1:], f"<{self.remote_target}>"]
