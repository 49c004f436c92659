"""Rooms on a plane, on virtual time: who hears whom, held to a slow oracle, and that nothing clicks."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.legs import Negotiated
from media.plane import Plane
from media.rooms import RoomSettings
from media.rtp import FRAME, RtpPacket
from tests.media.room_oracle import is_coded, mix_for

PCMU = Negotiated(law=0, payload_type=0, event_type=101, send=True, receive=True)
PCMA = Negotiated(law=1, payload_type=8, event_type=101, send=True, receive=True)
RAW = 1088


class Stage:
    """A plane, and participants that hear each other's frames as soon as their queues let them."""

    def __init__(self) -> None:
        self.plane = Plane(lambda bits: 0)
        self.now = 0.0
        self.laws: dict[int, int] = {}
        self.sequence = itertools.count()
        self._packets: dict[int, int] = {}

    def participant(self, room: str | None, law: int = 0) -> int:
        slot = self.plane.open()
        self.plane.negotiate(slot, PCMA if law else PCMU)
        self.laws[slot] = law
        self._packets[slot] = 0
        if room is not None:
            self.plane.join(slot, room)
        return slot

    def step(self, said: dict[int, bytes]) -> dict[int, bytes]:
        """One tick in which each of them says a frame; what each is sent."""
        if said:
            raw = np.zeros((len(said), RAW), np.uint8)
            for row, (slot, payload) in enumerate(said.items()):
                number = self._packets[slot]
                self._packets[slot] += 1
                packet = RtpPacket(8 if self.laws[slot] else 0, number & 0xFFFF, number * FRAME, 7, payload)
                raw[row, :172] = np.frombuffer(packet.serialise(), np.uint8)
            self.plane.receive(np.array(list(said)), raw, np.full(len(said), 172), self.now)
        self.now += 0.02
        self.plane.tick(self.now)
        frames = self.plane.transmission.packets["frame"]
        return {slot: frames[slot].tobytes() for slot in self.plane.senders.tolist()}

    def decoded(self, slot: int, frame: bytes) -> np.ndarray:
        decode = alaw_decode if self.laws[slot] else ulaw_decode
        return decode(np.frombuffer(frame, np.uint8)).astype(np.float64)


class Tone:
    """A tone that goes on from frame to frame."""

    def __init__(self, frequency_hz: float, amplitude: float, law: int = 0) -> None:
        self.frequency, self.amplitude, self.law = frequency_hz, amplitude, law
        self.at = 0

    def frame(self) -> bytes:
        n = self.at + np.arange(FRAME)
        self.at += FRAME
        wave = (self.amplitude * np.sin(2 * np.pi * self.frequency * n / 8000)).astype(np.int16)
        return (alaw_encode if self.law else ulaw_encode)(wave).tobytes()


def amplitude(samples: np.ndarray, frequency_hz: float) -> float:
    """Of one tone in whole blocks of 100 ms."""
    n = np.arange(len(samples))
    return float(abs(np.sum(samples * np.exp(-2j * np.pi * frequency_hz * n / 8000))) * 2 / len(samples))


def converse(stage: Stage, tones: dict[int, Tone], ticks: int) -> dict[int, np.ndarray]:
    """What everybody hears, decoded, while those with a tone say it."""
    heard: dict[int, list[np.ndarray]] = {}
    for _ in range(ticks):
        for slot, frame in stage.step({slot: tone.frame() for slot, tone in tones.items()}).items():
            heard.setdefault(slot, []).append(stage.decoded(slot, frame))
    return {slot: np.concatenate(frames) for slot, frames in heard.items()}


def biggest_step(samples: np.ndarray) -> float:
    return float(np.abs(np.diff(samples)).max())


class TestOracle:
    @settings(max_examples=12, deadline=None)
    @given(st.data())
    def test_every_sample_is_the_oracles(self, data: st.DataObject) -> None:
        """Two rooms of any laws and any sound, everybody mixed: each frame is that of the slow mixer."""
        stage = Stage()
        rooms = {"a": data.draw(st.integers(1, 4)), "b": data.draw(st.integers(1, 4))}
        members = {
            name: [stage.participant(name, data.draw(st.integers(0, 1))) for _ in range(count)]
            for name, count in rooms.items()
        }
        everybody = [slot for slots in members.values() for slot in slots]
        random = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
        before = dict.fromkeys(everybody, 0.0)
        history: list[dict[int, bytes]] = []
        fresh = set(everybody)
        for _ in range(5):
            said = {slot: self._noise(random, stage.laws[slot]) for slot in everybody}
            history.append(said)
            frames = stage.step(said)
            weights = stage.plane.mixer.people.weight
            now = {slot: float(weights[slot]) for slot in everybody}
            queued = len(history) - 1  # what has just come in
            for slots in members.values():
                for listener in slots:
                    if queued < 0 or listener in fresh:
                        continue
                    audible = {slot: history[queued][slot] for slot in slots}
                    mix = mix_for(listener, audible, stage.laws, before, now)
                    assert is_coded(frames[listener], mix, stage.laws[listener])
            fresh.clear()
            before = now

    @staticmethod
    def _noise(random: np.random.Generator, law: int) -> bytes:
        wave = random.integers(-6000, 6000, FRAME).astype(np.int16)
        return (alaw_encode if law else ulaw_encode)(wave).tobytes()


