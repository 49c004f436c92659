"""The two families of errors of the SIP layer: ours, and theirs.

``Misuse`` is a bug of the caller and loud; ``ParseError`` is what a peer sent us, carries the status to
answer with and a stable label for the counters, and is the only exception that network input can draw from
the message layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.message import Request, Response


class SipError(Exception):
    """Anything that went wrong in the SIP layer."""


class Misuse(SipError):
    """We broke the rules: a header value with a line break, a message without its mandatory headers."""


class ParseError(SipError):
    """The peer broke the rules.

    Attributes:
        label: stable counter label, for instance ``cseq_range``; never text of the peer.
        status: what to answer when the message is a request that can be answered.
        message: what could be read, for ``response_to``; None when nothing may be answered (a response, an
            ACK, no Via): drop. Only its raw headers are sure to be readable; its typed properties may raise
            again.
        detail: what was expected, for the log of an operator.
    """

    def __init__(
        self, label: str, detail: str = "", *, status: int = 400, message: Request | Response | None = None
    ) -> None:
        super().__init__(label, detail)
        self.label = label.replace("-", "_")  # header names come with dashes, counter names do not
        self.detail = detail
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return f"{self.label}: {self.detail}" if self.detail else self.label
