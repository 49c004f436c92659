"""How large an answer a stranger may draw over UDP: his address may be forged (security rules D1 and D5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.message import Response

MAX_RATIO = 1.5
MAX_BYTES = 1_300
SMALL_REQUEST = 200
"""Bytes; the answer to a request below it has no optional headers."""
OPTIONAL = (
    *("Server", "User-Agent", "Date", "Organization", "Warning", "Call-Info", "Error-Info", "Alert-Info"),
    *("Accept-Language", "Accept-Encoding", "Accept", "Allow-Events", "Supported", "Allow", "Timestamp"),
)
"""In the order in which they go."""
CHALLENGES = ("WWW-Authenticate", "Proxy-Authenticate")


def fit(response: Response, request_size: int) -> bytes | None:
    """Write the response within what a stranger's request of that size may draw; None if impossible.

    Optional headers go first, then the reason phrase, then all challenges but the first.
    """
    limit = min(MAX_BYTES, int(request_size * MAX_RATIO))
    if request_size < SMALL_REQUEST:
        for name in OPTIONAL:
            response.headers.remove(name)
    data = response.serialise()
    if len(data) <= limit:
        return data
    for name in OPTIONAL:
        if name in response.headers:
            response.headers.remove(name)
            data = response.serialise()
            if len(data) <= limit:
                return data
    response.reason = ""
    for name in CHALLENGES:
        offered = response.headers.get_all(name)
        if len(offered) > 1:
            response.headers.set(name, offered[0])
    data = response.serialise()
    return data if len(data) <= limit else None
