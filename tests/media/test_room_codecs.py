"""Rooms of unlike codecs: for each pair of them, everybody hears every other tone, at its level, and nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from media.codecs.coding import Terms
from media.codecs.loading import make_decoder, make_encoder
from media.plane import Plane
from media.rooms import RoomSettings
from tests.media.coded_wire import G722, G729, L16_16, OPUS_8, OPUS_16, OPUS_48, plane
from tests.media.room_wire import Participant, Samples, converse, lines

G711 = {"PCMU", "PCMA"}
PAIRS = list(itertools.combinations_with_replacement(["PCMU", "PCMA", G722, OPUS_48], 2))
AMPLITUDE = 2000.0
TICKS = 92


def name(codec: str | Terms) -> str:
    return codec if isinstance(codec, str) else f"{codec.codec}{codec.rate // 1000}"


def judge(participants: list[Participant]) -> tuple[float, float, float]:
    """In dB, the worst of all: how far another's tone is from its level, the own tone, and anything else."""
    strayed, own, other = 0.0, -200.0, -200.0
    for listener in participants:
        spectrum = lines(listener.heard(), listener.rate) / AMPLITUDE
        for speaker in participants:
            if speaker.frequency_hz is None:
                continue
            at = int(speaker.frequency_hz)
            level = 20 * np.log10(spectrum[at] + 1e-10)
            if speaker is listener:
                own = max(own, level)
            else:
                strayed = max(strayed, abs(level))
            spectrum[at - 1 : at + 2] = 0
        other = max(other, 20 * np.log10(spectrum[20:].max() + 1e-10))
    return strayed, own, other


def coded(terms: Terms, wave: Samples) -> Samples:
    """A wave encoded and decoded, by the codec alone."""
    encoder, decoder = make_encoder(terms), make_decoder(terms)
    out, heard = np.zeros(terms.samples, np.int16), []
    pcm = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    for at in range(0, len(pcm), terms.samples):
        data = np.frombuffer(encoder.encode(pcm[at : at + terms.samples]), np.uint8)
        decoder.decode(data.ctypes.data, len(data), out.ctypes.data, len(out))
        heard.append(out.astype(np.float64))
    return np.concatenate(heard)


def bare(terms: Terms, tones: list[float]) -> Samples:
    """What the codec alone makes of the tones: each coded once, and their sum once more. No part of the mixer."""
    time = np.arange(TICKS * terms.samples) / terms.rate
    said = [coded(terms, AMPLITUDE * np.sin(2 * np.pi * each * time)) for each in tones]
    return coded(terms, np.sum(said, 0))


def beside(sound: Samples, rate: int, tones: list[float]) -> float:
    """The strongest line that is none of the tones, in dB to one of them."""
    spectrum = lines(sound, rate) / AMPLITUDE
    for each in tones:
        spectrum[int(each) - 1 : int(each) + 2] = 0
    return float(20 * np.log10(spectrum[20:].max() + 1e-10))


def a_room(stage: Plane, codecs: tuple[str | Terms, ...], talkers: int) -> list[Participant]:
    """So many talkers and two listeners, of these codecs in turn."""
    participants = [
        Participant(stage, codecs[number % len(codecs)], amplitude=AMPLITUDE) for number in range(talkers + 2)
    ]
    for number, each in enumerate(participants):
        if number < talkers:
            each.frequency_hz = 311.0 + 2600 // talkers * number
        stage.join(each.slot, "8000")
    return participants