class TestTheMixIsRight:
    @pytest.mark.parametrize("talkers", [2, 8])
    @pytest.mark.parametrize("pair", [(0, 0), (0, 1), (1, 1)])
    def test_each_hears_every_other_and_never_itself(self, talkers: int, pair: tuple[int, int]) -> None:
        """Others within 1 dB, the own tone below -38 dB, anything else below -34 dB (G.711's own noise)."""
        stage = Stage()
        slots = [stage.participant("8000", pair[number % 2]) for number in range(talkers + 2)]
        level = 3000.0
        tones = {slot: Tone(311 + 211 * slot, level, stage.laws[slot]) for slot in slots[:talkers]}
        heard = converse(stage, tones, 60)
        for slot in slots:
            spectrum = np.abs(np.fft.rfft(heard[slot][-8000:])) * 2 / 8000 / level  # lines of 1 Hz
            for other, tone in tones.items():
                line = 20 * np.log10(spectrum[int(tone.frequency)] + 1e-9)
                assert (line < -38) if other == slot else (abs(line) < 1)
                spectrum[int(tone.frequency)] = 0
            assert 20 * np.log10(spectrum.max()) < -34

    def test_rooms_do_not_hear_each_other(self) -> None:
        """Ten rooms of three at once: nothing crosses from one to another."""
        stage = Stage()
        rooms = {name: [stage.participant(str(name)) for _ in range(3)] for name in range(10)}
        tones = {slots[0]: Tone(400 + 100 * name, 2000) for name, slots in rooms.items()}
        heard = converse(stage, tones, 20)
        for name, slots in rooms.items():
            sound = heard[slots[2]][-1600:]
            for other in range(10):
                loud = amplitude(sound, 400 + 100 * other)
                assert (abs(loud - 2000) < 200) if other == name else (loud < 40)

    def test_a_leg_alone_hears_silence(self) -> None:
        """The first in a room is sent packets of silence, not of itself."""
        stage = Stage()
        slot = stage.participant("8000")
        heard = converse(stage, {slot: Tone(500, 8000)}, 20)
        assert np.abs(heard[slot]).max() == 0


