"""What all tests share: the ``needs`` marker, its loud summary, and Hypothesis without clocks."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings

from tests import system_packages

pytest_plugins = ["tests.engine.postgresql"]

# Machines that run tests are shared and slow by turns: an example is never failed by the clock.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if system_packages.in_ci() else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a ``needs`` of a program the table does not know: it could never be installed."""
    for item in items:
        for name in _needs(item):
            if name not in system_packages.PROGRAMS:
                raise pytest.UsageError(f"{item.nodeid} needs {name!r}, unknown to tests/system_packages.py")


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
