"""DTMF in the sound: what must be heard (ITU-T Q.24), what must not, and what is made."""

from __future__ import annotations

import subprocess
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soxr

from media.codecs.coding import Terms
from media.codecs.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.dtmf import DigitBegan, DigitEnded
from media.inband_dtmf import KEYS, MOST_TONE_TICKS, InbandReceiver, ToneSender
from media.legs import Digit
from media.rtp import FRAME
from media.tones import DTMF_PAIRS, RATE, dtmf, progress
from tests.media.coded_wire import G722, L16_8, OPUS_48, Peer, plane

Wave = npt.NDArray[np.floating[Any]]
Events = list[tuple[int, DigitBegan | DigitEnded]]
ALL = "0123456789*#ABCD"


def amplitude(dbm0: float) -> float:
    return float(32768 * 10 ** ((dbm0 - 3.14) / 20))


def tones(
    keys: str,
    rng: np.random.Generator,
    *,
    on_ms: int = 40,
    off_ms: int = 40,
    low_dbm0: float = -10.0,
    high_dbm0: float = -10.0,
    low_off: float = 0.0,
    high_off: float = 0.0,
    noise_db: float | None = None,
) -> Wave:
    """Keys in turn, beginning anywhere in a frame; ``noise_db``: how far noise lies below the pair."""
    parts: list[Wave] = [np.zeros(int(rng.integers(FRAME)))]
    time = np.arange(RATE * on_ms // 1000) * 2 * np.pi / RATE
    low_peak, high_peak = amplitude(low_dbm0), amplitude(high_dbm0)
    for key in keys:
        low, high = DTMF_PAIRS[key]
        pair = low_peak * np.sin(time * low * (1 + low_off) + rng.uniform(0, 6))
        pair += high_peak * np.sin(time * high * (1 + high_off) + rng.uniform(0, 6))
        parts += [pair, np.zeros(RATE * off_ms // 1000)]
    wave = np.concatenate([*parts, np.zeros(RATE // 5)])
    if noise_db is not None:
        power = (low_peak**2 + high_peak**2) / 2 / 10 ** (noise_db / 10)
        wave = wave + rng.normal(0, np.sqrt(power), len(wave))
    return wave


def coded(wave: Wave, law: int = 0) -> Wave:
    """As a G.711 leg hears it."""
    pcm = np.rint(wave).clip(-32768, 32767).astype(np.int16)
    return alaw_decode(alaw_encode(pcm)) if law else ulaw_decode(ulaw_encode(pcm))


def hear(*waves: Wave) -> list[Events]:
    """What a receiver makes of several legs, (tick, event) each; the legs are in slots in reverse order."""
    ticks = max(len(wave) for wave in waves) // FRAME
    sound = np.zeros((len(waves), ticks * FRAME), np.float32)
    for row, wave in zip(sound, waves, strict=True):
        whole = wave[: ticks * FRAME]
        row[: len(whole)] = whole
    receiver = InbandReceiver(len(waves))
    for slot in range(len(waves)):
        receiver.clear(slot)
    slots = np.arange(len(waves))[::-1]
    events: list[Events] = [[] for _ in waves]
    for tick in range(ticks):
        frames = sound[:, tick * FRAME : (tick + 1) * FRAME]
        for slot, event in receiver.receive(slots, frames):
            events[len(waves) - 1 - slot].append((tick, event))
    return events


def keys_of(events: Events) -> str:
    """The digits, each of which began and then ended."""
    kinds = [type(event) for _, event in events]
    assert kinds == [DigitBegan, DigitEnded] * (len(kinds) // 2)
    return "".join(event.digit for _, event in events[::2])


@pytest.mark.parametrize("law", [0, 1])
def test_every_key(law: int) -> None:
    """All sixteen, and a key pressed twice is two digits."""
    wave = tones(ALL + "55##", np.random.default_rng(1))
    assert keys_of(hear(coded(wave, law))[0]) == ALL + "55##"
    assert set(KEYS) == set(ALL) == set(DTMF_PAIRS)


@pytest.mark.parametrize("level", [-3, -10, -20, -30])
def test_levels_frequencies_and_twist(level: int) -> None:
    """40 ms on and off, -3 to -30 dBm0, each frequency 1.5 % off either way, 8 dB of twist, 4 dB of the other."""
    rng = np.random.default_rng(2)
    waves = []
    for twist in (0, -8, 4) if level > -30 else (0,):
        for low_off in (-0.015, 0.0, 0.015):
            for high_off in (-0.015, 0.0, 0.015):
                low, high = (level - twist, level) if twist > 0 else (level, level + twist)
                waves.append(
                    coded(tones(ALL, rng, low_dbm0=low, high_dbm0=high, low_off=low_off, high_off=high_off))
                )
    assert {keys_of(events) for events in hear(*waves)} == {ALL}


def test_noise() -> None:
    """Noise 15 dB below the pair, at the shortest digits and the worst frequencies."""
    rng = np.random.default_rng(3)
    offs = (-0.015, 0.0, 0.015)
    waves = [coded(tones(ALL, rng, low_off=low, high_off=high, noise_db=15)) for low in offs for high in offs]
    assert {keys_of(events) for events in hear(*waves)} == {ALL}


@pytest.mark.parametrize("off", [-0.035, 0.035])
def test_other_frequencies_are_no_digits(off: float) -> None:
    """3.5 % off, either of the two."""
    rng = np.random.default_rng(4)
    waves = [tones(ALL, rng, on_ms=60, low_off=off), tones(ALL, rng, on_ms=60, high_off=off)]
    assert hear(*waves) == [[], []]


@pytest.mark.parametrize("twist", [-12, 10])
def test_too_much_twist(twist: int) -> None:
    """One frequency far stronger than the other is no key."""
    low, high = (-10, -10 + twist) if twist < 0 else (-10 - twist, -10)
    assert hear(tones(ALL, np.random.default_rng(5), on_ms=60, low_dbm0=low, high_dbm0=high)) == [[]]


def test_too_short_and_too_weak() -> None:
    """23 ms may not be a digit (Q.24), nor what is 8 dB below the weakest."""
    rng = np.random.default_rng(6)
    short = tones(ALL * 3, rng, on_ms=23, off_ms=60)
    weak = tones(ALL, rng, on_ms=60, low_dbm0=-38, high_dbm0=-38)
    assert hear(short, weak) == [[], []]


def test_one_frequency_alone() -> None:
    """Each of the eight alone, and with its second harmonic."""
    time = np.arange(RATE // 2) * 2 * np.pi / RATE
    waves: list[Wave] = []
    for hertz in {each for pair in DTMF_PAIRS.values() for each in pair}:
        waves += [5000 * np.sin(time * hertz), 5000 * np.sin(time * hertz) + 3000 * np.sin(2 * time * hertz)]
    assert not any(hear(*waves))


def test_second_harmonics_are_a_voice() -> None:
    """A pair with the second harmonic of either 12 dB below it is no key."""
    time = np.arange(RATE // 2) * 2 * np.pi / RATE
    waves = []
    for low, high in DTMF_PAIRS.values():
        pair = 5000 * np.sin(time * low) + 5000 * np.sin(time * high)
        waves += [pair + 1250 * np.sin(2 * time * low), pair + 1250 * np.sin(2 * time * high)]
    assert not any(hear(*waves))


def test_a_lost_packet_does_not_split_a_digit() -> None:
    """20 ms of silence within a tone, wherever it lies."""
    for gap in range(0, FRAME, 16):
        wave = tones("5", np.random.default_rng(7), on_ms=120)
        wave[3 * FRAME + gap : 4 * FRAME + gap] = 0
        assert keys_of(hear(coded(wave))[0]) == "5"


def test_durations_are_near() -> None:
    """What is reported is within 20 ms of what was pressed."""
    for on_ms in (40, 70, 100, 250, 1000):
        (_, _), (_, ended) = hear(tones("8", np.random.default_rng(on_ms), on_ms=on_ms))[0]
        assert isinstance(ended, DigitEnded)
        assert abs(ended.duration_ms - on_ms) <= 20


def test_legs_do_not_hear_each_other() -> None:
    """Each leg has its own digits, one after another or at once."""
    waves = [tones(key * 3, np.random.default_rng(index)) for index, key in enumerate(ALL)]
    assert [keys_of(events) for events in hear(*waves)] == [key * 3 for key in ALL]


def test_a_digit_that_follows_at_once() -> None:
    """Without a pause between them, the first ends where the second begins."""
    wave = np.concatenate([dtmf("1", 100, 0), dtmf("6", 100, 100)])
    assert keys_of(hear(np.concatenate([wave, np.zeros(RATE // 5)]))[0]) == "16"


# What must not be heard.


def music(rng: np.random.Generator, seconds: int) -> Wave:
    """Chords of plucked and bowed strings: harmonics that decay, vibrato, three voices."""
    time = np.arange(RATE // 4) / RATE
    beats = []
    for _ in range(4 * seconds):
        beat = np.zeros(len(time))
        for note in rng.integers(45, 90, 3):
            hertz = 440 * 2 ** ((note - 69) / 12)
            vibrato = 1 + 0.005 * np.sin(2 * np.pi * 6 * time)
            for harmonic in range(1, int(3800 // hertz) + 1):
                strength = np.exp(-time * harmonic * rng.choice([0.5, 6])) / harmonic
                beat += strength * np.sin(2 * np.pi * hertz * harmonic * time * vibrato)
        beats.append(beat * 4000)
    return np.concatenate(beats)


def test_music_and_tones_are_no_digits() -> None:
    """Five minutes of chords; ringing, busy, dial tone of four countries; noise; a sweep."""
    rng = np.random.default_rng(8)
    chords = [music(rng, 15) for _ in range(20)]
    signals = [
        np.tile(progress(name, country), 4)
        for country in ("fr", "gb", "us", "eu")
        for name in ("ringback", "busy", "congestion", "dial")
    ]
    time = np.arange(20 * RATE) / RATE
    others = [rng.normal(0, 3000, 60 * RATE), 8000 * np.sin(2 * np.pi * (200 + 80 * time) * time)]
    assert not any(hear(*chords))
    assert not any(hear(*signals))
    assert not any(hear(*others))


SPOKEN = {
    "en": "Thank you for calling. Seventy-six trombones led the big parade, with a hundred and ten cornets "
    "close at hand. She sells sea shells on the sea shore. How now, brown cow? Yes. No. Oh, who knew? "
    "We were away a year ago. The quick brown fox jumps over the lazy dog. One two three four five six "
    "seven eight nine zero. The rain in Spain stays mainly in the plain, they say. Please hold the line. ",
    "fr": "Merci de votre appel. Longtemps je me suis couché de bonne heure. Oui. Non. Allô ? Un chasseur "
    "sachant chasser sait chasser sans son chien. Les oiseaux bleus et les fleurs jaunes du jardin, huit "
    "heures et demie, il pleuvait sur la ville. Un deux trois quatre cinq six sept huit neuf zéro. "
    "Ne quittez pas, nous recherchons votre interlocuteur. Où est-ce que vous étiez, hier ? ",
}
VOICES = ["en-gb-x-rp", "en-us+f2", "en-gb+f4", "en-us+m3", "fr-fr", "fr-fr+f1", "fr-be+f5", "fr-ch+m2"]


def spoken(voice: str, speed: int) -> Wave:
    """espeak-ng's voice at 8 kHz, loud."""
    text = SPOKEN[voice[:2]] * 3
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    data = subprocess.run(
        command, check=True, capture_output=True
    ).stdout  # a WAV that does not know its length
    samples = np.frombuffer(data[44 : len(data) - len(data) % 2], "<i2").astype(np.float32)
    wave = soxr.resample(samples, int.from_bytes(data[24:28], "little"), RATE)
    loud: Wave = wave * (20000 / np.abs(wave).max())
    return loud


@pytest.mark.needs("espeak-ng")
@pytest.mark.slow
def test_speech_is_no_digits() -> None:
    """Half an hour of English and French, men and women, slow to fast: not one false digit."""
    waves = [spoken(voice, speed) for voice in VOICES for speed in (110, 150, 200)]
    assert sum(len(wave) for wave in waves) > 25 * 60 * RATE
    assert [keys_of(events) for events in hear(*waves)] == [""] * len(waves)


@pytest.mark.needs("espeak-ng")
@pytest.mark.slow
def test_digits_under_a_voice() -> None:
    """Somebody talks on, 15 dB below the tones."""
    rng = np.random.default_rng(9)
    wave = tones(ALL, rng, on_ms=80, off_ms=80)
    voice = spoken("en-us+f2", 150)[: len(wave)]
    power = amplitude(-10) ** 2
    voice = voice * np.sqrt(power / 10**1.5 / np.mean(voice**2))
    heard = keys_of(hear(coded(wave + voice))[0])
    assert len(heard) >= 14
    assert set(heard) <= set(ALL)


# What is made.


def test_tones_sent_are_heard() -> None:
    """Digits as sound: each 100 ms, with 80 ms of pause, and silence when all is out."""
    sender = ToneSender()
    sender.send("159x#d")
    frames = []
    while sender.busy:
        frames.append(sender.tick())
    assert len(frames) == 5 * 9
    assert not sender.tick().any()
    assert keys_of(hear(coded(np.concatenate(frames)))[0]) == "159#D"


def test_a_tone_lasts_until_released() -> None:
    """Pressed on another leg: as long as there, at least 60 ms, and not for ever."""
    sender = ToneSender()
    sender.press("7")
    held = [sender.tick() for _ in range(10)]
    assert all(frame.any() for frame in held)
    sender.release(150)
    assert sum(bool(sender.tick().any()) for _ in range(20)) == 1
    assert not sender.busy
    sender.press("7")
    sender.release(5)
    assert sum(bool(sender.tick().any()) for _ in range(20)) == 3
    sender.press("7")
    assert sum(bool(sender.tick().any()) for _ in range(MOST_TONE_TICKS + 20)) == MOST_TONE_TICKS


@pytest.mark.parametrize("terms", [OPUS_48, G722, L16_8], ids=str)
def test_coded_legs_hear_and_send_them(terms: Terms) -> None:
    """Tones at the rate of the codec, and heard in it."""
    wire = plane()
    sender = Peer.join(wire, terms, event_type=None, inband=True)
    listener = Peer.join(wire, terms, event_type=None, inband=True)
    wire.send_digits(sender.slot, "17#")
    for number in range(40):
        wire.tick(number * 0.02)
        sender.take()
    for packet in sender.packets:
        listener.send(packet.payload)
        wire.tick(1.0)
    for _ in range(20):
        wire.tick(2.0)
    heard = [each for each in wire.take_outputs() if isinstance(each, Digit)]
    assert [(each.slot, each.digit) for each in heard] == [(listener.slot, key) for key in "17#"]
