"""The design's table of who may import whom, and what else must not stand in the tree, held by tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ALLOWED: dict[str, set[str]] = {
    "sip": set(),
    "media": set(),
    "conference": {"sip", "media"},
    "cti": {"sip"},
    "engine": {"sip", "media", "conference", "cti"},
    "admin_api": {"engine"},
}
# Below engine/ only these may know a reactor; everything else there is a core that does no I/O.
ADAPTERS = {
    "sip/call.py",
    "sip/client_requests.py",
    "sip/dns_lookup.py",
    "sip/endpoint.py",
    "sip/out_of_dialog.py",
    "sip/registering.py",
    "media/opening.py",
    "media/pool.py",
    "media/pool_rooms.py",
    "media/command_channel.py",
    "media/supervisor.py",
}
ADAPTER_FOLDERS = {"sip/transport"}
EVENT_LOOPS = {"twisted", "asyncio"}
SOUND_AND_PICTURES = {".wav", ".ico", ".png", ".bin", ".pcap", ".woff2", ".pyc", ".so"}
# Folders a build, a tool or a running engine leaves, none of them in the repository.
LEFT_BEHIND = {"build", "data", "dist", "__pycache__"}

MACHINE_PATH = re.compile(r"(?<![A-Za-z0-9_.])/(?:work|root|farm)/")
# In labels, so that this file does not hold what it forbids.
REGISTRIES = tuple(
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("npmjs", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
)


def modules(folder: str) -> list[Path]:
    """The Python files of one folder of the design."""
    return sorted((ROOT / folder).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(tree: ast.AST) -> set[str]:
    """Top-level names of everything imported, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def is_adapter(path: Path) -> bool:
    """Whether the file is one of the thin adapters."""
    name = path.relative_to(ROOT).as_posix()
    return name in ADAPTERS or any(name.startswith(f"{folder}/") for folder in ADAPTER_FOLDERS)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the module is imported: everything outside functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from at_import(child)


def imports_reactor(tree: ast.Module) -> bool:
    """Whether importing the module imports, and so installs, a reactor."""
    return any(
        (isinstance(node, ast.ImportFrom) and node.module == "twisted.internet" and _names(node, "reactor"))
        or (isinstance(node, ast.Import) and _names(node, "twisted.internet.reactor"))
        for node in at_import(tree)
    )


def _names(node: ast.Import | ast.ImportFrom, name: str) -> bool:
    return any(alias.name == name for alias in node.names)


def text_files() -> list[Path]:
    """Every text file that could be committed."""
    found = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts[:-1])
        if hidden or set(parts) & LEFT_BEHIND or any(part.endswith(".egg-info") for part in parts):
            continue
        if path.is_file() and path.suffix not in SOUND_AND_PICTURES:
            found.append(path)
    return found


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_follow_the_design(folder: str) -> None:
    """No folder imports one its row does not name."""
    forbidden = set(ALLOWED) - ALLOWED[folder] - {folder} | {"tests"}
    wrong = {str(path.relative_to(ROOT)): imports(tree_of(path)) & forbidden for path in modules(folder)}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize("folder", ["sip", "media", "conference", "cti"])
def test_only_adapters_know_an_event_loop(folder: str) -> None:
    """A core imports neither twisted nor asyncio, not even lazily."""
    cores = [path for path in modules(folder) if not is_adapter(path)]
    wrong = {str(path.relative_to(ROOT)): imports(tree_of(path)) & EVENT_LOOPS for path in cores}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize("folder", [*ALLOWED, "tests", "bench"])
def test_no_module_installs_a_reactor(folder: str) -> None:
    """No module imports the reactor when it is imported: that would install the wrong one."""
    assert [str(path.relative_to(ROOT)) for path in modules(folder) if imports_reactor(tree_of(path))] == []


def test_the_reactor_check_sees_every_way_to_import_it() -> None:
    """At module level, in a class or under an if it is found; in a function it is allowed."""
    found = ["from twisted.internet import reactor", "import twisted.internet.reactor as r"]
    found += [f"if True:\n    {line}" for line in found] + [f"class A:\n    {line}" for line in found]
    assert all(imports_reactor(ast.parse(text)) for text in found)
    assert not imports_reactor(ast.parse("def f():\n    from twisted.internet import reactor"))
    assert not imports_reactor(ast.parse("from twisted.internet import task"))


def test_no_path_of_one_machine_and_no_registry_stands_in_the_tree() -> None:
    """A clone works anywhere: no absolute path of a developer's machine, no package registry by name."""
    found = []
    for path in text_files():
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line) or any(host in line for host in REGISTRIES):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


def test_every_package_is_shipped() -> None:
    """A folder with modules has an ``__init__.py``; without one, setuptools leaves it out of the wheel."""
    folders = {path.parent for folder in ALLOWED for path in modules(folder)}
    assert [
        str(each.relative_to(ROOT)) for each in sorted(folders) if not (each / "__init__.py").exists()
    ] == []
