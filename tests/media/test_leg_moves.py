"""Legs whose worker dies: what the next process is told, on a virtual clock with processes that are not there."""

from __future__ import annotations

import time

import pytest

from media import control
from media.control import LegSpec
from media.pool import MOST_WAIT
from tests.media.test_pool import SPEC, Engine

SPEAKING = LegSpec(local_host="127.0.0.1", codec="PCMU", remote_host="192.0.2.1", remote_port=6000)


def replay(engine: Engine) -> list[control.Command]:
    """Kill the worker; what its successor is told after its configuration."""
    engine.process.dies()
    engine.reactor.advance(0)
    configured, *told = engine.process.heard()
    assert isinstance(configured, control.Configure)
    return told


def kinds(told: list[control.Command]) -> list[str]:
    return [type(each).__name__ for each in told]


def test_lasting_state_is_told_again() -> None:
    """The last word of each kind, all legs open before the first of it; what is over at once is not repeated."""
    engine = Engine()
    one, two = engine.open(), engine.open()
    one.modify(codec="PCMU", remote_host="192.0.2.1", remote_port=6000)
    one.echo(True)
    one.echo(False)
    one.record("/r.wav")
    one.watch(True)
    one.send_digits("1")
    one.bridge(two)
    told = replay(engine)
    assert kinds(told[:2]) == ["OpenLeg", "OpenLeg"]
    assert isinstance(told[0], control.OpenLeg)
    assert told[0].spec == SPEAKING
    recording = told[3]
    assert isinstance(recording, control.Record)
    assert recording.continues_from == pytest.approx(time.time(), abs=60)
    assert told[2:] == [
        control.Echo(one.id, on=False),
        control.Record(one.id, "/r.wav", continues_from=recording.continues_from),
        control.WatchLeg(one.id, on=True),
        control.Bridge(one.id, two.id),
    ]


def test_what_was_undone_is_not_told_again() -> None:
    """Stopped, parted (from either side), finished, closed."""
    engine = Engine()
    one, two, three = engine.open(), engine.open(), engine.open()
    one.play(["a"], tag=3)
    one.record("/r.wav")
    one.bridge(two)
    two.bridge(None)
    one.bridge(three)
    three.close()
    engine.process.says(
        control.PlayFinished(one.id, 3, interrupted=False),
        control.RecordingClosed(one.id, "/r.wav", 8000, "disk_full"),
    )
    two.play(["a"])
    two.stop_playing()
    two.record("/s.wav")
    two.stop_recording()
    assert kinds(replay(engine)) == ["OpenLeg", "OpenLeg"]


def test_a_prompt_goes_on_where_it_was() -> None:
    """Two and a half seconds later; its prompts are loaded before it, the others after."""
    engine = Engine()
    for name in "abc":
        engine.pool.load_prompt(name, f"/{name}.wav")
    leg = engine.open()
    leg.play(["b"], loop=True, tag=4)
    engine.reactor.advance(2.5)
    leg.echo(True)
    engine.process.says(control.PlayFinished(leg.id, 4, interrupted=True))  # of something before it
    assert replay(engine)[1:] == [
        control.Echo(leg.id, on=True),
        control.LoadPrompt("b", "/b.wav"),
        control.Play(leg.id, ["b"], loop=True, tag=4, skip=125),
        control.LoadPrompt("a", "/a.wav"),
        control.LoadPrompt("c", "/c.wav"),
    ]


def test_its_stream_goes_on() -> None:
    """Same source; number and time as if every tick since the beginning had sent, and a little more."""
    engine = Engine()
    begun: list[control.Stream] = []
    engine.pool.open_leg(SPEC)
    for command in engine.process.heard():
        if isinstance(command, control.OpenLeg):
            assert command.stream is not None
            begun.append(command.stream)
            engine.process.says(control.LegOpened(command.leg, 40002))
    engine.reactor.advance(100)
    (again,) = replay(engine)
    assert isinstance(again, control.OpenLeg)
    (first,) = begun
    assert again.stream == control.Stream(
        first.ssrc, (first.sequence + 5003) & 0xFFFF, (first.timestamp + 5003 * 160) & 0xFFFFFFFF
    )


