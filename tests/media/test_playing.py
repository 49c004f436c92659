"""What a caller can do to a prompt, and what is done with one: barge-in, pause, seek, volume, under a room, memory."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from media import control
from media.codecs.g711 import Pcm, alaw_decode, ulaw_decode, ulaw_encode
from media.legs import Negotiated, PlayEnded
from media.player import SPEECH_TICKS, PlayOptions
from media.playing import Playing
from media.prompt_bank import PromptBank
from media.rtp import FRAME
from media.tones import dtmf
from tests.media.test_plane import PCMA, PCMU, Phone, Studio

SOUND = Negotiated(law=0, payload_type=0, event_type=None, send=True, receive=True, inband=True)


def frame(value: int) -> Pcm:
    return np.full(FRAME, value, np.int16)


def numbered(frames: int, first: int = 100) -> Pcm:
    """Frames that can be told apart, in steps G.711 keeps apart."""
    return np.concatenate([frame(first * (n + 1)) for n in range(frames)])


def level(phone: Phone) -> list[int]:
    """What the phone hears, one sample a frame."""
    decode = alaw_decode if phone.terms.law else ulaw_decode
    return [int(decode(np.frombuffer(each, np.uint8))[0]) for each in phone.frames()]


def ends(studio: Studio) -> list[PlayEnded]:
    return [each for each in studio.outputs if isinstance(each, PlayEnded)]


class TestBargeIn:
    def test_a_key_stops_it(self) -> None:
        """With its first packet, not its last; the place is told. Without the option it plays on."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(100))
        slot, phone = studio.leg()
        other, deaf = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1, options=PlayOptions(stop_on_digit=True))
        studio.plane.play(other, ["p"], loop=False, tag=2)
        studio.tick(10)
        studio.arrive((slot, phone.presses("5", FRAME, 9000)), (other, deaf.presses("5", FRAME, 9000)))
        studio.tick(5)
        assert ends(studio) == [PlayEnded(slot, 1, interrupted=True, cause="digit", position=10)]
        assert (len(phone.frames()), len(deaf.frames())) == (11, 15)

    def test_a_key_in_the_sound_stops_it(self) -> None:
        """Where digits are heard there."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(100))
        slot, phone = studio.leg(SOUND)
        studio.plane.play(slot, ["p"], loop=False, tag=1, options=PlayOptions(stop_on_digit=True))
        octets = ulaw_encode(dtmf("7", 100, 100)).tobytes()
        for at in range(0, len(octets), FRAME):
            studio.arrive((slot, phone.says(octets[at : at + FRAME])))
            studio.tick()
        (ended,) = ends(studio)
        assert ended.cause == "digit"
        assert ended.position <= 5

    @pytest.mark.parametrize("terms", [PCMU, PCMA])
    def test_a_voice_stops_it(self, terms: Negotiated) -> None:
        """After 100 ms of it; quiet sound and a click do not."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(200))
        slot, phone = studio.leg(terms)
        studio.plane.play(slot, ["p"], loop=True, tag=1, options=PlayOptions(stop_on_speech=True))
        loud, quiet = (
            (b"\x90" * FRAME, b"\xf0" * FRAME) if terms.law == 0 else (b"\x85" * FRAME, b"\xd4" * FRAME)
        )
        for said in [quiet] * 20 + [loud] * (SPEECH_TICKS - 1) + [quiet] * 20:
            studio.arrive((slot, phone.says(said)))
            studio.tick()
        assert ends(studio) == []
        for _ in range(SPEECH_TICKS + 2):
            studio.arrive((slot, phone.says(loud)))
            studio.tick()
        (ended,) = ends(studio)
        assert (ended.cause, ended.interrupted) == ("speech", True)


