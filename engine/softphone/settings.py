"""What a softphone is told before it starts, and what it says afterwards: plain values, no pjsua2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TransportName = Literal["udp", "tcp", "tls"]
DtmfMethod = Literal["rfc4733", "info"]
SessionTimer = Literal["off", "optional", "required", "always"]
Srtp = Literal["off", "optional", "required"]
Reliable = Literal["off", "optional", "required"]


class SoftphoneError(Exception):
    """The phone could not do what it was asked; ``status`` is the SIP status when the far end said why."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class WaitedTooLong(SoftphoneError):
    """What was waited for did not happen in time."""


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """One phone: one account on one transport (pjsua2 aborts the process on the ninth account; we use one).

    ``uri`` empty means ``sip:phone@<local address>``; without a registrar it calls and is called directly.
    """

    uri: str = ""
    registrar: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    transport: TransportName = "udp"
    host: str = ""  # local address to bind; empty = every one
    port: int = 0
    ca_file: str = ""  # with one, the server's certificate is checked (TLS)
    certificate: str = ""  # our own, needed to be called over TLS
    key: str = ""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    expires: int = 300  # seconds asked of the registrar
    answer_with: int = 0  # status sent at once to an incoming call; 0 = wait for ``answer``
    session_timer: SessionTimer = "optional"
    session_expires: int = 1800  # seconds, RFC 4028 (90 at least)
    reliable: Reliable = "off"  # 100rel, RFC 3262
    srtp: Srtp = "off"  # keys by SDP, over any transport; optional: beside plain RTP/AVP (RFC 8643)
    suites: tuple[str, ...] = ()  # of SRTP, in order of preference; empty: the library's
    device: bool = False  # real microphone and loudspeaker instead of files
    log_file: str = ""


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """Something that happened. ``kind`` is one of:

    ``registration`` (code, text); ``incoming`` (text = caller); ``state`` (text = call state, code = last
    status); ``media`` (text = active, local_hold, remote_hold, none or error); ``digit`` (text = digit, extra
    = rfc4733 or info); ``played`` (a file that does not loop has ended); ``transfer`` (code, text, extra =
    final for the last report); ``transfer_asked`` (text = target); ``replaced`` (code = number of the call
    that took over); ``message`` (text).
    """

    kind: str
    call: int = -1
    text: str = ""
    code: int = 0
    extra: str = ""


@dataclass(frozen=True, slots=True)
class CallStatus:
    """How a call stands. ``status`` and ``reason`` are the last SIP answer; counters are RTP's."""

    number: int
    state: str
    status: int
    reason: str
    media: str
    remote: str
    call_id: str
    codec: str = ""
    sent_packets: int = 0
    received_packets: int = 0
    lost_packets: int = 0
    round_trip_ms: float = 0.0
