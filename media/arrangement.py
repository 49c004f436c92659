"""Who sends what: worked out after a change, and then used tick after tick."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.codecs.g711 import (
    ALAW_TO_ULAW,
    ULAW_TO_ALAW,
    alaw_decode,
    alaw_encode,
    ulaw_decode,
    ulaw_encode,
)
from media.coded import CodedLegs
from media.coded_playing import CodedPlaying
from media.hooks import Hooks
from media.jitter_buffer import Frames, JitterBuffer
from media.legs import NONE, Legs
from media.mixer import Mixer
from media.player import SPEECH_LEVEL, Player
from media.rtp import FRAME, Flags, Integers
from media.transmission import Transmission

_TRANSLATE = np.stack([np.frombuffer(ULAW_TO_ALAW, np.uint8), np.frombuffer(ALAW_TO_ULAW, np.uint8)])
"""uint8 [law of the source, octet]: the octet in the other law."""


Sound = npt.NDArray[np.float32]
_NO_SLOTS: Integers = np.zeros(0, np.int64)
_RAMP = np.arange(1, FRAME + 1, dtype=np.float32) / np.float32(FRAME)


def _slots(flags: Flags) -> Integers:
    """Where a column of flags is set; ``np.flatnonzero`` takes twice as long for as few as there are."""
    return flags.nonzero()[0]


class Arrangement:
    """The legs by what they send. Playing goes before a room, a room before a bridge, a bridge before echo.

    Legs of G.711 and coded legs stand apart: the frames of the one are copied from array to array, the others have
    coders (``media.coded``).
    """

    def __init__(
        self,
        legs: Legs,
        jitter_buffer: JitterBuffer,
        player: Player,
        transmission: Transmission,
        coded: CodedLegs,
        mixer: Mixer,
        hooks: Hooks,
        coded_playing: CodedPlaying,
    ) -> None:
        self._coded_playing = coded_playing
        self._hooks = hooks
        self._coded = coded
        self._legs = legs
        self._jitter_buffer = jitter_buffer
        self._player = player
        self._transmission = transmission
        self._mixer = mixer
        self._marked: Integers = np.zeros(0, np.int64)
        self._marked_generation = 0
        self.generation = 0
        """Changes whenever ``senders`` or the memory of the packets does."""
        self.is_heard: Flags = np.zeros(0, np.bool_)
        """bool [capacity]: somebody listens to the leg, so that its queue is read."""
        self.heard: Integers = np.zeros(0, np.int64)
        """The slots of ``is_heard`` that speak G.711; the frames of a tick are in this order."""
        self.players: Integers = np.zeros(0, np.int64)
        self.under: Integers = np.zeros(0, np.int64)
        """Those that hear their room and a prompt."""
        self._shaped: Integers = np.zeros(0, np.int64)
        """These, and those that hear their room louder or softer."""
        self._gained: Integers = np.zeros(0, np.int64)
        self.interruptible: Integers = np.zeros(0, np.int64)
        """Those whose voice stops a prompt, of those that speak G.711, and where in ``heard`` they are."""
        self.interruptible_at: Integers = np.zeros(0, np.int64)
        self.coded_interruptible: Integers = np.zeros(0, np.int64)
        """Those that speak G.711 and are played to."""
        self.coded_heard: Integers = np.zeros(0, np.int64)
        self.coded_passable: Integers = np.zeros(0, np.int64)
        """Those of ``coded_heard`` whom only a room hears: silent, they need not be decoded."""
        self.coded_echoes: Integers = np.zeros(0, np.int64)
        self.coded_recorded: Integers = np.zeros(0, np.int64)
        self.may_send: Flags = np.zeros(0, np.bool_)
        """bool [capacity]: the leg's sound may go out, digits do not take its place."""
        self.senders: Integers = np.zeros(0, np.int64)
        self.inband: Integers = np.zeros(0, np.int64)
        """The slots whose sound is searched for digits, of those that speak G.711."""
        self.coded_inband: Integers = np.zeros(0, np.int64)
        self.inband_at: Integers = np.zeros(0, np.int64)
        self.recorded: Integers = np.zeros(0, np.int64)
        self.recorded_at: Integers = np.zeros(0, np.int64)
        """Where in ``heard`` each of ``recorded`` is."""
        self.update()

    def update(self) -> None:
        """Work it out anew, after a change: with every call that comes or goes, so what is not there costs little."""
        legs, player, laws = self._legs, self._player, self._jitter_buffer.law
        free = legs.open & legs.send & ~legs.signalling_events & (legs.payload_type != NONE)
        in_room = legs.open & (self._mixer.people.room != NONE)
        joined = legs.open & (legs.peer != NONE)
        coded = self._coded.index != NONE
        self.may_send = free
        under = player.playing & player.under & in_room
        cutting = player.playing & ~under
        speaking = player.stop_on_speech & player.playing & legs.open
        listened_to = speaking | legs.echo | legs.recording | joined | in_room | legs.inband
        self.is_heard = (listened_to | self._hooks.asked_for) & legs.open
        joined &= ~in_room
        echoed = free & legs.echo & ~joined & ~in_room & ~player.playing
        hearing = free & in_room & ~cutting
        inband = legs.open & legs.inband & legs.receive
        recorded = legs.open & legs.recording
        people = self._mixer.people
        turned = hearing & ((people.volume != 1) | (people.volume_now != 1))
        self._coded_playing.arrange(free & cutting & coded, free & under & coded, turned & coded)
        if coded.any():
            self.coded_heard = _slots(self.is_heard & coded)
            otherwise = speaking | legs.echo | legs.recording | legs.inband | self._hooks.asked_for
            self.coded_passable = _slots(in_room & coded & ~otherwise & (legs.peer == NONE))
            self.coded_echoes = _slots(echoed & coded)
            self.coded_recorded = _slots(recorded & coded)
            self.coded_interruptible = _slots(speaking & coded)
            self.coded_inband = _slots(inband & coded)
            plain = ~coded
            joined &= plain & plain[legs.peer]
            free, echoed, recorded = free & plain, echoed & plain, recorded & plain
            speaking, inband = speaking & plain, inband & plain
            self.heard = _slots(self.is_heard & plain)
            self._mixed = _slots(hearing & plain)
        else:
            self.coded_heard = self.coded_echoes = self.coded_recorded = _NO_SLOTS
            self.coded_interruptible = self.coded_inband = self.coded_passable = _NO_SLOTS
            self.heard = _slots(self.is_heard)
            self._mixed = _slots(hearing)
        where = np.zeros(len(legs.open), np.int64)
        where[self.heard] = np.arange(len(self.heard))
        self.players = _slots(free & cutting)
        self.under = _slots(free & under)
        self._arrange_shaped(_slots(free & (under | turned)))
        self._gained = self.players[player.gain[self.players] != 1]
        self.interruptible = _slots(speaking)
        self.interruptible_at = where[self.interruptible]
        self._bridged = _slots(free & joined & ~player.playing)
        self._echoes = _slots(echoed)
        self._mixer.arrange(_slots(in_room), _slots(hearing), where)
        self._bridged_at = where[legs.peer[self._bridged]]
        self._echoed_at = where[self._echoes]
        self._transcoded = _slots(laws[self._bridged] != laws[legs.peer[self._bridged]])
        self.recorded = _slots(recorded)
        self.recorded_at = where[self.recorded]
        self.inband = _slots(inband)
        self.inband_at = where[self.inband]
        self.senders = np.concatenate([self.players, self._mixed, self._bridged, self._echoes])
        self.generation += 1
        self._hooks.arrange(self.is_heard, where, self._coded)
        self._stop_queues()

    def _arrange_shaped(self, slots: Integers) -> None:
        self._shaped = slots
        self._under_at = np.searchsorted(slots, self.under)

    def _stop_queues(self) -> None:
        """A queue nobody reads stands still; it starts afresh when somebody does again."""
        self._jitter_buffer.stop(_slots(self._jitter_buffer.running & ~self.is_heard))

    def mark_talkspurts(self) -> None:
        """Set the marker on the first packet of who had been silent, and take it off the next one."""
        if self._marked_generation == self.generation and not len(self._marked):
            return
        transmission = self._transmission
        transmission.unmark(self._marked)
        self._marked = self.senders[~transmission.talking[self.senders]]
        transmission.mark(self._marked)
        transmission.talking[:] = False
        transmission.talking[self.senders] = True
        self._marked_generation = self.generation

    def write_frames(self, heard: Frames) -> None:
        """Put each sender's 20 ms into its packet. heard: V160, the frames of ``self.heard``."""
        frames = self._transmission.frames
        self._mixer.tick(heard)
        if len(self.players):
            frames[self.players] = self._player.bank.rows[self._player.take(self.players)]
            if len(self._gained):
                sound = self._decoded(frames[self._gained], self._gained)
                frames[self._gained] = self._encoded(
                    sound * self._player.gain[self._gained, None], self._gained
                )
        if len(self._shaped):
            self._shape(frames)
        if len(self._echoes):
            frames[self._echoes] = heard[self._echoed_at]
        if len(self._bridged):
            crossing = heard[self._bridged_at]
            if len(self._transcoded):
                octets = crossing[self._transcoded].view(np.uint8).reshape(-1, FRAME)
                law = self._jitter_buffer.law[self._legs.peer[self._bridged[self._transcoded]]]
                crossing[self._transcoded] = _TRANSLATE[law[:, None], octets].view("V160")[:, 0]
            frames[self._bridged] = crossing

    def _shape(self, frames: Frames) -> None:
        """Turn the room up or down for those who want it so, and add the prompts it goes on under."""
        slots, people = self._shaped, self._mixer.people
        before = people.volume_now[slots, None]
        people.volume_now[slots] = people.volume[slots]
        factor = before + (people.volume[slots, None] - before) * _RAMP
        sound = self._decoded(frames[slots], slots) * factor
        if len(self.under):
            prompts = self._decoded(self._player.bank.rows[self._player.take(self.under)], self.under)
            sound[self._under_at] += prompts * self._player.gain[self.under, None]
        frames[slots] = self._encoded(sound, slots)

    def _decoded(self, frames: Frames, slots: Integers) -> Sound:
        """float32 [n, 160] in int16 range, each in its leg's law."""
        octets = frames.view(np.uint8).reshape(-1, FRAME)
        law = self._jitter_buffer.law[slots, None]
        return np.where(law == 0, ulaw_decode(octets), alaw_decode(octets)).astype(np.float32)

    def _encoded(self, sound: Sound, slots: Integers) -> Frames:
        pcm = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
        law = self._jitter_buffer.law[slots, None]
        frames: Frames = np.where(law == 0, ulaw_encode(pcm), alaw_encode(pcm)).view("V160")[:, 0]
        return frames

    def speaking(self, heard: Frames) -> Flags:
        """Which of ``interruptible`` speak in this tick, bool [n]."""
        sound = self._decoded(heard[self.interruptible_at], self.interruptible)
        loud: Flags = np.einsum("ij,ij->i", sound, sound) > FRAME * SPEECH_LEVEL**2
        return loud
