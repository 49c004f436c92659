"""The programs our tests drive that Python packages cannot bring: what proves each, and what installs it.

``python -m tests.system_packages install`` installs what is missing through apt where it may, and says
loudly what stays missing; in continuous integration (``CI`` set) that is a failure. A test that drives one
is marked ``@pytest.mark.needs("sipp")``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

LIBRARIES = Path("/usr/lib")
POLICY = Path("/usr/sbin/policy-rc.d")  # asked by Debian's maintainer scripts before they start a service
APT_OPTIONS = ("-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")


class Program(NamedTuple):
    """One program (or module) that tests need."""

    package: str  # Debian's; empty: not from Debian
    is_there: Callable[[], bool]
    tests: str
    services: tuple[str, ...] = ()  # what Debian would start by itself
    hint: str = ""


def find_program(name: str) -> str | None:
    """The path of a program, in PATH, in /usr/sbin or among Debian's PostgreSQL programs."""
    folders = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
    folders += sorted(map(str, LIBRARIES.glob("postgresql/*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join(folders))


def _program(*names: str) -> Callable[[], bool]:
    return lambda: all(find_program(name) is not None for name in names)


def _library(pattern: str) -> Callable[[], bool]:
    return lambda: any(LIBRARIES.glob(pattern))


def _module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


PROGRAMS: dict[str, Program] = {
    "sipp": Program("sip-tester", _program("sipp"), "call scenarios and call load"),
    "baresip": Program("baresip-core", _program("baresip"), "calls of a second make of phone"),
    "espeak-ng": Program("espeak-ng", _program("espeak-ng"), "text to speech"),
    "kamailio": Program(
        "kamailio", _program("kamailio"), "automates registered on a PBX", services=("kamailio",)
    ),
    "kamailio-tls": Program(
        "kamailio-tls-modules",
        _library("*/kamailio/modules/tls.so"),
        "a PBX reached over TLS",
        services=("kamailio",),
    ),
    "postgresql": Program(
        "postgresql",
        _program("initdb", "postgres"),
        "the store on PostgreSQL",
        services=("postgresql",),
    ),
    "slapd": Program(
        "slapd", _program("slapd", "slapadd"), "users and passwords of an LDAP directory", services=("slapd",)
    ),
    "libbcg729": Program("libbcg729-0", _library("*/libbcg729.so.*"), "calls in G.729"),
    "pjsua2": Program(
        "", _module("pjsua2"), "calls of the reference phone", hint="pip install -e '.[softphone]'"
    ),
}


def in_ci() -> bool:
    """Whether a missing program is a failure."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def missing(names: Iterable[str] = tuple(PROGRAMS)) -> list[str]:
    """Those of ``names`` that are not on this machine."""
    return [name for name in names if not PROGRAMS[name].is_there()]


def reason(name: str) -> str:
    """Why a test that needs ``name`` cannot run here, and what would help."""
    program = PROGRAMS[name]
    return f"{name} is missing: {program.hint or 'apt-get install ' + program.package}"


def install() -> int:
    """Install what is missing; answers the exit status of the command."""
    if wanted := [name for name in missing() if PROGRAMS[name].package]:
        _install_through_apt(wanted)
    left = missing()
    for name in left:
        print(f"NOT TESTED HERE: {PROGRAMS[name].tests} ({reason(name)})", file=sys.stderr)
    return 1 if left and in_ci() else 0


def _install_through_apt(names: list[str]) -> None:
    as_root = _as_root()
    if as_root is None or shutil.which("apt-get") is None:
        return
    packages = sorted({PROGRAMS[name].package for name in names})
    print(f"Installing test peers: {' '.join(packages)}", flush=True)
    command = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *APT_OPTIONS]
    with _services_stay_down(as_root):
        if not _runs([*command, *packages], quiet=True):  # the lists of a fresh image are empty, or old
            _runs([*as_root, "apt-get", "update", "-q"])
            for package in packages:  # one by one: a missing one must not keep the others away
                _runs([*command, package])
    _disable(as_root, sorted({service for name in names for service in PROGRAMS[name].services}))


def _as_root() -> list[str] | None:
    """What to put before a command of root's: nothing, sudo, or None where neither works."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _runs(["sudo", "-n", "true"], quiet=True):
        return ["sudo", "-n"]
    return None


@contextmanager
def _services_stay_down(as_root: list[str]) -> Iterator[None]:
    """Forbid Debian to start what it installs; a policy somebody else put there is left alone."""
    if POLICY.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as policy:
        policy.write("#!/bin/sh\nexit 101\n")
        policy.flush()
        _runs([*as_root, "install", "-m", "755", policy.name, str(POLICY)])
    try:
        yield
    finally:
        _runs([*as_root, "rm", "-f", str(POLICY)])


def _disable(as_root: list[str], services: list[str]) -> None:
    """Keep what was just installed from starting at the next boot, where there is a systemd to ask."""
    if services and Path("/run/systemd/system").is_dir():
        _runs([*as_root, "systemctl", "disable", "--now", *services], quiet=True)


def _runs(command: list[str], *, quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, check=False, stdout=output, stderr=output).returncode == 0


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        sys.exit("usage: python -m tests.system_packages install")
    sys.exit(install())
