"""Plug-ins: what they are given, what becomes of what they return, and what happens to bad ones."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from media.codecs.coding import Terms
from media.codecs.g711 import Pcm, ulaw_decode, ulaw_encode
from media.hook_loading import load_plugin
from media.hooks import SAVED_TICKS, HookedLeg
from media.legs import Negotiated
from media.plane import Plane
from media.rtp import FRAME, RtpPacket

PCMU = Negotiated(law=0, payload_type=0, event_type=None, send=True, receive=True)
PCMA = Negotiated(law=1, payload_type=8, event_type=None, send=True, receive=True)
L16 = Negotiated(
    law=0, payload_type=97, event_type=None, send=True, receive=True, terms=Terms("L16", 16000, 16000)
)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"


class Clock:
    """Time that passes only when somebody says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Keeper:
    """A plug-in that keeps what it is given, and returns what it is told to."""

    def __init__(self, wanted: set[int], gain: float | None = None, cost: float = 0.0) -> None:
        self.wanted, self.gain, self.cost = wanted, gain, cost
        self.given: list[tuple[list[int], Pcm, int]] = []
        self.clock = Clock()

    def wants(self, leg: HookedLeg) -> bool:
        return leg.id in self.wanted

    def frames(self, legs: Sequence[int], pcm: Pcm, rate: int) -> Pcm | None:
        self.clock.now += self.cost
        self.given.append((list(legs), pcm.copy(), rate))
        return None if self.gain is None else (pcm * self.gain).astype(np.int16)


class Studio:
    """A plane with one plug-in, whose legs are numbered 100, 101, ..."""

    def __init__(self, plugin: Keeper) -> None:
        self.plane = Plane(lambda bits: 0, clock=plugin.clock)
        self.plane.hooks.add("keeper", plugin)
        self.slots: list[int] = []
        self.tick_number = 0

    def leg(self, terms: Negotiated = PCMU, *, echo: bool = True) -> int:
        slot = self.plane.open()
        self.plane.negotiate(slot, terms)
        codec = terms.terms.codec if terms.terms else "PCMU"
        self.plane.hooks.offer(slot, HookedLeg(100 + len(self.slots), codec, None))
        self.plane.echo(slot, on=echo)
        self.slots.append(slot)
        return slot

    def say(self, slot: int, payload: bytes, payload_type: int = 0) -> None:
        at = self.tick_number
        packet = RtpPacket(payload_type, at, at * FRAME, 1, payload).serialise()
        raw = np.zeros((1, 1088), np.uint8)
        raw[0, : len(packet)] = np.frombuffer(packet, np.uint8)
        self.plane.receive(np.array([slot]), raw, np.array([len(packet)]), at * 0.02)

    def tick(self) -> None:
        self.tick_number += 1
        self.plane.tick(self.tick_number * 0.02)

    def heard(self, slot: int) -> bytes:
        return bytes(self.plane.transmission.packets["frame"][slot].tobytes())


def tone(level: int) -> bytes:
    return ulaw_encode((level * np.sin(np.arange(FRAME) * 0.5)).astype(np.int16)).tobytes()


def test_a_block_of_the_legs_asked_for() -> None:
    """A row a leg, in one call, and only those; who listens changes nothing."""
    plugin = Keeper({100, 102})
    studio = Studio(plugin)
    said = {studio.leg(): tone(level) for level in (1000, 2000, 3000)}
    for slot, payload in said.items():
        studio.say(slot, payload)
    studio.tick()
    (legs, pcm, rate), *more = plugin.given
    assert (legs, rate, more) == ([100, 102], 8000, [])
    for row, slot in zip(pcm, (studio.slots[0], studio.slots[2]), strict=True):
        assert (row == ulaw_decode(np.frombuffer(said[slot], np.uint8))).all()
    assert all(studio.heard(slot) == payload for slot, payload in said.items())


def test_what_it_returns_is_heard() -> None:
    """In place of what was said, in the leg's own law; the others' is as it was."""
    plugin = Keeper({100, 101}, gain=0.5)
    studio = Studio(plugin)
    legs = [studio.leg(), studio.leg(PCMA), studio.leg()]
    for slot, payload_type in zip(legs, (0, 8, 0), strict=True):
        studio.say(slot, tone(8000), payload_type)
    studio.tick()
    half = ulaw_decode(np.frombuffer(tone(4000), np.uint8)).astype(int)
    assert np.abs(ulaw_decode(np.frombuffer(studio.heard(legs[0]), np.uint8)) - half).max() <= 260
    assert studio.heard(legs[1]) != tone(8000)
    assert studio.heard(legs[2]) == tone(8000)


