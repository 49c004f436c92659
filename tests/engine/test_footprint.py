"""What the engine's processes need not hold in memory for as long as they run."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("alembic", "av", "numpy", "soundfile", "soxr")
"""Some 60 MB together, each needed for an import, a migration or the sound itself."""


def imported(modules: str) -> set[str]:
    code = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


SELDOM = ("argon2", "ldap3", "pyotp", "segno")
"""For whoever signs in, or imports users."""


@pytest.mark.parametrize("module", [*HEAVY, *SELDOM])
def test_the_control_process_does_without(module: str) -> None:
    assert module not in imported("engine.server, admin_api.service")


@pytest.mark.parametrize("module", [name for name in HEAVY if name != "numpy"])
def test_a_worker_does_without_until_a_codec_asks(module: str) -> None:
    assert module not in imported("media.worker, media.prompt_file")
