"""The way into a conference, with keys of every kind and in both languages: what is heard, and who hears whom."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from conference.definition import RoomDefinition, Sound
from engine.prompts import catalogue
from engine.store import Store
from engine.store.conferences.records import ConferenceRoom
from media.codecs.g711 import ulaw_encode
from media.prompt_file import load
from media.tones import dtmf, silence
from tests.interop.engine_process import Engine
from tests.interop.phone import phones
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import FRAME, TONE, Voice

pytestmark = pytest.mark.slow

ROOM, FRENCH_WAY_IN = "9010", "9500"
NAMED = RoomDefinition(number="9020", entry_sound=Sound.NAME, start_muted=True, music=False)
SECONDS = 20.0
"""What is waited for at most, on a busy machine."""
Samples = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    settings = {"engine.language": "en", "media.workers": "2"}
    with Engine(tmp_path_factory.mktemp("engine"), settings) as running:
        store = Store(f"sqlite:///{running.data / 'store.sqlite3'}")
        store.open()
        store.rooms.add(ConferenceRoom(definition=NAMED))
        store.close()
        running.cli("automates", "add", FRENCH_WAY_IN, "conference", "--room", ROOM, "--language", "fr")
        yield running
        assert_no_exception(running)


def pins(engine: Engine) -> tuple[str, str]:
    """Of host and guest, made at random."""
    with sqlite3.connect(f"file:{engine.data / 'store.sqlite3'}?mode=ro", uri=True) as store:
        row = store.execute("SELECT host_pin, guest_pin FROM conference_rooms WHERE number = ?", (ROOM,))
        host, guest = row.fetchone()
    return host, guest


def contains(sound: Samples, prompt: str) -> bool:
    """Whether a prompt's first second and a half is in a sound, whatever else is heard with it but for our tone."""
    wanted = without_tone(load(catalogue()[prompt])[:12000].astype(np.float64))
    if len(sound) < len(wanted):
        return False
    sound = without_tone(sound)
    size = 1 << (len(sound) + len(wanted)).bit_length()
    found = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    found = found[: len(sound) - len(wanted) + 1]
    power = np.cumsum(np.concatenate(([0.0], sound**2)))
    around = np.sqrt(np.maximum(power[len(wanted) :] - power[: -len(wanted)], 1.0))
    return bool((found / around / np.linalg.norm(wanted)).max() > 0.7)


def without_tone(sound: Samples) -> Samples:
    """What is left of a sound when the tone the phones say is taken out."""
    spectrum = np.fft.rfft(sound)
    hertz = np.arange(len(spectrum)) * 8000 / len(sound)
    spectrum[abs(hertz - TONE) < 25] = 0
    return np.fft.irfft(spectrum, len(sound))