def test_a_learned_source_stays_learned() -> None:
    """Until the next offer/answer that names another."""
    engine = Engine()
    leg = engine.open()
    leg.modify(remote_host="192.0.2.1", remote_port=6000, nat=True, signalling_host="192.0.2.7")
    engine.process.says(control.SourceLearned(leg.id, "192.0.2.7", 1234))
    leg.modify(send=False)
    assert replay(engine)[1:] == [control.LockSource(leg.id, "192.0.2.7", 1234)]
    leg.modify(remote_port=6002)
    assert kinds(replay_later(engine)) == ["OpenLeg"]


def replay_later(engine: Engine) -> list[control.Command]:
    """The same for a second loss, whose successor is started after half a second."""
    engine.process.heard()
    engine.process.dies()
    engine.reactor.advance(MOST_WAIT)
    return engine.process.heard()[1:]


def test_what_is_told_while_no_process_runs() -> None:
    """It is remembered, and a leg closed meanwhile does not come back; no leg can be opened beside it."""
    engine = Engine()
    engine.process.dies()
    engine.reactor.advance(0)
    one, two = engine.open(), engine.open()
    engine.process.heard()
    engine.process.dies()
    engine.reactor.advance(0.1)
    one.echo(True)
    two.close()
    refused: list[object] = []
    engine.pool.open_leg(SPEC, near=one).addErrback(refused.append)
    assert len(refused) == 1
    engine.reactor.advance(0.5)
    assert kinds(engine.process.heard()) == ["Configure", "OpenLeg", "Echo"]
    assert engine.pool.legs == 1
    assert engine.pool.load == {engine.process.pid: 1}


def test_a_port_that_cannot_be_had_again() -> None:
    """The leg says which it has now; refused altogether, it is lost."""
    engine = Engine()
    one, two = engine.open(), engine.open()
    events: list[control.LegEvent] = []
    one.on_event = two.on_event = events.append
    replay(engine)
    engine.process.says(control.LegOpened(one.id, 40090), control.LegRefused(two.id, "ports_exhausted"))
    assert events == [control.LegMoved(one.id, 40090), control.LegFailed(two.id, "worker_lost")]
    assert (one.local_port, one.alive, two.alive) == (40090, True, False)
    assert (engine.pool.counters["legs_moved"], engine.pool.counters["legs_lost"]) == (1, 1)
    assert engine.pool.load == {engine.process.pid: 1}


def test_a_call_that_kills_every_worker() -> None:
    """Its leg comes back three times within a minute; then it is given up, and the worker starts without it."""
    engine = Engine()
    leg = engine.open()
    events: list[control.LegEvent] = []
    leg.on_event = events.append
    for _ in range(3):
        engine.process.dies()
        engine.reactor.advance(MOST_WAIT)
        assert leg.alive
        assert "OpenLeg" in kinds(engine.process.heard())
    engine.process.dies()
    engine.reactor.advance(0)
    assert events == [control.LegFailed(leg.id, "worker_lost")]
    assert not leg.alive
    engine.reactor.advance(5)
    assert engine.process.heard() == [control.Configure(40000, 40099, [leg.local_port])]


@pytest.mark.parametrize("legs", [1, 3])
def test_the_load_stays_right(legs: int) -> None:
    """Through a loss and the calls' ends."""
    engine = Engine()
    opened = [engine.open() for _ in range(legs)]
    replay(engine)
    for leg in opened:
        engine.process.says(control.LegOpened(leg.id, leg.local_port))
    assert engine.pool.load == {engine.process.pid: legs}
    for leg in opened:
        leg.close()
        engine.process.says(control.LegClosed(leg.id))
    assert engine.pool.load == {engine.process.pid: 0}
