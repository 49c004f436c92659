"""G.711 tables against a slow quantiser written from the Recommendation's tables 1 and 2."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from media.codecs import facts, g711

EVERY_SAMPLE = np.arange(65536, dtype=np.uint16).view(np.int16)
EVERY_OCTET = np.arange(256, dtype=np.uint8)

# "Number of intervals x interval size", from zero outwards, as the Recommendation prints them.
ALAW_INTERVALS = ((32, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128))
ULAW_INTERVALS = ((1, 1), (15, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128), (16, 256))


def decision_values(intervals: tuple[tuple[int, int], ...], scale: int) -> list[int]:
    """The 129 decision values x1..x129 of one polarity, in 16-bit units."""
    values = [0]
    for count, size in intervals:
        for _ in range(count):
            values.append(values[-1] + size * scale)
    assert len(values) == 129
    return values


ALAW_DECISIONS = decision_values(ALAW_INTERVALS, 8)
ULAW_DECISIONS = decision_values(ULAW_INTERVALS, 4)


def interval_of(sample: int, decisions: list[int]) -> int:
    """The 0-based interval of a sample, walked to; negative samples by one's complement (G.191)."""
    magnitude = sample if sample >= 0 else -sample - 1
    number = 0
    while number < 127 and magnitude >= decisions[number + 1]:
        number += 1
    return number


def slow_ulaw(sample: int) -> int:
    """Table 2: the positive character signals count down from 11111111, the negative ones from 01111111."""
    return (0xFF if sample >= 0 else 0x7F) - interval_of(sample, ULAW_DECISIONS)


def slow_alaw(sample: int) -> int:
    """Table 1 and its note: sign bit 1 for positive, then the interval, the even bits inverted."""
    return ((0x80 if sample >= 0 else 0) + interval_of(sample, ALAW_DECISIONS)) ^ 0b01010101


def slow_value(number: int, decisions: list[int]) -> int:
    """The quantised value y of an interval: its middle."""
    return (decisions[number] + decisions[number + 1]) // 2


def test_alaw_encodes_every_sample_as_the_tables_say() -> None:
    """All 65,536 samples, one by one."""
    expected = [slow_alaw(int(sample)) for sample in EVERY_SAMPLE]
    assert g711.alaw_encode(EVERY_SAMPLE).tolist() == expected


def test_ulaw_encodes_every_sample_as_the_tables_say() -> None:
    """All 65,536 samples, one by one."""
    expected = [slow_ulaw(int(sample)) for sample in EVERY_SAMPLE]
    assert g711.ulaw_encode(EVERY_SAMPLE).tolist() == expected


def test_alaw_decodes_every_octet_to_the_middle_of_its_interval() -> None:
    """Both polarities."""
    for octet, value in enumerate(g711.alaw_decode(EVERY_OCTET).tolist()):
        number = (octet ^ 0b01010101) & 0x7F
        assert value == slow_value(number, ALAW_DECISIONS) * (1 if octet & 0x80 else -1)


def test_ulaw_decodes_every_octet_to_the_middle_of_its_interval() -> None:
    """Both polarities; the innermost interval is one step wide and its value is zero."""
    for octet, value in enumerate(g711.ulaw_decode(EVERY_OCTET).tolist()):
        number = 0x7F - (octet & 0x7F)
        expected = slow_value(number, ULAW_DECISIONS) if number else 0
        assert value == expected * (1 if octet & 0x80 else -1)


