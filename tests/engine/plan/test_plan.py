"""``polyphony plan``: the reckoning, the table, and one real calibration."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.plan import as_table, plan
from engine.language import LANGUAGES, TEXTS
from engine.plan import calibration
from engine.plan.calibration import Carried, Plan, calibrate
from engine.plan.kinds import KINDS, Kind
from engine.plan.scratch_worker import CalibrationError
from media import control

FOUND = Plan((Carried("echo", 0.0005), Carried("opus_talking", None)), idle=0.05, busy=True)


def test_legs_fill_what_a_core_has_above_the_idle_worker() -> None:
    """85 percent less the 5 an idle worker uses, by what a leg takes; on all workers so many times."""
    echo, opus = FOUND.table(85, 2)
    assert echo == {
        "kind": "echo",
        "microseconds_per_tick": 10.0,
        "legs_per_core": 1600,
        "legs_in_all": 3200,
    }
    assert (opus["legs_per_core"], opus["legs_in_all"]) == (None, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_said_in_each_language(language: str) -> None:
    """A heading and a line a kind; what is not to be had is said in words."""
    heading, echo, opus = as_table(FOUND.table(85, 2), language)  # type: ignore[arg-type]
    assert TEXTS["plan.per_core"][language] in heading  # type: ignore[index]
    assert echo.split()[-3:] == ["10.0", "1600", "3200"]
    assert opus.endswith(TEXTS["plan.unavailable"][language])  # type: ignore[index]


def test_every_kind_has_a_name_and_something_to_do(tmp_path: Path) -> None:
    """Each leg of it is told what to be."""
    for kind in KINDS:
        assert f"plan.{kind.name}" in TEXTS
        legs = {
            command.leg
            for command in kind.commands(tmp_path)
            if isinstance(command, control.OpenLeg | control.LegCommand)
        }
        assert legs == set(range(kind.legs))


def test_the_command_says_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON for programs, with whether the figures are to be trusted; a worker that fails is an error in words."""
    monkeypatch.setattr(calibration, "calibrate", lambda began: FOUND)
    shown = CliRunner().invoke(plan, ["--json", "--workers", "3"])
    assert '"legs_in_all":4800' in shown.output
    assert '"busy":true' in shown.output
    assert "1600" in CliRunner().invoke(plan, ["--workers", "1"]).output

    def fails(began: object) -> Plan:
        raise CalibrationError("no Started")

    monkeypatch.setattr(calibration, "calibrate", fails)
    failed = CliRunner().invoke(plan, [])
    assert (failed.exit_code, "no Started" in failed.output) == (1, True)


@pytest.mark.slow
def test_a_real_worker_is_tried() -> None:
    """Its legs cost something, less than a whole core; those that share a port and those that are secret, too."""
    kinds = (
        Kind("echo", 20),
        Kind("echo_shared", 20, shared_port=True),
        Kind("srtp_talking", 8, room=8, srtp=True),
    )
    told: list[str] = []
    found = calibrate(told.append, kinds)
    assert told == [kind.name for kind in kinds]
    for each in found.carried:
        assert each.share is not None
        assert 0 < each.share < 0.05
