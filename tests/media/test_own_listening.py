"""What one of a room hears otherwise than the others: a prompt under it, or all of it louder, in every codec."""

from __future__ import annotations

import numpy as np
import pytest

from media.codecs.coding import Terms
from media.codecs.g711 import Pcm
from media.legs import PlayEnded
from media.plane import Plane
from media.player import PlayOptions
from media.rtp import FRAME
from tests.media.coded_wire import G722, G729, L16_16, OPUS_48, plane
from tests.media.room_wire import Participant, converse, lines

CODECS: list[str | Terms] = ["PCMU", "PCMA", G722, L16_16, OPUS_48]
UNDER = PlayOptions(under=True)


def tone(hertz: int, ticks: int, amplitude: float = 2000.0) -> Pcm:
    time = np.arange(ticks * FRAME) / 8000
    wave: Pcm = np.rint(amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return wave


def amplitude(each: Participant, hertz: int, seconds: float = 0.4) -> float:
    return float(lines(each.heard(), each.rate, seconds)[int(hertz * seconds)])


def a_room(codec: str | Terms) -> tuple[Plane, Participant, Participant, Participant]:
    """One that talks, at 500 Hz, and two of a codec that listen."""
    stage = plane()
    talker = Participant(stage, "PCMA", 500.0, 2000.0)
    one, other = Participant(stage, codec), Participant(stage, codec)
    for each in (talker, one, other):
        stage.join(each.slot, "9001")
    stage.player.bank.load("p", tone(900, 60))
    return stage, talker, one, other


def forget(*people: Participant) -> None:
    for each in people:
        each.payloads.clear()


def set_volume(stage: Plane, slot: int, volume_db: float) -> None:
    stage.set_participant(
        slot, muted=False, gain_db=0.0, agc=False, gate=False, denoise=False, volume_db=volume_db
    )


@pytest.mark.parametrize("codec", [*CODECS, G729], ids=str)
def test_a_prompt_under_the_room(codec: str | Terms) -> None:
    """Who is played to hears both, the others the room only; after its end it is as before."""
    stage, talker, one, other = a_room(codec)
    people = [talker, one, other]
    converse(stage, people, 20)
    stage.play(one.slot, ["p"], loop=False, tag=3, options=UNDER)
    converse(stage, people, 50, talker.now)
    rough = 0.25 if codec is G729 else 0.08
    assert amplitude(one, 900) == pytest.approx(2000, rel=rough)
    assert amplitude(one, 500) == pytest.approx(2000, rel=rough)
    assert amplitude(other, 900) < 60
    assert amplitude(other, 500) == pytest.approx(2000, rel=rough)
    converse(stage, people, 40, talker.now)
    assert stage.take_outputs() == [PlayEnded(one.slot, 3, interrupted=False)]
    assert amplitude(one, 900) < 60
    assert amplitude(one, 500) == pytest.approx(2000, rel=rough)


@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_a_talker_hears_it_too(codec: str | Terms) -> None:
    """Added to a mix of its own, softer by 6 dB."""
    stage, talker, one, other = a_room(codec)
    one.frequency_hz, one.amplitude = 300.0, 2000.0
    people = [talker, one, other]
    converse(stage, people, 20)
    stage.play(one.slot, ["p"], loop=True, tag=3, options=PlayOptions(under=True, gain_db=-6.02))
    converse(stage, people, 40, talker.now)
    assert amplitude(one, 900) == pytest.approx(1000, rel=0.08)
    assert amplitude(one, 500) == pytest.approx(2000, rel=0.08)
    assert amplitude(one, 300) < 60


@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_the_room_at_another_volume(codec: str | Terms) -> None:
    """6 dB softer for one, and no less for the other; then with a prompt, which is as loud as ever; then as before."""
    stage, talker, one, other = a_room(codec)
    people = [talker, one, other]
    set_volume(stage, one.slot, -6.02)
    converse(stage, people, 50)
    assert amplitude(one, 500) == pytest.approx(1000, rel=0.08)
    assert amplitude(other, 500) == pytest.approx(2000, rel=0.08)
    stage.play(one.slot, ["p"], loop=True, tag=3, options=UNDER)
    converse(stage, people, 40, talker.now)
    assert amplitude(one, 500) == pytest.approx(1000, rel=0.1)
    assert amplitude(one, 900) == pytest.approx(2000, rel=0.08)
    stage.stop_playing(one.slot)
    set_volume(stage, one.slot, 0.0)
    converse(stage, people, 50, talker.now)
    assert amplitude(one, 500) == pytest.approx(2000, rel=0.08)


@pytest.mark.parametrize("codec", ["PCMU", L16_16], ids=str)
def test_the_volume_moves(codec: str | Terms) -> None:
    """Over a frame: no sample is further from the one before than the tone itself goes."""
    stage, talker, one, other = a_room(codec)
    people = [talker, one, other]
    converse(stage, people, 50)
    forget(one)
    set_volume(stage, one.slot, -12.0)
    converse(stage, people, 5, talker.now)
    steepest = 2000 * 2 * np.pi * 500 / one.rate
    assert np.abs(np.diff(one.heard())).max() < 1.3 * steepest


@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_a_prompt_alone_at_another_volume(codec: str | Terms) -> None:
    """In no room, or in its place: every codec has it louder or softer."""
    stage, talker, one, other = a_room(codec)
    stage.play(one.slot, ["p"], loop=True, tag=3, options=PlayOptions(gain_db=-6.02))
    converse(stage, [talker, one, other], 50)
    assert amplitude(one, 900) == pytest.approx(1000, rel=0.08)
    assert amplitude(one, 500) < 60


def test_more_legs_than_at_first() -> None:
    """What is kept for each grows with them."""
    stage = plane()
    people = [Participant(stage, OPUS_48 if number % 8 == 0 else "PCMU") for number in range(80)]
    stage.player.bank.load("p", tone(900, 60))
    for each in people:
        stage.join(each.slot, "9001")
    last = people[-8]
    stage.play(last.slot, ["p"], loop=True, tag=1, options=UNDER)
    converse(stage, people, 40)
    assert amplitude(last, 900) == pytest.approx(2000, rel=0.08)
