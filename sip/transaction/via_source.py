"""The source of a request, noted in its top Via (RFC 3261 section 18.2.1, RFC 3581 section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.flow import Address
    from sip.message import Request


def stamp_source(request: Request, source: Address) -> None:
    """Write ``received`` and ``rport`` into the top Via; what the network claimed there is replaced.

    They are for the peer to read. We answer to the source of the packet whatever they say.
    """
    via = request.via
    wants_rport = via.wants_rport
    if not wants_rport and via.received is None and via.host == source.host:
        return
    line = f"{request.headers.get('Via')};"
    if ";rport;" in line and via.received is None and "," not in line and '"' not in line:
        # What nearly every phone sends; the general way costs four times as much.
        filled = line.replace(";rport;", f";rport={source.port};received={source.host};", 1)
        request.headers.set_first("Via", filled[:-1])
        return
    changed = via.with_params(received=source.host)
    request.replace_top_via(changed.with_params(rport=source.port) if wants_rport else changed)
