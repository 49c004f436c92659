"""Each codec alone: what it does to a tone, how long its packets are, where its library is found."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import opus_library
from media.codecs.availability import available
from media.codecs.coding import Pcm, Terms
from media.codecs.loading import Codecs, make_decoder, make_encoder
from media.codecs.opus import LONGEST_UNITS, packet_units
from tests.media.coded_wire import (
    G722,
    G729,
    L16_16,
    L16_48,
    OPUS_8,
    OPUS_16,
    OPUS_48,
    frames,
    level_at,
    noise_below,
    tone,
    voice,
)

HAS_G729 = available("G729")
ALL = [OPUS_8, OPUS_16, OPUS_48, G722, L16_16, L16_48, *([G729] if HAS_G729 else [])]


def through(terms: Terms, sound: Pcm) -> Pcm:
    """Encoded and decoded."""
    encoder, decoder = make_encoder(terms), make_decoder(terms)
    heard = np.zeros((len(sound) // terms.samples, terms.samples), np.int16)
    for row, frame in zip(heard, frames(sound, terms), strict=True):
        data = np.frombuffer(encoder.encode(frame) + b"\0", np.uint8)
        assert decoder.decode(data.ctypes.data, len(data) - 1, row.ctypes.data, len(row)) == len(row)
    return heard.reshape(-1)


@pytest.mark.parametrize("terms", ALL, ids=str)
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_a_tone_comes_through(terms: Terms, hertz: int) -> None:
    """At its level, and with no more noise and distortion than the codec is known for."""
    sound = through(terms, tone(hertz, 1.5, terms.rate))[terms.rate // 2 :]
    if terms is G729:  # a model of speech, not of tones: only that it is there
        assert level_at(sound, hertz, 8000) > 3000
        return
    assert level_at(sound, hertz, terms.rate) == pytest.approx(8000, rel=0.05)
    assert noise_below(sound, hertz, terms.rate) > {"OPUS": 25, "G722": 35, "L16": 80}[terms.codec]


@pytest.mark.parametrize(("terms", "octets"), [(G722, 160), (L16_16, 640), (L16_48, 1920)], ids=str)
def test_frames_are_of_one_length(terms: Terms, octets: int) -> None:
    """64 kbit/s of G.722, two octets a sample of L16."""
    encoder = make_encoder(terms)
    assert {len(encoder.encode(frame)) for frame in frames(voice(0.2, terms.rate), terms)} == {octets}


@pytest.mark.parametrize("terms", [OPUS_8, OPUS_16, OPUS_48], ids=str)
def test_a_copied_opus_encoder_goes_on_alike(terms: Terms) -> None:
    """From the copy on both make the same packets."""
    one = make_encoder(terms)
    sound = frames(voice(1.0, terms.rate), terms)
    for frame in sound[:25]:
        one.encode(frame)
    other = one.clone()
    assert other is not None
    assert [one.encode(frame) for frame in sound[25:]] == [other.encode(frame) for frame in sound[25:]]


def test_peers_bound_the_bit_rate() -> None:
    """maxaveragebitrate is kept to."""
    for bitrate in (12_000, 24_000):
        encoder = make_encoder(OPUS_48._replace(bitrate=bitrate))
        octets = sum(len(encoder.encode(frame)) for frame in frames(voice(3.0, 48000), OPUS_48))
        assert octets * 8 / 3 < 1.2 * bitrate


@given(st.binary(min_size=1, max_size=12))
def test_the_length_of_an_opus_packet_is_libopus_s(packet: bytes) -> None:
    """From its first two octets, as opus_packet_get_nb_samples has it (RFC 6716 section 3.1)."""
    first, second = np.array([packet[0]], np.uint8), np.array([(packet + b"\0")[1]], np.uint8)
    units = int(packet_units(first, second, np.array([len(packet)]))[0])
    library = ctypes.CDLL(opus_library.find())
    samples = library.opus_packet_get_nb_samples(packet, len(packet), 48000)
    assert units == (samples // 120 if samples > 0 else 0)
    assert units <= LONGEST_UNITS


def test_pyavs_own_libopus_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Debian's is not installed; and without either it is told."""
    monkeypatch.setattr(opus_library, "SYSTEM_NAME", "libopus-that-is-not-there.so")
    found = Path(opus_library.find())
    assert found.parent.name == "av.libs"
    assert ctypes.CDLL(str(found)).opus_get_version_string
    monkeypatch.setattr(opus_library, "_WHEEL_PATTERN", "nothing")
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    with pytest.raises(opus_library.NoOpus):
        opus_library.find()


def test_a_library_that_does_not_load_leaves_the_codec_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged, the leg stays silent, and nobody tries again every tick."""
    monkeypatch.setattr("media.codecs.loading._MODULES", {"G722": "media.codecs.no_such_module"})
    codecs = Codecs()
    assert not codecs.load("G722")
    assert not codecs.ready("G722")


@pytest.mark.needs("libbcg729")
def test_g729_pauses_by_annex_b() -> None:
    """A pause is a descriptor of 2 octets and then nothing; where annex B is not allowed it is sent whole."""
    quiet = np.random.default_rng(2).normal(0, 4, 160 * 50).astype(np.int16)
    for dtx in (False, True):
        terms = G729._replace(dtx=dtx)
        encoder, decoder = make_encoder(terms), make_decoder(terms)
        for frame in frames(voice(0.5, 8000), terms):
            encoder.encode(frame)
        sizes = [len(encoder.encode(frame)) for frame in frames(quiet, terms)]
        assert (min(sizes) == 0) == dtx
        assert set(sizes) <= ({0, 2, 10, 12, 20} if dtx else {20})
        heard = np.zeros(160, np.int16)
        descriptor = np.frombuffer(bytes(2), np.uint8)
        assert decoder.decode(descriptor.ctypes.data, 2, heard.ctypes.data, 160) == 80
