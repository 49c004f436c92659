"""CPU of one complete incoming call in the session and SDP layers, without transactions and sockets.

Run: ``python -m bench.session_cost [calls]``. Prints microseconds per call: INVITE with SDP, answer, ACK, BYE,
with and without reading and writing the messages.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

from sip.invite_session import InviteSession
from sip.message import Request, parse_message
from sip.offer_answer import PCMA, PCMU, TELEPHONE_EVENT, LocalMedia, answer
from sip.session.outputs import Respond
from sip.session.settings import SessionSettings
from sip.uri import NameAddr

SDP = (
    "v=0\r\no=user1 53655765 {port} IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
HEAD = (
    "{method} sip:7000@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5061;branch=z9hG4bK-{n}-{method}\r\n"
    "From: sipp <sip:sipp@192.0.2.10:5061>;tag={n}SIPpTag00\r\nTo: <sip:7000@192.0.2.1:5060>{tag}\r\n"
    "Call-ID: {n}-1@192.0.2.10\r\nCSeq: {cseq}\r\nContact: <sip:sipp@192.0.2.10:5061>\r\nMax-Forwards: 70\r\n"
)
CODECS = (PCMA, PCMU, TELEPHONE_EVENT)
CONTACT = NameAddr.parse("<sip:7000@192.0.2.1:5060>")
SETTINGS = SessionSettings(random=random.random)


def message(n: int, method: str, cseq: str, body: str = "") -> bytes:
    tag = "" if method == "INVITE" else ";tag=ours"
    head = HEAD.format(n=n, method=method, cseq=cseq, tag=tag)
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def datagrams(n: int) -> tuple[bytes, bytes, bytes]:
    sdp = SDP.format(port=10000 + 2 * (n % 20000))
    return message(n, "INVITE", "1 INVITE", sdp), message(n, "ACK", "1 ACK"), message(n, "BYE", "2 BYE")


def call(invite: Request, ack: Request, bye: Request, n: int, *, write: bool) -> None:
    now = float(n)
    session = InviteSession.incoming(
        invite, "invite", contact=CONTACT, local_tag="ours", settings=SETTINGS, now=now
    )
    session.trying(now)
    sdp, audio = answer(
        session.remote_offer or b"", CODECS, LocalMedia("192.0.2.1", 40000 + 2 * (n % 9000), n, 1)
    )
    assert audio is not None
    session.answer(sdp, now)
    outputs = session.take_outputs()
    session.receive_ack(ack, now + 0.01)
    outputs += session.take_outputs()
    session.receive_request(bye, "bye", now + 0.1)
    outputs += session.take_outputs()
    assert session.terminated
    if write:
        for output in outputs:
            if isinstance(output, Respond):
                output.response.serialise()


def measure(label: str, run: Callable[[int], None], calls: int) -> None:
    for n in range(200):
        run(n)
    best = min(_timed(run, calls) for _ in range(5))
    print(f"{label}: {best / calls * 1e6:.0f} us per call")


def _timed(run: Callable[[int], None], calls: int) -> float:
    start = time.process_time()
    for n in range(calls):
        run(n)
    return time.process_time() - start


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    wire = [datagrams(n) for n in range(calls)]
    parsed = [(_request(invite), _request(ack), _request(bye)) for invite, ack, bye in wire]
    measure("session and SDP", lambda n: call(*parsed[n], n, write=False), calls)
    measure("with reading and writing", lambda n: call(*read(wire[n]), n, write=True), calls)
    offers = [data[0].partition(b"\r\n\r\n")[2] for data in wire]
    local = LocalMedia("192.0.2.1", 40000, 1, 1)

    def answer_one(n: int) -> None:
        answer(offers[n], CODECS, local)

    measure("answer to one offer", answer_one, calls)


def read(wire: tuple[bytes, bytes, bytes]) -> tuple[Request, Request, Request]:
    return _request(wire[0]), _request(wire[1]), _request(wire[2])


def _request(data: bytes) -> Request:
    found = parse_message(data)
    assert isinstance(found, Request)
    return found


if __name__ == "__main__":
    main()
