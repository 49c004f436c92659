"""What a session asks of its driver, and what it tells the application."""

from __future__ import annotations

import enum
from collections.abc import Hashable
from dataclasses import dataclass

from sip.message import Request, Response
from sip.transfer import Replaces
from sip.uri import NameAddr

ServerKey = Hashable
"""What the driver named an incoming request by; it comes back in `Respond`."""


class EndCause(enum.Enum):
    """Why a session is over."""

    LOCAL_BYE = "local_bye"
    REMOTE_BYE = "remote_bye"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    TRANSPORT = "transport"
    SESSION_EXPIRED = "session_expired"
    ACK_TIMEOUT = "ack_timeout"
    PRACK_TIMEOUT = "prack_timeout"
    BAD_ANSWER = "bad_answer"
    REPLACED = "replaced"


# For the driver


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Start a client transaction; report on it under ``key``."""

    key: int
    request: Request


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Cancel the INVITE client transaction of that key (RFC 3261 section 9.1)."""

    key: int


@dataclass(frozen=True, slots=True)
class SendAck:
    """Send the ACK to a 2xx, outside any transaction; repeated for each repeated 2xx."""

    request: Request


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer an incoming request. A 2xx to INVITE is repeated by the session itself."""

    key: ServerKey
    response: Response


# For the application


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response, 101 to 199, to our call."""

    status: int
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Answered:
    """Our call was answered. ``sdp`` answers our offer; None when the offer was left to the callee."""

    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The caller has our answer (ACK). ``sdp`` answers the offer our 2xx made, if it made one."""

    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """The peer offers; reply by ``answer_offer`` or ``reject_offer``."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class OfferRequested:
    """A re-INVITE without description: the peer wants our offer by ``answer_offer``."""


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to an offer of ours within the session."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """An exchange within the session came to nothing; what was agreed before goes on."""

    status: int


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """INFO with a body of an accepted type; it has been answered 200."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """MESSAGE within the dialog; it has been answered 200."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ReferReceived:
    """The peer asks us to call ``refer_to``; reply by ``accept_refer`` or ``reject_refer``."""

    refer_to: NameAddr
    replaces: Replaces | None
    referred_by: str | None


@dataclass(frozen=True, slots=True)
class ReferProgress:
    """How far the call is that the peer places for our REFER."""

    status: int
    final: bool


@dataclass(frozen=True, slots=True)
class Redirected:
    """A 3xx named other targets; followed already when the settings say so."""

    contacts: tuple[NameAddr, ...]
    followed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over for the application. Comes exactly once, last."""

    cause: EndCause
    status: int | None = None
    reason: str = ""


Event = (
    Progress
    | Answered
    | Confirmed
    | OfferReceived
    | OfferRequested
    | AnswerReceived
    | OfferFailed
    | InfoReceived
    | MessageReceived
    | ReferReceived
    | ReferProgress
    | Redirected
    | Ended
)
Output = SendRequest | CancelRequest | SendAck | Respond | Event
