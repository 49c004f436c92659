"""Prompts into rooms, on a plane by ticks: who hears them, one after the other, music beneath, and what it leaves."""

from __future__ import annotations

import numpy as np
import pytest

from media.codecs.coding import Terms
from media.codecs.g711 import Pcm
from media.legs import RoomPlayEnded
from media.plane import Plane
from media.prompt_bank import PromptBank
from media.room_player import FALL_TICKS, MOST_QUEUED, RISE_TICKS, UNDER
from media.rtp import FRAME
from tests.media.coded_wire import G722, L16_16, OPUS_48, plane
from tests.media.room_wire import Participant, converse, lines

ROOM = "9001"
EVERY_CODEC: list[str | Terms] = ["PCMU", "PCMA", G722, L16_16, OPUS_48]


def tone(hertz: int, ticks: int, amplitude: float = 2000.0) -> Pcm:
    time = np.arange(ticks * FRAME) / 8000
    wave: Pcm = np.rint(amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return wave


def members(stage: Plane, codecs: list[str | Terms], room: str = ROOM) -> list[Participant]:
    found = [Participant(stage, codec) for codec in codecs]
    for each in found:
        stage.join(each.slot, room)
    return found


def play(stage: Plane, *names: str, room: str = ROOM, tag: int = 1, **how: object) -> list[str]:
    options: dict[str, object] = {"loop": False, "gain_db": 0.0, "music": False, **how}
    return stage.mixer.player.play(room, list(names), tag=tag, **options)  # type: ignore[arg-type]


def ends(stage: Plane) -> list[RoomPlayEnded]:
    return [each for each in stage.take_outputs() if isinstance(each, RoomPlayEnded)]


def amplitude(sound: np.ndarray, hertz: int, rate: int, seconds: float = 0.5) -> float:
    return float(lines(sound, rate, seconds)[int(hertz * seconds)])


class TestAnnouncements:
    @pytest.mark.parametrize("alone", [False, True])
    def test_everybody_hears_it_and_only_this_room(self, alone: bool) -> None:
        """Whatever the codec, talking or not, at its level; the room's mix, which is recorded, has it too."""
        stage = plane()
        people = members(stage, EVERY_CODEC[-1:] if alone else EVERY_CODEC)
        people[0].frequency_hz, people[0].amplitude = 500.0, 2000.0
        (elsewhere,) = members(stage, ["PCMU"], "9002")
        stage.player.bank.load("p", tone(700, 100))
        stage.mixer.tap([ROOM])
        converse(stage, [*people, elsewhere], 20)
        assert play(stage, "p") == []
        mix = []
        for _ in range(80):
            converse(stage, [*people, elsewhere], 1, people[0].now)
            mix.append(stage.mixer.room_sound[ROOM])
        for each in people:
            assert amplitude(each.heard(), 700, each.rate) == pytest.approx(2000, rel=0.08), each.codec
        for each in people[1:]:
            assert amplitude(each.heard(), 500, each.rate) == pytest.approx(2000, rel=0.08), each.codec
        assert amplitude(elsewhere.heard(), 700, 8000) < 5
        rate = int(stage.mixer.rooms.rate[stage.mixer.rooms.row(ROOM) or 0])
        assert amplitude(np.concatenate(mix), 700, rate) == pytest.approx(2000, rel=0.05)

    def test_one_after_the_other(self) -> None:
        """Two announcements, of two prompts and of one: in turn, without a gap, each end told in its tick."""
        stage = plane()
        (phone,) = members(stage, ["PCMU"])
        for number, name in enumerate("abc"):
            stage.player.bank.load(name, np.full(3 * FRAME, 1000 * (number + 1), np.int16))
        converse(stage, [phone], 5)
        phone.payloads.clear()
        play(stage, "a", "b", tag=1)
        play(stage, "c", tag=2)
        told = []
        for _ in range(12):
            converse(stage, [phone], 1)
            told.append(ends(stage))
        heard = phone.heard().reshape(-1, FRAME)[:, 80]
        assert heard == pytest.approx([1000] * 3 + [2000] * 3 + [3000] * 3 + [0] * 3, rel=0.05, abs=1)
        assert [tick for tick, each in enumerate(told) if each] == [5, 8]
        assert told[5] + told[8] == [
            RoomPlayEnded(ROOM, 1, interrupted=False),
            RoomPlayEnded(ROOM, 2, interrupted=False),
        ]
        assert not stage.mixer.player.active

    def test_gain(self) -> None:
        """6 dB softer."""
        stage = plane()
        (phone,) = members(stage, ["PCMA"])
        stage.player.bank.load("p", tone(700, 60, 4000))
        converse(stage, [phone], 2)
        play(stage, "p", gain_db=-6.02)
        converse(stage, [phone], 50)
        assert amplitude(phone.heard(), 700, 8000) == pytest.approx(2000, rel=0.05)

    def test_stopped_without_a_click(self) -> None:
        """All of the queue ends at once, over one frame; music that is played goes on."""
        stage = plane()
        (phone,) = members(stage, ["PCMU"])
        stage.player.bank.load("p", np.full(50 * FRAME, 8000, np.int16))
        stage.player.bank.load("m", tone(300, 50))
        converse(stage, [phone], 2)
        play(stage, "p", tag=1)
        play(stage, "p", tag=2)
        converse(stage, [phone], 5)
        play(stage, "m", music=True, loop=True)
        stage.mixer.player.stop(ROOM, music=False)
        phone.payloads.clear()
        converse(stage, [phone], 2)
        assert np.abs(np.diff(phone.heard())).max() < 500
        assert ends(stage) == [
            RoomPlayEnded(ROOM, 1, interrupted=True),
            RoomPlayEnded(ROOM, 2, interrupted=True),
        ]
        assert stage.mixer.player.active

    def test_nobody_there_and_nothing_to_play(self) -> None:
        """It ends at once; what is not loaded is named and left out; an empty room ends what it hears."""
        stage = plane()
        stage.player.bank.load("p", tone(700, 10))
        assert play(stage, "p", tag=1) == []
        (phone,) = members(stage, ["PCMU"])
        assert play(stage, "none", tag=2) == ["none"]
        assert play(stage, "none", "p", tag=3) == ["none"]
        converse(stage, [phone], 2)
        stage.leave(phone.slot)
        assert ends(stage) == [RoomPlayEnded(ROOM, tag, interrupted=True) for tag in (1, 2, 3)]
        assert not stage.mixer.player.active

    def test_a_queue_has_an_end(self) -> None:
        """One more than may wait is refused."""
        stage = plane()
        members(stage, ["PCMU"])
        stage.player.bank.load("p", tone(700, 10))
        for tag in range(MOST_QUEUED + 1):
            play(stage, "p", tag=tag)
        assert ends(stage) == [RoomPlayEnded(ROOM, MOST_QUEUED, interrupted=True)]

    def test_a_better_codec_joins_meanwhile(self) -> None:
        """The room is mixed at another rate from then on; the announcement goes on in it."""
        stage = plane()
        (phone,) = members(stage, ["PCMU"])
        stage.player.bank.load("p", tone(700, 200))
        converse(stage, [phone], 2)
        play(stage, "p")
        converse(stage, [phone], 10)
        (wide,) = members(stage, [OPUS_48])
        converse(stage, [phone, wide], 60)
        for each in (phone, wide):
            assert amplitude(each.heard(), 700, each.rate) == pytest.approx(2000, rel=0.08)


class TestMusic:
    def test_it_softens_beneath_words_and_comes_back(self) -> None:
        """20 dB down while something is said; it fades in, loops, and fades out when it is stopped."""
        stage = plane()
        (phone,) = members(stage, ["PCMU"])
        stage.player.bank.load("m", tone(400, 20))
        stage.player.bank.load("p", tone(900, 75))
        converse(stage, [phone], 2)

        def after(ticks: int) -> tuple[float, float]:
            phone.payloads.clear()
            converse(stage, [phone], ticks)
            heard = phone.heard()
            return amplitude(heard, 400, 8000, 0.2), amplitude(heard, 900, 8000, 0.2)

        play(stage, "m", music=True, loop=True)
        faded_in = after(RISE_TICKS + 20)
        play(stage, "p")
        spoken_over = after(FALL_TICKS + 20)
        back = after(75 + RISE_TICKS)
        stage.mixer.player.stop(ROOM, music=True)
        gone = after(FALL_TICKS + 12)
        assert faded_in == pytest.approx((2000, 0), rel=0.05, abs=20)
        assert spoken_over == pytest.approx((2000 * UNDER, 2000), rel=0.08, abs=20)
        assert back == pytest.approx((2000, 0), rel=0.05, abs=20)
        assert gone == pytest.approx((0, 0), abs=20)
        assert not stage.mixer.player.active

    def test_other_music_takes_its_place(self) -> None:
        """One fades out as the other fades in; the same again changes nothing, and an empty room has none."""
        stage = plane()
        (phone,) = members(stage, ["PCMU"])
        stage.player.bank.load("m", tone(400, 20))
        stage.player.bank.load("n", tone(900, 20))
        converse(stage, [phone], 2)
        play(stage, "m", music=True, loop=True)
        converse(stage, [phone], RISE_TICKS)
        play(stage, "m", music=True, loop=True)
        play(stage, "n", music=True, loop=True)
        converse(stage, [phone], RISE_TICKS + 25)
        heard = phone.heard()
        assert amplitude(heard, 900, 8000) == pytest.approx(2000, rel=0.05)
        assert amplitude(heard, 400, 8000) < 20
        stage.leave(phone.slot)
        assert not stage.mixer.player.active
        assert ends(stage) == []

    def test_music_once(self) -> None:
        """Without a loop it ends by itself."""
        stage = plane()
        (phone,) = members(stage, ["PCMU"])
        stage.player.bank.load("m", tone(400, 5))
        play(stage, "m", music=True)
        converse(stage, [phone], 8)
        assert not stage.mixer.player.active


def test_rows_are_kept_while_a_room_hears_them() -> None:
    """A prompt that is replaced is heard to its end in a room, as on a leg."""
    stage = plane()
    (phone,) = members(stage, ["PCMU"])
    bank: PromptBank = stage.player.bank
    bank.load("p", np.full(10 * FRAME, 1000, np.int16))
    converse(stage, [phone], 2)
    phone.payloads.clear()
    play(stage, "p")
    converse(stage, [phone], 2)
    bank.load("p", np.full(5 * FRAME, 3000, np.int16))
    bank.forget("p")
    bank.load("q", np.full(10 * FRAME, 5000, np.int16))
    converse(stage, [phone], 8)
    assert phone.heard() == pytest.approx(np.full(10 * FRAME, 1000), rel=0.05)