class TestWhoIsMixed:
    def test_the_loudest_eight(self) -> None:
        """Of twelve talkers, those who are loudest are heard; with 0, all of them."""
        for loudest, mixed in ((8, 8), (0, 12), (3, 3)):
            stage = Stage()
            slots = [stage.participant("8000") for _ in range(13)]
            stage.plane.set_room("8000", RoomSettings(loudest=loudest))
            tones = {slot: Tone(300 + 100 * slot, 800 + 100 * slot) for slot in slots[:12]}
            heard = converse(stage, tones, 60)[slots[12]][-1600:]
            loud = [amplitude(heard, tone.frequency) > 400 for tone in tones.values()]
            assert loud == [number >= 12 - mixed for number in range(12)]

    def test_equal_talkers_do_not_take_turns(self) -> None:
        """A little more level does not put somebody out who was first."""
        stage = Stage()
        slots = [stage.participant("8000") for _ in range(4)]
        stage.plane.set_room("8000", RoomSettings(loudest=1))
        first = Tone(500, 2000)
        converse(stage, {slots[0]: first}, 20)
        heard = converse(stage, {slots[0]: first, slots[1]: Tone(900, 2600)}, 40)[slots[3]][-1600:]
        assert amplitude(heard, 500) > 1800
        assert amplitude(heard, 900) < 40
        heard = converse(stage, {slots[0]: first, slots[1]: Tone(900, 8000)}, 40)[slots[3]][-1600:]
        assert amplitude(heard, 900) > 7500

    def test_the_first_syllable_is_whole(self) -> None:
        """Nobody has to be noticed before it is mixed: the first audible frame is in, faded up over itself."""
        stage = Stage()
        slots = [stage.participant("8000") for _ in range(12)]
        silence = dict.fromkeys(slots, b"\xff" * FRAME)
        for _ in range(10):
            stage.step(silence)
        tone = Tone(500, 4000)
        heard = []
        for _ in range(3):
            frames = stage.step(silence | {slots[0]: tone.frame()})
            heard.append(np.abs(stage.decoded(slots[1], frames[slots[1]])).max())
        assert heard[2] > 3000

    def test_gain_and_mute(self) -> None:
        """6 dB more is twice the amplitude; muted is silence, and unmuted is back."""
        stage = Stage()
        speaker, listener = stage.participant("8000"), stage.participant("8000")
        tone = Tone(500, 2000)
        normal = {"muted": False, "gain_db": 0.0, "agc": False, "gate": False, "denoise": False}
        for changed, expected in (({}, 2000), ({"gain_db": 6.02}, 4000), ({"muted": True}, 0), ({}, 2000)):
            stage.plane.set_participant(speaker, **(normal | changed))  # type: ignore[arg-type]
            heard = converse(stage, {speaker: tone}, 20)[listener][-800:]
            assert amplitude(heard, 500) == pytest.approx(expected, rel=0.03, abs=1)

    def test_the_gate_shuts_a_murmur_out(self) -> None:
        """What stays under -50 dBov is not heard from a gated leg, speech is."""
        stage = Stage()
        speaker, listener = stage.participant("8000"), stage.participant("8000")
        stage.plane.set_participant(speaker, muted=False, gain_db=0, agc=False, gate=True, denoise=False)
        assert amplitude(converse(stage, {speaker: Tone(500, 60)}, 60)[listener][-800:], 500) < 1
        assert amplitude(converse(stage, {speaker: Tone(500, 3000)}, 20)[listener][-800:], 500) > 2900

    @pytest.mark.parametrize("said", [500, 12000])
    def test_agc_leads_to_one_level(self, said: int) -> None:
        """A soft voice and a loud one come within 2 dB of -26 dBov."""
        stage = Stage()
        speaker, listener = stage.participant("8000"), stage.participant("8000")
        stage.plane.set_participant(speaker, muted=False, gain_db=0, agc=True, gate=False, denoise=False)
        heard = converse(stage, {speaker: Tone(500, said)}, 400)[listener][-1600:]
        level = -20 * np.log10(np.sqrt(np.mean(heard**2)) / 32768)
        assert level == pytest.approx(26, abs=2)


class TestNothingClicks:
    """A tone of 200 Hz and 8000 moves by 1250 a sample at most; a click is a step beyond what the tones make."""

    AMPLITUDE = 8000.0
    STEP = 8000 * 2 * np.pi * 200 / 8000 * 1.25

    def test_join_and_leave(self) -> None:
        """Somebody comes in mid-word, and goes in mid-word."""
        stage = Stage()
        listener = stage.participant("8000")
        speaker = stage.participant(None)
        stage.plane.echo(speaker, on=True)
        tone = Tone(200, self.AMPLITUDE)
        sound = [converse(stage, {speaker: tone}, 20)[listener]]
        stage.plane.join(speaker, "8000")
        sound.append(converse(stage, {speaker: tone}, 21)[listener])
        stage.plane.leave(speaker)
        sound.append(converse(stage, {speaker: tone}, 5)[listener])
        stage.plane.join(speaker, "8000")
        sound.append(converse(stage, {speaker: tone}, 21)[listener])
        stage.plane.close(speaker)
        sound.append(converse(stage, {}, 5)[listener])
        heard = np.concatenate(sound)
        assert np.abs(heard).max() > 0.9 * self.AMPLITUDE
        assert biggest_step(heard) < self.STEP

    def test_mute_gain_and_a_change_of_talkers(self) -> None:
        """Whatever is switched while a tone is heard, the listener hears no step."""
        stage = Stage()
        speaker, louder, listener = (stage.participant("8000") for _ in range(3))
        stage.plane.set_room("8000", RoomSettings(loudest=1))
        tone, other = Tone(200, self.AMPLITUDE), Tone(150, 3000)
        sound = [converse(stage, {speaker: tone, louder: other}, 20)[listener]]
        for muted, gain in ((True, 0.0), (False, 0.0), (False, -20.0), (False, 0.0)):
            stage.plane.set_participant(
                speaker, muted=muted, gain_db=gain, agc=False, gate=False, denoise=False
            )
            sound.append(converse(stage, {speaker: tone, louder: other}, 10)[listener])
        assert biggest_step(np.concatenate(sound)) < self.STEP

    def test_the_listener_becomes_a_talker(self) -> None:
        """Beginning to speak changes nothing in what one hears."""
        stage = Stage()
        speaker, other = stage.participant("8000"), stage.participant("8000")
        tone = Tone(200, self.AMPLITUDE)
        sound = [converse(stage, {speaker: tone}, 20)[other]]
        sound.append(converse(stage, {speaker: tone, other: Tone(900, 9000)}, 20)[other])
        sound.append(converse(stage, {speaker: tone}, 90)[other])
        assert biggest_step(np.concatenate(sound)[1600:]) < self.STEP

    def test_from_a_prompt_into_the_room(self) -> None:
        """A prompt played to one in a room gives way to the room softly."""
        stage = Stage()
        wave = (8000 * np.sin(2 * np.pi * 200 * (np.arange(10 * FRAME) + 13) / 8000)).astype(np.int16)
        stage.plane.player.bank.load("p", wave)
        speaker, listener = stage.participant("8000"), stage.participant("8000")
        tone = Tone(200, self.AMPLITUDE)
        converse(stage, {speaker: tone}, 20)
        stage.plane.play(listener, ["p"], loop=False, tag=1)
        heard = converse(stage, {speaker: tone}, 20)[listener]
        assert np.abs(heard[10 * FRAME :]).max() > 0.9 * self.AMPLITUDE
        assert biggest_step(heard) < self.STEP


