"""The digits of all legs, as telephone events (RFC 4733) or in the sound: reported as they come in, sent in
place of the audio, and handed across a bridge.

Hearing digits in the sound is an array program over the legs that ask for it; all else happens a few times a
second at most, so these are plain objects, by slot.
"""

from __future__ import annotations

import numpy as np

from media.codecs.g711 import alaw_encode, ulaw_encode
from media.coded import CodedLegs
from media.coded_outbound import Packet
from media.dtmf import CLOCK, DigitBegan, DigitEnded, EventReceiver, EventSender
from media.inband_dtmf import InbandReceiver, Sound, ToneSender
from media.legs import NONE, Digit, DigitsOut, Legs, Output
from media.rtp import Flags, Integers
from media.tones import RATE
from media.transmission import Transmission


class Digits:
    """Who is receiving and who is sending digits. ``changed``: a leg's audio gives way, or comes back."""

    def __init__(
        self, legs: Legs, transmission: Transmission, coded: CodedLegs, outputs: list[Output]
    ) -> None:
        self._legs = legs
        self._coded = coded
        self.inband = InbandReceiver(len(legs.open))
        self._transmission = transmission
        self._outputs = outputs
        self._receivers: dict[int, EventReceiver] = {}
        self._senders: dict[int, EventSender | ToneSender] = {}
        self._asked: set[int] = set()
        self.changed = False
        self.pressed: list[int] = []
        """Slots where a key went down since the plane last looked."""

    def change_clock(self, slot: int) -> None:
        """A leg's events count at another rate from now on: what is half said is over."""
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
        if not self._can_send(slot):
            self._outputs.append(DigitsOut(slot, ok=False))
            return
        self._sender(slot).send(digits)
        self._asked.add(slot)

    def _can_send(self, slot: int) -> bool:
        return bool(self._legs.send_event_type[slot] != NONE or self._legs.inband[slot])

    def receive(self, slot: int, payload: bytes, timestamp: int, now: float) -> None:
        """Read the payload of one event packet."""
        receiver = self._receivers.get(slot)
        if receiver is None:
            receiver = self._receivers[slot] = EventReceiver(int(self._legs.event_clock[slot]))
        self._report(slot, receiver.receive(payload, timestamp, now))

    def hear(self, slots: Integers, sound: Sound, in_room: Flags) -> Integers:
        """Listen for digits in the sound. slots: int64 [n], all different; sound: float32 [n, 160] at 8 kHz.

        in_room: bool [n]: others hear the leg in a room.

        Returns the rows whose sound is to be kept from others: a digit is in it.
        """
        for slot, event in self.inband.receive(slots, sound):
            self._report(slot, [event], in_sound=True)
        legs, peer = self._legs, self._legs.peer[slots]
        as_events = (peer != NONE) & (legs.send_event_type[peer] != NONE)
        return np.flatnonzero((self.inband.digit[slots] != NONE) & legs.hush[slots] & (as_events | in_room))

    def tick(self, now: float, extra: list[tuple[int, Packet]], law: Integers) -> None:
        """Put these 20 ms of the digits being sent into ``extra``, and end events whose end was lost.

        law: int64 [capacity], of every slot.
        """
        if self._senders:
            self._send(extra, law)
        for slot, receiver in self._receivers.items():
            self._report(slot, receiver.handle_timer(now))

    def crosses(self, slot: int, *, in_sound: bool) -> bool:
        """Whether a leg's digits are sent again on the leg it is bridged to; the sound itself needs no help."""
        peer = int(self._legs.peer[slot])
        if peer == NONE:
            return False
        if in_sound:
            return bool(self._legs.send_event_type[peer] != NONE and self._legs.hush[slot])
        return self._can_send(peer)

    def _report(self, slot: int, digits: list[DigitBegan | DigitEnded], *, in_sound: bool = False) -> None:
        """Report digits, and let them cross the bridge."""
        crosses = self.crosses(slot, in_sound=in_sound)
        peer = int(self._legs.peer[slot])
        for digit in digits:
            if isinstance(digit, DigitBegan):
                self.pressed.append(slot)
            if isinstance(digit, DigitEnded):
                self._outputs.append(Digit(slot, digit.digit, digit.duration_ms))
                if crosses:
                    self._sender(peer).release(digit.duration_ms)
            elif crosses:
                self._sender(peer).press(digit.digit)

    def _sender(self, slot: int) -> EventSender | ToneSender:
        """The leg's sender of digits; from now on its audio gives way."""
        self._legs.signalling_events[slot] = True
        self.changed = True
        sender = self._senders.get(slot)
        if sender is None:
            events = self._legs.send_event_type[slot] != NONE
            sender = self._senders[slot] = (
                EventSender(int(self._legs.event_clock[slot])) if events else ToneSender()
            )
        return sender

    def _send(self, extra: list[tuple[int, Packet]], law: Integers) -> None:
        """Send the digits of the legs that have some; each is a packet of its own, in place of the audio."""
        for slot, sender in list(self._senders.items()):
            if sender.busy and isinstance(sender, ToneSender):
                extra += self._tone_packets(slot, sender, int(law[slot]))
            elif sender.busy and isinstance(sender, EventSender):
                extra += self._event_packets(slot, sender)
            if not sender.busy:
                self._over(slot)

    def _event_packets(self, slot: int, sender: EventSender) -> list[tuple[int, Packet]]:
        packet = sender.tick()
        event_type = int(self._legs.send_event_type[slot])
        if packet is None or event_type == NONE or not self._legs.send[slot]:
            return []
        # the timestamp is the stream's, whatever the events' own clock
        stream_clock = CLOCK * int(self._transmission.scale[slot])
        age = packet.age * stream_clock // int(self._legs.event_clock[slot])
        data = self._transmission.single(slot, event_type, packet.payload, marker=packet.marker, age=age)
        return [(slot, data)]

    def _tone_packets(self, slot: int, sender: ToneSender, law: int) -> list[tuple[int, Packet]]:
        row = int(self._coded.index[slot])
        sound = sender.tick(RATE if row == NONE else int(self._coded.rate[row]))
        if not self._legs.send[slot]:
            return []
        if row != NONE:
            return self._coded.outbound.say(slot, sound)
        octets = (alaw_encode if law else ulaw_encode)(sound).tobytes()
        payload_type = int(self._transmission.packets["second"][slot]) & 0x7F
        return [(slot, self._transmission.single(slot, payload_type, octets, marker=False))]

    def _over(self, slot: int) -> None:
        del self._senders[slot]
        self._legs.signalling_events[slot] = False
        self.changed = True
        if slot in self._asked:
            self._asked.discard(slot)
            self._outputs.append(DigitsOut(slot, ok=True))