@pytest.mark.parametrize("talkers", [2, 8])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: "-".join(map(name, pair)))
def test_each_hears_every_other_at_its_level(pair: tuple[str | Terms, str | Terms], talkers: int) -> None:
    """Within 1 dB, the own tone below -38 dB; anything else below -34 dB, or -40 dB without G.711.

    All relative to one tone, line by line of 1 Hz. G.722 alone is the exception: eight tones peak at half of full
    scale, where its own quantiser leaves a line at -36 dB, so there -40 dB counts from all that is heard
    (``test_g722_is_as_clean_as_the_codec`` holds the mixer to the codec itself).
    """
    stage = plane()
    participants = a_room(stage, pair, talkers)
    converse(stage, participants, TICKS)
    strayed, own, other = judge(participants)
    assert strayed < 1
    assert own < -38
    if G722 in pair and not set(pair) & G711:
        other -= 10 * np.log10(talkers - 1)
    assert other < (-34 if set(pair) & G711 else -40)


@pytest.mark.parametrize("talkers", [2, 8])
def test_g722_is_as_clean_as_the_codec(talkers: int) -> None:
    """What a listener hears beside the tones is the noise of G.722 itself, within 1 dB."""
    stage = plane()
    participants = a_room(stage, (G722,), talkers)
    converse(stage, participants, TICKS)
    tones = [each.frequency_hz for each in participants if each.frequency_hz is not None]
    alone = beside(bare(G722, tones), 16000, tones)
    for listener in participants[talkers:]:
        assert beside(listener.heard(), 16000, tones) < alone + 1
    assert talkers == 2 or -38 < alone < -34  # the codec's, before anything is mixed


def test_g722_codes_eight_softer_tones_well() -> None:
    """Half as loud, the same eight tones coded once leave -40 dB: it is the level that G.722 cannot follow."""
    time = np.arange(TICKS * G722.samples) / G722.rate
    tones = [311.0 + 325 * number for number in range(8)]
    wave = np.sum([AMPLITUDE / 2 * np.sin(2 * np.pi * each * time) for each in tones], 0)
    assert beside(2 * coded(G722, wave), G722.rate, tones) < -40


def test_linear_sound_shows_the_mixers_own_part() -> None:
    """Between legs of linear sound at 16 kHz what the mixer adds is below -75 dB."""
    stage = plane()
    participants = a_room(stage, (L16_16,), 4)
    converse(stage, participants, TICKS)
    strayed, own, other = judge(participants)
    assert strayed < 0.05
    assert max(own, other) < -75


def test_every_rate_in_one_room() -> None:
    """8, 16 and 48 kHz together: all hear all."""
    stage = plane()
    participants = a_room(stage, ("PCMA", OPUS_8, OPUS_16, L16_16, OPUS_48), 5)
    converse(stage, participants, TICKS)
    strayed, own, other = judge(participants)
    assert strayed < 1
    assert own < -38
    assert other < -34


def test_wide_sound_stays_wide() -> None:
    """What lies above 4 kHz is heard where the codecs carry it, and does not fold back where they do not."""
    stage = plane()
    speaker = Participant(stage, L16_16, 6000.0, AMPLITUDE)
    wide, narrow = Participant(stage, G722), Participant(stage, "PCMU")
    for each in (speaker, wide, narrow):
        stage.join(each.slot, "8000")
    converse(stage, [speaker, wide, narrow], TICKS)
    assert abs(20 * np.log10(lines(wide.heard(), 16000)[6000] / AMPLITUDE)) < 1
    assert lines(narrow.heard(), 8000).max() / AMPLITUDE < 0.01


def test_a_room_may_be_kept_narrow() -> None:
    """``max_rate_hz`` mixes at 8 kHz however good the codecs are."""
    stage = plane()
    participants = a_room(stage, (L16_16,), 2)
    stage.set_room("8000", RoomSettings(max_rate_hz=8000))
    participants[0].frequency_hz = 6000.0
    converse(stage, participants, TICKS)
    heard = lines(participants[3].heard(), 16000)
    assert heard[6000] < 20
    assert heard[int(participants[1].frequency_hz or 0)] > 0.9 * AMPLITUDE