class TestLoudRooms:
    def test_many_loud_voices_are_bent_not_cut(self) -> None:
        """Eight voices at full level stay in range, and no sample sits at the limit."""
        stage = Stage()
        slots = [stage.participant("8000") for _ in range(9)]
        tones = {slot: Tone(300 + 37 * slot, 20000) for slot in slots[:8]}
        heard = converse(stage, tones, 40)[slots[8]][-1600:]
        assert 20000 < np.abs(heard).max() <= 32124
        top = np.abs(heard).max()
        assert np.mean(np.abs(heard) == top) < 0.05


class TestTalkersAreTold:
    def test_within_300_ms(self) -> None:
        """Who begins to talk is named, with a level, and who ceases is no more; others are not told of."""
        stage = Stage()
        speaker, other = stage.participant("8000"), stage.participant("8000")
        stage.participant("9000")
        stage.step({})
        mixer = stage.plane.mixer
        tone = Tone(500, 10000)
        told = []
        for number in range(15):
            stage.step({speaker: tone.frame()})
            told += [(number, each) for each in mixer.take_talkers()]
        assert [(each.room, [slot for slot, _ in each.talkers]) for _, each in told] == [("8000", [speaker])]
        assert told[0][0] < 15
        assert told[0][1].talkers[0][1] == pytest.approx(13, abs=1)
        for _ in range(75):
            stage.step({})
            told += [(0, each) for each in mixer.take_talkers()]
        assert told[-1][1].talkers == []
        assert other not in [slot for _, each in told for slot, _ in each.talkers]

    def test_levels_when_wanted(self) -> None:
        """A room that shows levels hears of them five times a second."""
        stage = Stage()
        speaker = stage.participant("8000")
        stage.plane.set_room("8000", RoomSettings(levels=True))
        tone = Tone(500, 10000)
        told = 0
        for _ in range(100):
            stage.step({speaker: tone.frame()})
            told += len(stage.plane.mixer.take_talkers())
        assert 8 <= told <= 11


class TestNoiseRemoval:
    @pytest.mark.parametrize("law", [0, 1])
    def test_noise_goes_and_the_voice_stays(self, law: int) -> None:
        """A steady noise loses 10 dB and more within two seconds; what is like a voice keeps its level."""
        stage = Stage()
        speaker, listener = stage.participant("8000", law), stage.participant("8000", law)
        ways = {"muted": False, "gain_db": 0.0, "agc": False, "gate": False}
        assert stage.plane.set_participant(speaker, denoise=True, **ways)  # type: ignore[arg-type]
        random = np.random.default_rng(1)
        n = np.arange(150 * FRAME)
        voice = 5000 * np.sin(2 * np.pi * 220 * n / 8000) * (np.sin(2 * np.pi * 2 * n / 8000) > 0.5)
        said = (voice * (n > 100 * FRAME) + random.normal(0, 200, len(n))).astype(np.int16)
        heard = []
        for frame in said.reshape(-1, FRAME):
            coded = (alaw_encode if law else ulaw_encode)(frame).tobytes()
            frames = stage.step({speaker: coded})
            heard.append(stage.decoded(listener, frames[listener]))
        sound = np.concatenate(heard)
        assert np.std(sound[80 * FRAME : 100 * FRAME]) < 65
        assert np.abs(sound[110 * FRAME :]).max() > 3500

    def test_without_the_library_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The leg is mixed as it is, and whoever asked is told."""
        monkeypatch.setitem(sys.modules, "webrtc_noise_gain", None)
        stage = Stage()
        speaker, listener = stage.participant("8000"), stage.participant("8000")
        assert not stage.plane.set_participant(
            speaker, muted=False, gain_db=0, agc=False, gate=False, denoise=True
        )
        assert amplitude(converse(stage, {speaker: Tone(500, 3000)}, 20)[listener][-800:], 500) > 2900
