"""``polyphony bench media`` against a real engine, for a second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bench.engine_under_test import BenchError, running_engine
from engine.bench.media.churn import churn
from engine.bench.media.leg_memory import leg_memory
from engine.bench.media.scenarios import BY_NAME, MEMORY_KINDS
from engine.bench.media.suite import Options, run_scenario


@pytest.mark.slow
@pytest.mark.alone
def test_calls_are_placed_heard_and_charged() -> None:
    """Ten calls to the echo: each hears what it says, nothing is lost, and the engine's time is known."""
    scenario = replace(BY_NAME["echo"], calls=10)
    result = run_scenario(scenario, Options(seconds=1.0, warm_up=0.5, cpu=None))
    assert (result.up, result.answers, result.dropped, result.packets_lost) == (10, {"200": 10}, 0, 0)
    assert result.rx_ratio > 0.9
    assert result.level_rms == pytest.approx(424, rel=0.05), "the tones come back as loud as they were sent"
    assert result.kernel_cores is not None
    assert result.server_cores > 0


def test_an_address_is_a_host_and_a_port() -> None:
    """The option that names a server is checked before anything is called."""
    with pytest.raises(BenchError, match="is not HOST:PORT"):
        run_scenario(
            replace(BY_NAME["echo"], calls=1), Options(seconds=1.0, warm_up=0.0, cpu=None, address="nowhere")
        )


@pytest.mark.slow
@pytest.mark.alone
def test_above_the_line_new_calls_are_refused_and_the_others_go_on() -> None:
    """An engine allowed a tenth of a core takes some calls and answers 503 to the rest; those it has lose nothing."""
    scenario = replace(BY_NAME["echo"], calls=250)
    options = Options(seconds=1.0, warm_up=0.0, cpu=None, settings=("media.max_load=10",))
    result = run_scenario(scenario, options)
    assert set(result.answers) == {"200", "503"}
    assert result.answers["200"] + result.answers["503"] == 250
    assert 20 < result.up < 240
    assert (result.dropped, result.packets_lost) == (0, 0)


@pytest.mark.slow
@pytest.mark.alone
def test_nothing_is_left_of_calls_that_came_and_went() -> None:
    """Of every codec, to every automate, for some seconds: no leg and no socket stay, and nobody was dropped."""
    with running_engine(more=("media.srtp_any_signalling=true",)) as engine:
        result = churn(engine, minutes=0.08, rate=12, shortest=0.3, longest=1.5)
    assert result.answers.keys() == {"200"}
    assert result.calls > 20
    assert (result.legs_after, result.ports_after, result.dropped) == (0, 0, 0)
    assert result.sockets_after == result.sockets_before
    assert result.memory.keys() == {"control", "worker-0", "others", "all"}
    assert set(result.by_codec) == {"PCMU", "PCMA", "G722", "opus", "PCMU-SRTP"}


@pytest.mark.slow
def test_the_memory_of_a_leg_is_told_of_each_process() -> None:
    """Few calls, then some more, all of them up."""
    with running_engine() as engine:
        result = leg_memory(MEMORY_KINDS["pcmu-room"], engine, few=2, many=6, settle=0.2)
    assert result.kb_by_process.keys() == {"control", "worker-0"}
    assert result.kb_a_leg == pytest.approx(sum(result.kb_by_process.values()), abs=0.2)
    assert result.mb_few > 50
