"""A re-INVITE in the middle of a tone is not heard: what a leg returns before, during and after it, listened to."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from media import control
from media.codecs.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.rtp import FRAME
from tests.media.desk import KEYS, Desk, Plain, Secured
from tests.media.worker_process import Phone

RATE = 8000
HERTZ = 440.0
LEVEL = 8000.0
TICKS = 100
CHANGE = 50  # the tick of the re-INVITE
SETTLED = 20  # by then the echo is steady
NEW_KEYS = control.SrtpTerms("AEAD_AES_128_GCM", bytes(range(50, 78)), bytes(range(150, 178)))
NEW_SUITE = control.SrtpTerms("AES_CM_128_HMAC_SHA1_80", bytes(range(30)), bytes(range(60, 90)))

Samples = npt.NDArray[np.float64]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.dispatch.stop(made.now)


def tone(tick: int) -> npt.NDArray[np.int16]:
    at = np.arange(tick * FRAME, (tick + 1) * FRAME)
    wave: npt.NDArray[np.int16] = (LEVEL * np.sin(2 * math.pi * HERTZ * at / RATE)).astype(np.int16)
    return wave


def disturbance_db(samples: Samples) -> Samples:
    """What of each sample its two neighbours do not foretell, for a pure tone nothing; dB of the tone's level.

    A repeated, lost or shifted sample, a gap and a change of level all stand out of it.
    """
    foretold = 2 * math.cos(2 * math.pi * HERTZ / RATE) * samples[1:-1] - samples[2:]
    rest: Samples = 20 * np.log10(np.abs(samples[:-2] - foretold) / LEVEL + 1e-6)
    return rest


def decoded(payload: bytes, payload_type: int) -> Samples:
    octets = np.frombuffer(payload, np.uint8)
    return (alaw_decode(octets) if payload_type == 8 else ulaw_decode(octets)).astype(float)


def listened(
    desk: Desk, change: control.LegSpec | None, first: Plain | Secured, then: Plain | Secured, law: int = 0
) -> Samples:
    """A tone through the echo of a leg that is changed half way; what comes back, by its sequence numbers."""
    port = desk.open(1, first.phone.spec(srtp=KEYS if isinstance(first, Secured) else None))
    desk.do(control.Echo(1, on=True))
    heard = []
    for tick in range(TICKS):
        wire, payload_type = (first, 0) if tick < CHANGE else (then, law)
        if tick == CHANGE:
            then.phone.sequence, then.phone.timestamp = first.phone.sequence, first.phone.timestamp
            if change is not None:
                desk.do(control.ModifyLeg(1, change))
        coded = alaw_encode(tone(tick)) if payload_type == 8 else ulaw_encode(tone(tick))
        wire.say(coded.tobytes(), port, payload_type)
        desk.tick()
        heard += wire.received()
    assert len({each.ssrc for each in heard}) == 1
    sequence = [each.sequence for each in heard]
    assert sequence == [(sequence[0] + at) & 0xFFFF for at in range(len(heard))]
    assert TICKS - len(heard) <= 6
    assert [each.marker for each in heard[1:]] == [False] * (len(heard) - 1)
    return np.concatenate([decoded(each.payload, each.payload_type) for each in heard[SETTLED:]])


@pytest.fixture
def phones() -> Iterator[tuple[Phone, Phone]]:
    made = Phone(), Phone()
    for each in made:
        each.sequence, each.timestamp = 100, 0
    yield made
    for each in made:
        each.close()


def assert_smooth(samples: Samples) -> None:
    """Nothing but the coding noise of G.711: some 38 dB below the tone, and its peaks a little more."""
    assert samples.std() > LEVEL / 2
    assert disturbance_db(samples).max() < -20


def test_the_measure_hears_a_click(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """One frame lost, doubled or of silence is far above what the tests allow."""
    samples = listened(desk, None, Plain(phones[0]), Plain(phones[0]))
    assert_smooth(samples)
    at = 3000
    for spoilt in (
        np.delete(samples, slice(at, at + FRAME // 2)),
        np.insert(samples, at, samples[at - FRAME // 3 : at]),
        np.where((np.arange(len(samples)) - at) // FRAME == 0, 0.0, samples),
    ):
        assert disturbance_db(spoilt).max() > -12


def test_a_refresh(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """The same again, word for word or with another event type."""
    phone = Plain(phones[0])
    assert_smooth(listened(desk, phones[0].spec(event_type=100), phone, phone))


def test_another_port(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """The peer goes on from another port, its stream the same."""
    assert_smooth(listened(desk, phones[1].spec(), Plain(phones[0]), Plain(phones[1])))


def test_another_law(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """PCMA in place of PCMU, in both directions."""
    phone = Plain(phones[0])
    assert_smooth(listened(desk, phones[0].spec(codec="PCMA", payload_type=8), phone, phone, 8))


def test_other_keys(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """New master keys in both directions."""
    first, then = Secured(phones[0]), Secured(phones[0], NEW_KEYS)
    assert_smooth(listened(desk, phones[0].spec(srtp=NEW_KEYS), first, then))


def test_keys_from_nowhere(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """A plain call becomes a secure one."""
    assert_smooth(listened(desk, phones[0].spec(srtp=KEYS), Plain(phones[0]), Secured(phones[0])))


def test_port_law_and_keys_at_once(desk: Desk, phones: tuple[Phone, Phone]) -> None:
    """As when a PBX hands the call to another device."""
    spec = phones[1].spec(codec="PCMA", payload_type=8, srtp=NEW_KEYS)
    assert_smooth(listened(desk, spec, Secured(phones[0]), Secured(phones[1], NEW_KEYS), 8))