def test_it_hears_legs_nobody_else_listens_to() -> None:
    """A leg that only plays a prompt is given all the same."""
    plugin = Keeper({100})
    studio = Studio(plugin)
    slot = studio.leg(echo=False)
    studio.say(slot, tone(3000))
    studio.tick()
    assert np.abs(plugin.given[0][1]).max() > 2500


def test_wide_legs_come_at_their_own_rate() -> None:
    """Each rate is a block of its own, and what is returned is what the leg said."""
    plugin = Keeper({100, 101}, gain=0.5)
    studio = Studio(plugin)
    studio.leg()
    wide = studio.leg(L16)
    payload = np.full(320, 8000, ">i2").tobytes()
    for number in range(4):
        raw = RtpPacket(97, number, number * 320, 1, payload).serialise()
        rows = np.zeros((1, 1088), np.uint8)
        rows[0, : len(raw)] = np.frombuffer(raw, np.uint8)
        studio.plane.receive(np.array([wide]), rows, np.array([len(raw)]), number * 0.02)
        studio.tick()
    blocks = {rate: pcm for _, pcm, rate in plugin.given}
    assert {rate: pcm.shape for rate, pcm in blocks.items()} == {8000: (1, 160), 16000: (1, 320)}
    assert (blocks[16000] == 8000).all()
    assert (studio.plane.coded.sound(wide) == 4000).all()


def test_a_leg_that_is_closed_is_given_no_more() -> None:
    """Nor is the next one in its slot, unless it is wanted."""
    plugin = Keeper({100})
    studio = Studio(plugin)
    slot = studio.leg()
    studio.tick()
    studio.plane.close(slot)
    studio.leg()
    studio.tick()
    assert len(plugin.given) == 1


def test_one_that_takes_too_long_is_passed_over() -> None:
    """It has its budget in the mean: with five times that it gets every fifth tick, and this is counted."""
    plugin = Keeper({100}, cost=0.010)
    studio = Studio(plugin)
    studio.leg()
    for _ in range(50):
        studio.tick()
    assert 10 <= len(plugin.given) <= 10 + SAVED_TICKS
    assert studio.plane.hooks.counters["plugin_ticks_skipped"] == 50 - len(plugin.given)


def test_one_within_its_budget_is_always_called() -> None:
    """Also when it has a long tick now and then."""
    plugin = Keeper({100}, cost=0.0015)
    studio = Studio(plugin)
    studio.leg()
    for number in range(100):
        plugin.cost = 0.004 if number % 10 == 0 else 0.0015
        studio.tick()
    assert len(plugin.given) == 100


class Broken(Keeper):
    def frames(self, legs: Sequence[int], pcm: Pcm, rate: int) -> Pcm | None:
        super().frames(legs, pcm, rate)
        raise RuntimeError("no")


class Crooked(Keeper):
    def frames(self, legs: Sequence[int], pcm: Pcm, rate: int) -> Pcm | None:
        super().frames(legs, pcm, rate)
        return pcm[:, :80]


class Grumpy(Keeper):
    def wants(self, leg: HookedLeg) -> bool:
        raise RuntimeError("never")


@pytest.mark.parametrize(("kind", "calls"), [(Broken, 1), (Crooked, 1), (Grumpy, 0)])
def test_one_that_fails_is_switched_off(
    kind: type[Keeper], calls: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The tick goes on with what was said; the log says which it was, the counter that it happened."""
    plugin = kind({100})
    studio = Studio(plugin)
    slot = studio.leg()
    for _ in range(3):
        studio.say(slot, tone(5000))
        studio.tick()
        assert studio.heard(slot) == tone(5000)
    assert len(plugin.given) == calls
    assert studio.plane.hooks.counters["plugins_failed"] == 1
    assert "keeper" in caplog.text


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example of the documentation as a module; its name."""
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert code is not None
    (tmp_path / "recording_tone.py").write_text(code[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield "recording_tone:RecordingTone"
    sys.modules.pop("recording_tone", None)


def test_the_example_of_the_documentation(example: str) -> None:
    """A tone of 0.2 s every 15 s is mixed into what is said."""
    plugin = load_plugin(example)
    assert plugin is not None
    studio = Studio(Keeper(set()))
    studio.plane.hooks.add(example, plugin)
    slot = studio.leg()
    loud = []
    for _ in range(800):
        studio.say(slot, b"\xff" * FRAME)
        studio.tick()
        loud.append(bool(np.abs(ulaw_decode(np.frombuffer(studio.heard(slot), np.uint8))).max() > 1500))
    assert [at for at, is_loud in enumerate(loud) if is_loud] == [*range(10), *range(750, 760)]


@pytest.mark.parametrize("name", ["no-such-entry-point", "no_such_module:Thing", "media.hooks:nothing"])
def test_what_cannot_be_loaded(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Is told, by name, and nothing else happens."""
    assert load_plugin(name) is None
    assert name in caplog.text