class TestPauseAndSeek:
    def test_held_and_gone_on(self) -> None:
        """Nothing is sent meanwhile, and no frame is lost."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(6))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1)
        studio.tick(3)
        studio.plane.pause_playing(slot, on=True)
        studio.tick(10)
        assert len(phone.frames()) == 3
        studio.plane.pause_playing(slot, on=False)
        studio.tick(5)
        assert b"".join(phone.frames()) == ulaw_encode(numbered(6)).tobytes()
        assert ends(studio) == [PlayEnded(slot, 1, interrupted=False)]

    def test_a_pause_of_nothing(self) -> None:
        """Going on with what is over plays nothing; a new play is not held."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(2))
        slot, phone = studio.leg()
        studio.plane.pause_playing(slot, on=False)
        studio.tick(3)
        assert phone.frames() == []
        studio.plane.play(slot, ["p"], loop=True, tag=1)
        studio.plane.pause_playing(slot, on=True)
        studio.plane.play(slot, ["p"], loop=False, tag=2)
        studio.tick(3)
        assert len(phone.frames()) == 2

    @pytest.mark.parametrize(
        ("ticks", "relative", "next_frame"),
        [(0, False, 0), (4, False, 4), (3, True, 6), (-2, True, 1), (-9, True, 0), (99, False, 5)],
    )
    def test_seek(self, ticks: int, relative: bool, next_frame: int) -> None:
        """Across the prompts of a list, from its beginning or from here; beyond the end is its end."""
        studio = Studio()
        bank = studio.plane.player.bank
        bank.load("a", numbered(4))
        bank.load("b", numbered(4, 1000) if relative and ticks == 3 else numbered(2, 1000))
        every = ulaw_encode(np.concatenate([numbered(4), numbered(4, 1000)])).tobytes()
        slot, phone = studio.leg()
        studio.plane.play(slot, ["a", "b"], loop=False, tag=1)
        studio.tick(3)
        studio.plane.seek(slot, ticks, relative=relative)
        studio.tick()
        assert phone.frames()[-1] == every[next_frame * FRAME : (next_frame + 1) * FRAME]

    def test_seek_in_a_loop(self) -> None:
        """Goes round."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(4))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=True, tag=1)
        studio.plane.seek(slot, 6, relative=False)
        studio.tick()
        assert phone.frames()[-1] == ulaw_encode(frame(300)).tobytes()


class TestVolume:
    @pytest.mark.parametrize("terms", [PCMU, PCMA])
    def test_louder_and_softer(self, terms: Negotiated) -> None:
        """6 dB either way; another play is as it was."""
        studio = Studio()
        studio.plane.player.bank.load("p", np.concatenate([frame(4000)] * 3))
        slot, phone = studio.leg(terms)
        for gain in (0.0, -6.02, 6.02, 0.0):
            studio.plane.play(slot, ["p"], loop=False, tag=1, options=PlayOptions(gain_db=gain))
            studio.tick(3)
        assert level(phone)[::3] == pytest.approx([4000, 2000, 8000, 4000], rel=0.06)


class TestUnderARoom:
    def test_the_room_goes_on(self) -> None:
        """Who is played to hears both; the others hear the room only, as before."""
        studio = Studio()
        studio.plane.player.bank.load("p", np.concatenate([frame(3000)] * 40))
        legs = [studio.leg() for _ in range(3)]
        for slot, _ in legs:
            studio.plane.join(slot, "room")
        talker, (slot, phone), (_, other) = legs[0], legs[1], legs[2]
        said = ulaw_encode(frame(8000)).tobytes()

        def talk(ticks: int) -> None:
            for _ in range(ticks):
                studio.arrive((talker[0], talker[1].says(said)))
                studio.tick()

        talk(50)
        before = level(phone)[-1]
        assert before > 5000
        studio.plane.play(slot, ["p"], loop=False, tag=1, options=PlayOptions(under=True))
        talk(20)
        assert level(phone)[-1] == pytest.approx(before + 3000, rel=0.08)
        assert level(other)[-1] == pytest.approx(before, rel=0.05)
        talk(30)
        assert level(phone)[-1] == pytest.approx(before, rel=0.05)
        assert ends(studio) == [PlayEnded(slot, 1, interrupted=False)]
        studio.plane.play(slot, ["p"], loop=False, tag=2)
        talk(5)
        assert level(phone)[-1] == pytest.approx(3000, rel=0.05)

    def test_outside_a_room_it_is_an_ordinary_play(self) -> None:
        """Nothing to be under."""
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(3))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1, options=PlayOptions(under=True))
        studio.tick(3)
        assert b"".join(phone.frames()) == ulaw_encode(numbered(3)).tobytes()


class TestMemory:
    def test_a_replaced_prompt_frees_its_rows(self) -> None:
        """A thousand replacements by other lengths take no more memory than a few."""
        bank = PromptBank()
        rng = np.random.default_rng(1)
        for _ in range(1000):
            bank.load("p", numbered(int(rng.integers(1, 100))))
        assert len(bank.rows) <= 2048

    def test_who_plays_it_hears_it_to_its_end(self) -> None:
        """Replaced and forgotten while it is played, its rows are not used before that."""
        studio = Studio()
        bank = studio.plane.player.bank
        bank.load("p", numbered(10))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1)
        studio.tick(2)
        bank.load("p", numbered(5, 50))
        bank.forget("p")
        bank.load("q", numbered(10, 7))
        studio.tick(8)
        assert b"".join(phone.frames()) == ulaw_encode(numbered(10)).tobytes()
        assert studio.plane.play(slot, ["p"], loop=False, tag=2) == ["p"]
        used = len(bank.rows)
        bank.load("r", numbered(10))
        bank.load("s", numbered(5))
        assert len(bank.rows) == used

    def test_rows_side_by_side_become_one(self) -> None:
        """Two that lie beside each other make room for one as long as both."""
        bank = PromptBank()
        first = bank.load("a", numbered(10)).first[0]
        bank.load("b", numbered(10))
        bank.load("c", numbered(1))
        bank.forget("b")
        bank.forget("a")
        assert bank.load("d", numbered(20)).first[0] == first


def test_stopped_with_its_last_frame() -> None:
    """A key in the tick of the last frame ends it once."""
    for key_at in range(1, 6):
        studio = Studio()
        studio.plane.player.bank.load("p", numbered(4))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1, options=PlayOptions(stop_on_digit=True))
        for tick in range(8):
            if tick == key_at:
                studio.arrive((slot, phone.presses("5", FRAME, 9000)))
            studio.tick()
        assert len(ends(studio)) == 1
        assert len(phone.frames()) <= 4


def test_a_prompt_that_is_read_later(tmp_path: Path) -> None:
    """Takes no memory before it is played; then it is there, and another under its name takes its place."""
    studio, events = Studio(), list[control.Event]()
    playing = Playing(studio.plane, events.append)
    slot, phone = studio.leg()
    for number, value in enumerate((1000, 3000)):
        path = tmp_path / f"{number}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(frame(value).tobytes())
        playing.handle_prompt(control.LoadPrompt("p", str(path), later=True))
        playing.take(wait=0.1)
        assert studio.plane.player.bank.get("p") is None
        playing.handle(slot, control.Play(7, ["p", "p"]))
        studio.tick(3)
        assert level(phone)[-2:] == pytest.approx([value] * 2, rel=0.05)
    playing.handle_prompt(control.ForgetPrompt("p"))
    playing.handle(slot, control.Play(7, ["p"]))
    assert control.LegFailed(7, "unknown_prompt p") in events
    playing.stop()