@pytest.mark.parametrize(
    ("sample", "ulaw", "alaw"),
    [
        (0, 0xFF, 0xD5),
        (32767, 0x80, 0xAA),
        (-32768, 0x00, 0x2A),
        (32635, 0x80, 0xAA),
        (1000, 0xCE, 0xFA),
        (-1000, 0x4E, 0x7A),
        (3, 0xFF, 0xD5),
        (4, 0xFE, 0xD5),
        (-1, 0x7F, 0x55),
        (-4, 0x7F, 0x55),
        (-5, 0x7E, 0x55),
        (15, 0xFD, 0xD5),
        (16, 0xFD, 0xD4),
        (-16, 0x7D, 0x55),
        (-17, 0x7D, 0x54),
    ],
)
def test_golden_values(sample: int, ulaw: int, alaw: int) -> None:
    """The ends of the scale and both sides of decision values; a negative one stays in the inner interval."""
    block = np.array([sample], dtype=np.int16)
    assert (g711.ulaw_encode(block)[0], g711.alaw_encode(block)[0]) == (ulaw, alaw)


@pytest.mark.parametrize(
    ("octet", "ulaw", "alaw"),
    [(0x00, -32124, -5504), (0x80, 32124, 5504), (0x2A, -5372, -32256), (0xAA, 5372, 32256), (0xD5, 716, 8)],
)
def test_golden_decoded_values(octet: int, ulaw: int, alaw: int) -> None:
    """Written out by hand from tables 1 and 2."""
    block = np.array([octet], dtype=np.uint8)
    assert (g711.ulaw_decode(block)[0], g711.alaw_decode(block)[0]) == (ulaw, alaw)


def test_silence_octets() -> None:
    """The named octets are what a zero sample becomes."""
    zero = np.zeros(1, dtype=np.int16)
    assert g711.ulaw_encode(zero)[0] == facts.ULAW_SILENCE
    assert g711.alaw_encode(zero)[0] == facts.ALAW_SILENCE


@pytest.mark.parametrize(
    ("encode", "decode"),
    [(g711.ulaw_encode, g711.ulaw_decode), (g711.alaw_encode, g711.alaw_decode)],
)
def test_coding_again_changes_nothing(
    encode: Callable[[g711.Pcm], g711.Octets], decode: Callable[[g711.Octets], g711.Pcm]
) -> None:
    """A decoded value encodes to an octet of the same value, so relays in tandem do not drift."""
    values = decode(EVERY_OCTET)
    assert np.array_equal(decode(encode(values)), values)


def test_quantiser_is_monotonic() -> None:
    """A louder sample never becomes a softer one."""
    for encode, decode in ((g711.ulaw_encode, g711.ulaw_decode), (g711.alaw_encode, g711.alaw_decode)):
        steps = np.diff(decode(encode(np.sort(EVERY_SAMPLE))).astype(np.int32))
        assert steps.min() >= 0


def test_crossing_laws_goes_through_the_linear_value() -> None:
    """Each table is decode, then encode by the slow quantiser; crossing back and again changes nothing."""
    assert list(g711.ULAW_TO_ALAW) == [slow_alaw(int(value)) for value in g711.ulaw_decode(EVERY_OCTET)]
    assert list(g711.ALAW_TO_ULAW) == [slow_ulaw(int(value)) for value in g711.alaw_decode(EVERY_OCTET)]
    once = EVERY_OCTET.tobytes().translate(g711.ULAW_TO_ALAW)
    assert once.translate(g711.ALAW_TO_ULAW).translate(g711.ULAW_TO_ALAW) == once


def test_blocks_keep_their_shape_and_fill_the_buffer_given() -> None:
    """[legs, samples] in, [legs, samples] out, in place; a strided view works as well."""
    block = np.arange(-160, 160, dtype=np.int16).reshape(2, 160) * 100
    octets = np.empty((2, 160), dtype=np.uint8)
    samples = np.empty((2, 160), dtype=np.int16)
    for encode, decode in ((g711.ulaw_encode, g711.ulaw_decode), (g711.alaw_encode, g711.alaw_decode)):
        assert encode(block, octets) is octets
        assert decode(octets, samples) is samples
        assert np.array_equal(octets, encode(block))
        assert np.array_equal(samples, decode(encode(block)))
        assert np.array_equal(encode(block[:, ::2]), octets[:, ::2])
