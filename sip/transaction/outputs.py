"""What the transaction layer asks of its driver, and tells its user (RFC 3261 section 17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.transaction.client import ClientTransaction
    from sip.transaction.matching import ServerKey
    from sip.transaction.server import ServerTransaction
    from sip.transaction.server_invite import ServerInviteTransaction


class Transmit(NamedTuple):
    """Send these bytes on this flow; tell the layer by ``send_failed`` when that is impossible."""

    data: bytes
    flow: Flow
    transaction: ClientTransaction | ServerTransaction | None = None


class RequestReceived(NamedTuple):
    """A new request: ``accept`` it, which makes its transaction, or ``respond_stateless``.

    ``size`` is what it had on the wire, ``key`` what its transaction will be known by.
    """

    request: Request
    flow: Flow
    size: int
    key: ServerKey


class AckReceived(NamedTuple):
    """An ACK to a 2xx, which belongs to the session (RFC 3261 section 13.3.1.4)."""

    request: Request
    flow: Flow


class CancelReceived(NamedTuple):
    """The INVITE of this transaction is cancelled; the 200 to the CANCEL is sent, 487 is to follow."""

    transaction: ServerInviteTransaction


class ResponseReceived(NamedTuple):
    """A response to a request of ours, provisional or final, 100 included."""

    transaction: ClientTransaction
    response: Response
    flow: Flow


class StrayResponse2xx(NamedTuple):
    """A 2xx to an INVITE whose transaction is over: repeated or forked, the session's business."""

    response: Response
    flow: Flow


class TimedOut(NamedTuple):
    """No final response came (Timer B or F), or no ACK (Timer H)."""

    transaction: ClientTransaction | ServerTransaction


class TransportFailed(NamedTuple):
    """The transaction's message could not be sent; it is over."""

    transaction: ClientTransaction | ServerTransaction
    reason: str


class Terminated(NamedTuple):
    """The transaction is over and forgotten."""

    transaction: ClientTransaction | ServerTransaction


Output = (
    Transmit
    | RequestReceived
    | AckReceived
    | CancelReceived
    | ResponseReceived
    | StrayResponse2xx
    | TimedOut
    | TransportFailed
    | Terminated
)
