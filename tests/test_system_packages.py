"""What the tests say, and do, on a machine that lacks their programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import system_packages
from tests.system_packages import PROGRAMS, Program, find_program, in_ci, install, missing, reason

pytest_plugins = ["pytester"]

ABSENT = Program("sip-singer", lambda: False, "songs")


@pytest.fixture(autouse=True)
def no_package_is_installed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command the module would run, instead of running it."""
    commands: list[list[str]] = []

    def record(command: list[str], *, quiet: bool = False) -> bool:
        commands.append(command)
        return command[-1] != ABSENT.package  # as on a fresh image, and as where there is no network

    monkeypatch.setattr(system_packages, "_runs", record)
    return commands


@pytest.mark.parametrize(
    ("value", "is_ci"),
    [("true", True), ("1", True), ("yes", True), ("", False), ("false", False), ("0", False), (None, False)],
)
def test_what_continuous_integration_is(
    monkeypatch: pytest.MonkeyPatch, value: str | None, is_ci: bool
) -> None:
    """The CI variable, unless it says no."""
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    assert in_ci() is is_ci


def test_every_program_says_how_to_get_it() -> None:
    """A reason names a package or a command for each program of the table."""
    for name, program in PROGRAMS.items():
        assert program.tests
        assert (program.package or program.hint) in reason(name)


def test_nothing_missing_installs_nothing(
    monkeypatch: pytest.MonkeyPatch, no_package_is_installed: list[list[str]]
) -> None:
    """Where all is there, no command is run and the status is good, in CI too."""
    monkeypatch.setattr(system_packages, "PROGRAMS", {"shell": Program("dash", lambda: True, "scripts")})
    monkeypatch.setenv("CI", "true")
    assert missing(["shell"]) == []
    monkeypatch.setattr(system_packages, "missing", lambda names=("shell",): [])
    assert install() == 0
    assert no_package_is_installed == []


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_what_stays_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, status: int
) -> None:
    """A program that cannot be had is named on standard error; in CI that is a failure."""
    monkeypatch.setitem(PROGRAMS, "singer", ABSENT)
    monkeypatch.setattr(system_packages, "missing", lambda: ["singer"])
    monkeypatch.setattr(system_packages, "_as_root", lambda: None)
    monkeypatch.setenv("CI", ci)
    assert install() == status
    told = capsys.readouterr().err
    assert told == "NOT TESTED HERE: songs (singer is missing: apt-get install sip-singer)\n"


def test_installing(
    monkeypatch: pytest.MonkeyPatch, no_package_is_installed: list[list[str]], tmp_path: Path
) -> None:
    """The lists are fetched when the first attempt fails; services are kept down, the policy taken back."""
    monkeypatch.setitem(PROGRAMS, "singer", ABSENT)
    monkeypatch.setattr(system_packages, "missing", lambda: ["singer"])
    monkeypatch.setattr(system_packages, "_as_root", lambda: ["sudo", "-n"])
    monkeypatch.setattr(system_packages, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr("shutil.which", lambda name, **_: f"/usr/bin/{name}")
    monkeypatch.setenv("CI", "")
    install()
    policy, first, update, second, removal = no_package_is_installed
    assert policy[:5] == ["sudo", "-n", "install", "-m", "755"]
    assert "DEBIAN_FRONTEND=noninteractive" in first
    assert first[-1] == second[-1] == "sip-singer"
    assert update[-2:] == ["update", "-q"]
    assert removal == ["sudo", "-n", "rm", "-f", str(tmp_path / "policy-rc.d")]


def test_another_policy_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, no_package_is_installed: list[list[str]], tmp_path: Path
) -> None:
    """A container image has its own policy against services; it stays."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    monkeypatch.setattr(system_packages, "POLICY", policy)
    with system_packages._services_stay_down([]):
        pass
    assert no_package_is_installed == []
    assert policy.exists()


def test_programs_outside_of_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian's PostgreSQL programs are in no PATH; the newest version is taken."""
    for version in ("13", "15"):
        folder = tmp_path / "postgresql" / version / "bin"
        folder.mkdir(parents=True)
        (folder / "initdb").touch(mode=0o755)
    monkeypatch.setattr(system_packages, "LIBRARIES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("initdb") == str(tmp_path / "postgresql" / "15" / "bin" / "initdb")
    assert find_program("no-such-program") is None


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped"), ("true", "failed")])
def test_a_marked_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    """A test whose program is missing is skipped and listed with its reason; in CI it fails."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setitem(PROGRAMS, "singer", ABSENT)
    pytester.makeini("[pytest]\nmarkers =\n    needs: programs\n")
    pytester.makepyfile("import pytest\n@pytest.mark.needs('singer')\ndef test_song(): pass\n")
    result = pytester.runpytest_inprocess("-p", "tests.conftest", "-p", "no:cacheprovider")
    result.assert_outcomes(**{"errors" if outcome == "failed" else outcome: 1})
    result.stdout.fnmatch_lines(["*singer is missing: apt-get install sip-singer*"])
    assert ("NOT TESTED HERE" in result.stdout.str()) is (outcome == "skipped")


def test_an_unknown_program_is_refused(pytester: pytest.Pytester) -> None:
    """A marker with a name the table does not know stops the run: it could never be satisfied."""
    pytester.makeini("[pytest]\nmarkers =\n    needs: programs\n")
    pytester.makepyfile("import pytest\n@pytest.mark.needs('sip')\ndef test_song(): pass\n")
    result = pytester.runpytest_inprocess("-p", "tests.conftest", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*needs 'sip', unknown to tests/system_packages.py*"])
