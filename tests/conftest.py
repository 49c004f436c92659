"""What all tests share: the ``needs`` marker and its loud summary, turns among processes, Hypothesis without clocks."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import system_packages, turns

pytest_plugins = ["tests.engine.postgresql"]

_TURNS = pytest.StashKey[turns.Turns]()
_RUN = pytest.StashKey[Path]()

# Machines that run tests are shared and slow by turns: an example is never failed by the clock.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if system_packages.in_ci() else "local")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a ``needs`` of a program the table does not know: it could never be installed. Put the files in order."""
    items.sort(key=lambda item: turns.place(item.path.relative_to(config.rootpath)))
    for item in items:
        for name in _needs(item):
            if name not in system_packages.PROGRAMS:
                raise pytest.UsageError(f"{item.nodeid} needs {name!r}, unknown to tests/system_packages.py")


def pytest_configure(config: pytest.Config) -> None:
    """Meet the other processes of the run, if there are any."""
    folder = turns.folder_of(config)
    if folder is not None:
        config.stash[_TURNS] = turns.Turns(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave them; the process that began them removes the place."""
    if (met := config.stash.get(_TURNS, None)) is not None:
        met.close()
    elif (run := config.stash.get(_RUN, None)) is not None:
        shutil.rmtree(run, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Note, in the process that begins the others, where they meet."""
    node.config.stash[_RUN] = turns.folder_named(node.workerinput["testrunuid"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test in its turn."""
    met = item.config.stash.get(_TURNS, None)
    if met is None:
        return (yield)
    with met.turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is missing; in continuous integration, fail it."""
    reasons = [system_packages.reason(name) for name in system_packages.missing(_needs(item))]
    if reasons:
        (pytest.fail if system_packages.in_ci() else pytest.skip)("; ".join(reasons))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was not tested on this machine and why."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("NOT TESTED HERE", red=True, bold=True)
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} test(s): {reason}")


def _needs(item: pytest.Item) -> list[str]:
    return [name for marker in item.iter_markers("needs") for name in marker.args]
