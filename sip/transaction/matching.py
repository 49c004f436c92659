"""Which transaction a message belongs to (RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response

MAGIC_COOKIE = "z9hG4bK"
"""Begins every branch of RFC 3261 (8.1.1.7); without it the RFC 2543 rules apply."""

ClientKey = tuple[str, str]
"""Branch and CSeq method."""
ServerKey = tuple[str, str, int | None, str]
"""Branch, sent-by host and port, and method (INVITE for its ACK)."""
MergeKey = tuple[str | None, str, int, str]
"""From tag, Call-ID, CSeq number and method."""


def client_key(response: Response) -> ClientKey:
    """Name the client transaction of a response (17.1.3)."""
    return response.via.branch or "", response.cseq.method


def server_key(request: Request, method: str) -> ServerKey:
    """Name the server transaction of a request (17.2.3), ``method`` being the one it acts on."""
    via = request.via
    branch = via.branch
    if branch and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return branch, via.host.lower(), via.port, method
    return _key_2543(request, method)


def _key_2543(request: Request, method: str) -> ServerKey:
    """Name it as RFC 2543 did: by everything that a repeat, its ACK and its CANCEL have in common.

    The To tag is not part of it, because an ACK has one that its INVITE had not; the layer
    compares that tag with the one we gave.
    """
    via = request.via
    parts = (
        request.uri,
        request.from_tag or "",
        request.call_id,
        str(request.cseq.number),
        via.branch or "",
    )
    return "\n".join(parts), via.host.lower(), via.port, method


def is_2543(key: ServerKey) -> bool:
    """Tell whether a key was made by the RFC 2543 rules."""
    return "\n" in key[0]


def merge_key(request: Request) -> MergeKey:
    """Name what is the same in all copies of a request that forked on its way to us (8.2.2.2)."""
    cseq = request.cseq
    return request.from_tag, request.call_id, cseq.number, cseq.method


def same_sender(flow: Flow, other: Flow) -> bool:
    """Tell whether two flows end at one peer: one socket over UDP, one host over streams.

    The address of a stream cannot be forged, but its port changes with each connection.
    """
    if flow.remote == other.remote:
        return True
    return bool(flow.connection and other.connection) and flow.remote.host == other.remote.host


def new_branch(token: str, request: Request) -> str:
    """Make a branch that also carries a hash of what a loop leaves unchanged (16.6 point 8)."""
    return f"{MAGIC_COOKIE}{token}.{loop_hash(request)}"


def loop_hash(request: Request) -> str:
    """Hash the parts of a request by which a loop is told from a spiral (16.3 point 4)."""
    parts = f"{request.uri}\n{request.call_id}\n{request.cseq.number}"
    return hashlib.blake2b(parts.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()


def has_looped(request: Request, sent_by: str) -> bool:
    """Tell whether one of our own requests came back through others, its target unchanged.

    A request that returns with another Request-URI is a spiral and welcome: that is how one of our
    numbers reaches another through a PBX. The top Via is not looked at: we may well call ourselves.
    """
    mine = f".{loop_hash(request)}"
    for via in request.vias[1:]:
        host = f"[{via.host}]" if ":" in via.host else via.host
        if (via.branch or "").endswith(mine) and f"{host}:{via.port}" == sent_by:
            return True
    return False