def test_a_wide_leg_joins_narrow_ones_without_a_click() -> None:
    """The room's rate rises while it is heard, and falls again."""
    stage = plane()
    speaker, listener = Participant(stage, "PCMU", 200.0, 8000.0), Participant(stage, "PCMU")
    guest = Participant(stage, OPUS_48)
    for each in (speaker, listener):
        stage.join(each.slot, "8000")
    converse(stage, [speaker, listener, guest], 20)
    stage.join(guest.slot, "8000")
    converse(stage, [speaker, listener, guest], 20, 0.4)
    stage.leave(guest.slot)
    converse(stage, [speaker, listener, guest], 20, 0.8)
    heard = listener.heard()[1600:]
    assert np.abs(heard).max() > 7500
    assert np.abs(np.diff(heard)).max() < 8000 * 2 * np.pi * 200 / 8000 * 1.6


@pytest.mark.needs("libbcg729")
def test_g729_is_mixed_as_well_as_it_can() -> None:
    """A speech coder at 8 kbit/s bends tones by itself: the others' are there, its own is not."""
    stage = plane()
    participants = a_room(stage, ("PCMU", G729), 2)
    converse(stage, participants, TICKS)
    strayed, own, _ = judge(participants)
    assert strayed < 3.5
    assert own < -38


@pytest.mark.needs("libbcg729")
def test_g729_bends_a_tone_no_more_than_alone() -> None:
    """Who hears one tone through a room hears it as coded twice by G.729 without one."""
    stage = plane()
    participants = a_room(stage, (G729,), 2)
    converse(stage, participants, TICKS)
    for listener, speaker in (participants[:2], participants[1::-1]):
        assert speaker.frequency_hz is not None
        at = int(speaker.frequency_hz)
        heard, alone = lines(listener.heard(), 8000)[at], lines(bare(G729, [at]), 8000)[at]
        assert abs(20 * np.log10(heard / alone)) < 1


class TestBridges:
    @pytest.mark.parametrize(
        "pair", [("PCMU", OPUS_48), (G722, "PCMA"), (OPUS_16, G722), (OPUS_48, OPUS_48)], ids=str
    )
    def test_legs_of_unlike_codecs_hear_each_other(self, pair: tuple[str | Terms, str | Terms]) -> None:
        """Both ways, at their level, and after parting no more."""
        stage = plane()
        one, other = (Participant(stage, codec, 500.0 + 400 * at, 60.0) for at, codec in enumerate(pair))
        stage.bridge(one.slot, other.slot)
        converse(stage, [one, other], TICKS)
        for listener, tone in ((one, 900), (other, 500)):  # softer than what a room takes for silence
            heard = lines(listener.heard(), listener.rate)
            assert abs(20 * np.log10(heard[tone] / 60)) < 1.5
        stage.bridge(one.slot, None)
        sent = len(one.payloads)
        converse(stage, [one, other], 10, 2.0)
        assert len(one.payloads) == sent

    def test_a_bridge_becomes_private_and_plain_again_as_codecs_change(self) -> None:
        """A re-INVITE to another codec, and back: the talk goes on either way."""
        stage = plane()
        one, other = Participant(stage, "PCMU", 500.0, 3000.0), Participant(stage, "PCMU")
        stage.bridge(one.slot, other.slot)
        converse(stage, [one, other], 10)
        for codec in (OPUS_48, "PCMU"):
            one.change(codec)
            converse(stage, [one, other], 60, one.now)
            assert abs(20 * np.log10(lines(other.heard(), 8000, 0.5)[250] / 3000)) < 1

    def test_a_leg_that_joins_a_room_stays_there_when_the_bridge_ends(self) -> None:
        """Being parted from a peer does not take one out of a conference."""
        stage = plane()
        one, other = Participant(stage, OPUS_48), Participant(stage, "PCMU")
        stage.bridge(one.slot, other.slot)
        converse(stage, [one, other], 2)
        stage.join(one.slot, "8000")
        stage.bridge(one.slot, None)
        converse(stage, [one, other], 2)
        assert stage.mixer.room(one.slot) == "8000"
        assert stage.mixer.room(other.slot) is None
        stage.close(one.slot)
        stage.close(other.slot)
