"""The telephone events of all legs (RFC 4733): reported as they come in, sent in place of the audio, and
handed across a bridge. A few a second at most, so these are plain objects, by slot."""

from __future__ import annotations

from media.coded_outbound import Packet
from media.dtmf import CLOCK, DigitBegan, DigitEnded, EventReceiver, EventSender
from media.legs import NONE, Digit, DigitsOut, Legs, Output
from media.transmission import Transmission


class Digits:
    """Who is receiving and who is sending events. ``changed``: a leg's audio gives way, or comes back."""

    def __init__(self, legs: Legs, transmission: Transmission, outputs: list[Output]) -> None:
        self._legs = legs
        self._transmission = transmission
        self._outputs = outputs
        self._receivers: dict[int, EventReceiver] = {}
        self._senders: dict[int, EventSender] = {}
        self._asked: set[int] = set()
        self.changed = False

    def change_clock(self, slot: int) -> None:
        """A leg's timestamps count at another rate from now on: what is half said is over."""
        self._receivers.pop(slot, None)
        if slot in self._senders:
            self._over(slot)

    def close(self, slot: int) -> None:
        """Forget a leg."""
        self._receivers.pop(slot, None)
        self._senders.pop(slot, None)
        self._asked.discard(slot)

    def send(self, slot: int, digits: str) -> None:
        """Send digits in place of the leg's audio; ``DigitsOut`` follows."""
        if self._legs.send_event_type[slot] == NONE:
            self._outputs.append(DigitsOut(slot, ok=False))
            return
        self._sender(slot).send(digits)
        self._asked.add(slot)

    def receive(self, slot: int, payload: bytes, timestamp: int, now: float) -> None:
        """Read the payload of one event packet."""
        receiver = self._receivers.get(slot)
        if receiver is None:
            receiver = self._receivers[slot] = EventReceiver(self._clock(slot))
        self._report(slot, receiver.receive(payload, timestamp, now))

    def tick(self, now: float, extra: list[tuple[int, Packet]]) -> None:
        """Put these 20 ms of the events being sent into ``extra``, and end those whose end was lost."""
        if self._senders:
            self._send(extra)
        for slot, receiver in self._receivers.items():
            self._report(slot, receiver.handle_timer(now))

    def _report(self, slot: int, digits: list[DigitBegan | DigitEnded]) -> None:
        """Report digits, and let them cross the bridge."""
        peer = int(self._legs.peer[slot])
        crosses = peer != NONE and self._legs.send_event_type[peer] != NONE
        for digit in digits:
            if isinstance(digit, DigitEnded):
                self._outputs.append(Digit(slot, digit.digit, digit.duration_ms))
                if crosses:
                    self._sender(peer).release(digit.duration_ms)
            elif crosses:
                self._sender(peer).press(digit.digit)

    def _sender(self, slot: int) -> EventSender:
        """The leg's sender of digits; from now on its audio gives way."""
        self._legs.signalling_events[slot] = True
        self.changed = True
        return self._senders.setdefault(slot, EventSender(self._clock(slot)))

    def _clock(self, slot: int) -> int:
        """How the leg's audio counts its timestamps, and so its events."""
        return CLOCK * int(self._transmission.scale[slot])

    def _send(self, extra: list[tuple[int, Packet]]) -> None:
        """Send the digits of the legs that have some; each is a packet of its own, in place of the audio."""
        for slot, sender in list(self._senders.items()):
            packet = sender.tick() if sender.busy else None
            event_type = int(self._legs.send_event_type[slot])
            if packet is not None and self._legs.send[slot] and event_type != NONE:
                data = self._transmission.single(
                    slot, event_type, packet.payload, marker=packet.marker, age=packet.age
                )
                extra.append((slot, data))
            if not sender.busy:
                self._over(slot)

    def _over(self, slot: int) -> None:
        del self._senders[slot]
        self._legs.signalling_events[slot] = False
        self.changed = True
        if slot in self._asked:
            self._asked.discard(slot)
            self._outputs.append(DigitsOut(slot, ok=True))
