"""The SIP trace: messages in the log, secrets masked, all of them or those of one number (``log.sip``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from sip.trace import concerns, masked

if TYPE_CHECKING:
    from sip.flow import Flow

log = Logger()

EVERYTHING = "all"


class SipTrace:
    """Logs each message it is given that concerns ``wanted``: ``all``, or a number."""

    def __init__(self, wanted: str) -> None:
        self._number = None if wanted == EVERYTHING else wanted

    def __call__(self, way: str, data: bytes, flow: Flow) -> None:
        """way: ``from`` or ``to`` the far end of ``flow``."""
        if not data.strip(b"\r\n\0") or (self._number is not None and not concerns(data, self._number)):
            return
        remote = flow.remote
        log.info(
            "sip {way} {transport} {host}:{port}: {message}",
            way=way,
            transport=remote.transport,
            host=remote.host,
            port=remote.port,
            message=masked(data),
        )


def trace_of(wanted: str) -> SipTrace | None:
    """The trace that ``log.sip`` asks for; None for none."""
    return SipTrace(wanted) if wanted else None
