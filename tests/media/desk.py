"""A worker's dispatch in the test's own process: real sockets on loopback, time in ticks of the test's."""

from __future__ import annotations

from pylibsrtp import Policy, Session

from media import control
from media.dispatch import Dispatch
from media.rtp import RtpPacket
from tests.media.srtp_oracle import Oracle
from tests.media.worker_process import Phone
from tests.port_share import port_share

TICK = 0.02
KEYS = control.SrtpTerms("AEAD_AES_128_GCM", bytes(range(28)), bytes(range(100, 128)))


class Desk:
    """A dispatch that ticks when told."""

    def __init__(self) -> None:
        self.events: list[control.Event] = []
        self.dispatch = Dispatch(self.events.append)
        self.now = 1000.0
        self.do(control.Configure(*port_share().span))

    def do(self, *commands: control.Command) -> None:
        for command in commands:
            self.dispatch.handle(command, self.now)

    def open(self, leg: int, spec: control.LegSpec) -> int:
        self.do(control.OpenLeg(leg, spec))
        opened = self.events[-1]
        assert isinstance(opened, control.LegOpened)
        return opened.local_port

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.now += TICK
            self.dispatch.tick(self.now)

    def final(self, leg: int) -> control.LegStatistics:
        self.do(control.CloseLeg(leg))
        return next(
            each for each in self.events if isinstance(each, control.LegStatistics) and each.leg == leg
        )


class Plain:
    """A phone as it is."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone

    def say(self, payload: bytes, port: int, payload_type: int = 0) -> None:
        self.phone.say(payload, port, payload_type)

    def received(self) -> list[RtpPacket]:
        """What came since the last time."""
        self.phone.listen()
        heard, self.phone.heard = self.phone.heard, []
        return heard


class Secured:
    """A phone that protects what it says by the oracle, and opens what it hears by pylibsrtp's own wrapper."""

    def __init__(self, phone: Phone, terms: control.SrtpTerms = KEYS) -> None:
        self.phone = phone
        self._out = Oracle(terms.suite, terms.receive_key)
        self._in = Session(
            Policy(
                key=terms.send_key,
                ssrc_type=Policy.SSRC_ANY_INBOUND,
                srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
            )
        )

    def say(self, payload: bytes, port: int, payload_type: int = 0) -> None:
        phone = self.phone
        packet = RtpPacket(payload_type, phone.sequence, phone.timestamp, 77, payload).serialise()
        phone.sequence += 1
        phone.timestamp += len(payload)
        phone.rtp.sendto(self._out.protect(packet), ("127.0.0.1", port))

    def received(self) -> list[RtpPacket]:
        """What came since the last time."""
        found = []
        while True:
            try:
                found.append(RtpPacket.parse(self._in.unprotect(self.phone.rtp.recv(2048))))
            except BlockingIOError:
                return found