def until(held: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not held():
        assert time.monotonic() < end, what
        time.sleep(0.1)


class Caller:
    """A wire phone that listens and presses keys by INFO; ``frames``: what it says, over and over."""

    def __init__(
        self,
        stack: ExitStack,
        engine: Engine,
        number: str,
        frames: list[bytes] | None = None,
        *,
        tone: int = TONE,
    ) -> None:
        self.phone = stack.enter_context(WirePhone(engine.ready.address()))
        assert self.phone.call(number).status == 200
        self.voice = stack.enter_context(Voice(self.phone, tone, frames))
        self.from_here = 0

    def press(self, keys: str) -> None:
        for key in keys:
            body = f"Signal={key}\r\nDuration=120\r\n".encode()
            headers = ("Content-Type: application/dtmf-relay",)
            dialog = self.phone.dialog
            assert self.phone.ask("INFO", dialog.target, dialog, headers, body).status == 200

    def hears(self, prompt: str) -> None:
        """From where it was looked last."""
        until(lambda: contains(self.voice.sound()[self.from_here :], prompt), f"{prompt} is not heard")
        self.from_here = max(0, len(self.voice.sound()) - 16000)

    def loud(self, frequency_hz: int) -> bool:
        """Whether a tone is in the last half second."""
        last = self.voice.sound()[-4000:]
        return bool(np.abs(np.fft.rfft(last))[frequency_hz // 2] * 2 / len(last) > 2000)


def quiet(seconds: float = 60.0) -> list[bytes]:
    return [b"\xff" * FRAME] * round(seconds * 50)


def keys_in_the_sound(keys: str) -> list[bytes]:
    """Pressed after three seconds, and never again within the test."""
    sound = np.concatenate([silence(3000), dtmf(keys, 80, 80), silence(60_000)])
    octets = ulaw_encode(sound).tobytes()
    return [octets[at : at + FRAME] for at in range(0, len(octets) - FRAME + 1, FRAME)]


def test_a_guest_and_its_host(engine: Engine) -> None:
    """The guest, in English, by the access number and keys in its sound, then by INFO: a wrong PIN, the right one, the
    lobby. The host, in French, by its PIN: both are in. The host mutes all by its menu."""
    host_pin, guest_pin = pins(engine)
    with ExitStack() as stack:
        guest = Caller(stack, engine, "9000", keys_in_the_sound(f"{ROOM}#"))
        guest.hears("en/conference-welcome")
        guest.hears("en/conference-enter-pin")
        guest.press("0000#")
        guest.hears("en/conference-wrong-pin")
        guest.press(guest_pin)
        guest.hears("en/conference-wait-for-host")
        host = Caller(stack, engine, FRENCH_WAY_IN)
        host.hears("fr/conference-enter-pin")
        host.press(host_pin)
        guest.hears("en/conference-admitted")
        until(lambda: guest.loud(TONE), "the host is not heard")
        host.press("#1")
        guest.hears("en/conference-all-muted")
        host.press("*3")
        host.hears("fr/conference-count")
        guest.press("*1")
        guest.hears("en/conference-refused-muted-by-host")
        assert guest.phone.hang_up().status == 200
        assert host.phone.hang_up().status == 200


def test_three_wrong_pins(engine: Engine) -> None:
    """Spoken each time; then the call ends with cause 403, and is counted."""
    with ExitStack() as stack:
        caller = Caller(stack, engine, ROOM, quiet())
        caller.hears("en/conference-enter-pin")
        for _ in range(3):
            caller.press("9999999#")
        caller.hears("en/conference-too-many-tries")
        caller.phone.listen(SECONDS)
        bye = next(each for each in caller.phone.asked if each.method == "BYE")
        assert "cause=403" in (bye.headers.get("Reason") or "")
    counters = engine.status()["counters"]
    assert (counters["conference_wrong_pin"], counters["conference_pin_refused"]) == (4, 1)


def test_keys_as_events(engine: Engine, tmp_path: Path) -> None:
    """A real phone presses them by RFC 4733, typed ahead through the welcome, and comes to the open room."""
    with phones(tmp_path, "alice") as (phone,):
        number = phone.call(engine.uri("9000"))
        phone.wait_for("confirmed", number)
        heard = tmp_path / "heard.wav"
        phone.record(heard)
        phone.rest(0.5)
        phone.send_dtmf("9001#")
        phone.rest(7.0)
        phone.stop_recording()
        phone.hangup()
    samples, rate = soundfile.read(heard)
    sound = samples[:: rate // 8000] * 32768
    assert contains(sound, "en/conference-alone")


def test_names_are_recorded_and_said(engine: Engine) -> None:
    """Each says a tone for its name. The second is muted, so what the first hears of it is what was recorded."""
    with ExitStack() as stack:
        first = Caller(stack, engine, NAMED.number)
        first.hears("en/conference-say-name")
        first.press("#")
        first.hears("en/conference-muted")
        second = Caller(stack, engine, NAMED.number, tone=900)
        second.hears("en/conference-say-name")
        time.sleep(1.5)
        assert not first.loud(900)
        second.press("#")
        until(lambda: first.loud(900), "the name is not heard")
        until(lambda: not first.loud(900), "more than the name is heard")
        assert second.phone.hang_up().status == 200
        assert first.phone.hang_up().status == 200
