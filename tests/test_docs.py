"""The documents against the code: commands, options, keys, counters and links they name must exist."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import click
import pytest

from admin_api.app import AdminApi
from admin_api.authentication import LocalUser
from engine.administration.catalogue import nouns
from engine.administration.desk import Desk
from engine.administration.noun import Noun
from engine.cli.main import main
from engine.config.keys import keys
from engine.status import StatusSource
from sip.authenticator import Reason, Silenced
from tests.admin_api.paper_noun import PaperThings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
OPERATIONS = ROOT / "docs" / "operations.md"
API = ROOT / "docs" / "api.md"

FOLDERS = ("sip", "media", "engine", "admin_api")
# What is read before a message has a dialog: a ParseError from here is counted as malformed_LABEL.
READ_FIRST = ("message", "fields", "headers", "grammar", "uri", "via", "framing")
# ParseError labels there that reach no counter: an rport that is none is passed over.
PASSED_OVER = {"rport"}
SECTION_KEY = re.compile(
    r"`((?:sip|limits|media|conference|http|log|store|mail|engine|events|journal)\.[a-z_]+)(?:=[^`]*)?`"
)
SECTION_KEY_SET = re.compile(r"--set ([a-z]+\.[a-z_]+)=")
FILES_OF_THE_DATA_DIRECTORY = {"engine.pid", "engine.sock"}


def name(path: Path) -> str:
    """A document's name in the report of a test."""
    return path.relative_to(ROOT).as_posix()


each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name)


# ---- counters


def literals(node: ast.expr) -> Iterator[str]:
    """The labels an expression can be: of a formatted one the fixed beginning with a star."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        first = node.values[0]
        yield (first.value if isinstance(first, ast.Constant) else "") + "*"
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def counted(tree: ast.AST) -> Iterator[str]:
    """Labels in ``count("x")``, ``counters["x"] += 1``, ``update(x=1)``, and those of refusals."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="count" | "_count"), args=[label, *_]):
                yield from literals(label)
            case ast.Call(func=ast.Name(id="Refusal" | "Refused"), args=[_, label, *_]):
                yield from literals(label)
            case ast.Call(func=ast.Attribute(attr="refuse"), args=[_, _, _, label, *_]):
                yield from literals(label)
            case ast.Call(func=ast.Attribute(attr="update"), keywords=[_, *_] as named):
                yield from (each.arg for each in named if each.arg is not None)
            case ast.AugAssign(
                target=ast.Subscript(value=ast.Attribute(attr="counters" | "_counters"), slice=label)
            ):
                yield from literals(label)


def put_out(tree: ast.AST) -> Iterator[str]:
    """Labels in ``Count("x")``, the output of a core that wants something counted."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Count"), args=[label]):
                yield from literals(label)


def returned(path: str, function: str) -> Iterator[str]:
    """Labels a function returns or assigns: those of the flood gate and of the connections."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return | ast.Assign) and inner.value is not None:
                    yield from literals(inner.value)


def labels() -> set[str]:
    """Every label that a counter of the running engine can have; families end in a star."""
    found: set[str] = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            found.update(counted(ast.parse(path.read_text("utf-8"))))
    for path in (ROOT / "conference").rglob("*.py"):
        found.update(put_out(ast.parse(path.read_text("utf-8"))))
    found.update(returned("sip/flood.py", "admit"))
    found.update(returned("sip/transport/stream_table.py", "make_room"))
    found.update(returned("sip/transport/transports.py", "stream_opening"))
    found.update(f"challenged_{reason.value}" for reason in Reason)
    found.add(Silenced().label)
    return {label for label in found if re.fullmatch(r"[a-z][a-z0-9_]*\*?", label)}


def malformed_labels() -> set[str]:
    """What may follow ``malformed_``."""
    found: set[str] = set()
    for module in READ_FIRST:
        for node in ast.walk(ast.parse((ROOT / "sip" / f"{module}.py").read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="ParseError"), args=[label, *_]):
                    found.update(literals(label))
                case ast.Call(func=ast.Name(id="parse_integer"), args=[_, _, label]):
                    found.update(literals(label))
    return {label for label in found if label != "*"} - PASSED_OVER


def documented() -> set[str]:
    """Every word in backquotes of the section on counters."""
    text = OPERATIONS.read_text("utf-8")
    section = text[text.index("\n## Counters") :]
    return set(re.findall(r"`([a-z][a-z0-9_]*\*?)`", section[: section.index("\n## ", 5)]))


def is_documented(label: str, known: set[str]) -> bool:
    """By its own name or with its family; a family by one of its members."""
    if label.endswith("*"):
        return any(each.startswith(label[:-1]) for each in known)
    families = [each[:-1] for each in known if each.endswith("*")]
    return label in known or any(label.startswith(family) for family in families)


def test_every_counter_is_explained() -> None:
    """Whoever sees a label in the status finds it in the operations page."""
    known = documented()
    assert {"denied", "flood_source", "streams_total", "tls_handshakes", "no_dialog", "ticks_late"} <= known
    assert len(labels()) > 80, "the labels are not found any more"
    assert sorted(label for label in labels() if not is_documented(label, known)) == []


def test_every_malformed_rule_is_named() -> None:
    """The second half of a malformed_* label can be looked up, too."""
    known = documented()
    assert len(malformed_labels()) > 30
    assert sorted(label for label in malformed_labels() if not is_documented(label, known)) == []


def test_no_counter_is_invented() -> None:
    """What the tables of the page explain exists in the code."""
    text = OPERATIONS.read_text("utf-8")
    section = text[text.index("\n## Counters") : text.index("\n## When something is wrong")]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    explained = {label for row in rows for label in re.findall(r"`([a-z0-9_]+\*?)`", row)}
    exact = {label for label in labels() if not label.endswith("*")}
    families = {label[:-1] for label in labels() if label.endswith("*")} | {"digest_"}
    told = {label for label in explained if label not in exact}
    assert sorted(label for label in told if not any(label.startswith(family) for family in families)) == []


# ---- keys


@each_document
def test_every_key_exists(document: Path) -> None:
    """A configuration key that a document names can be set."""
    text = document.read_text("utf-8")
    known = {key.full_name for section in keys().values() for key in section.values()}
    named = {*SECTION_KEY.findall(text), *SECTION_KEY_SET.findall(text)} - FILES_OF_THE_DATA_DIRECTORY
    assert sorted(named - known - {"section.key"}) == []


def test_the_reload_table_is_whole() -> None:
    """It has the keys that a reload takes up, and no others."""
    text = OPERATIONS.read_text("utf-8")
    table = text[text.index("| key | from when on |") :].partition("\n\n")[0]
    taken_up = {key.full_name for section in keys().values() for key in section.values() if key.reloads}
    assert set(SECTION_KEY.findall(table)) == taken_up


# ---- commands


FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def quoted_commands(text: str) -> Iterator[list[str]]:
    """The words after ``polyphony`` in code blocks and in backquotes."""
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    lines += re.findall(r"^    (.*)$", text, re.MULTILINE)
    lines += [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", FENCED.sub("", text))]
    for line in lines:
        found = re.match(r"(?:\S*/)?polyphony (.+)", line.strip())
        if found is not None:
            yield shlex.split(found[1].replace("[", " ").replace("]", " ").partition(">")[0], comments=True)


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the first words name, and the rest."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            break
        command, rest = found, rest[1:]
    return command, rest


def options_of(command: click.Command) -> set[str]:
    """Every spelling of a command's options."""
    own = {spelling for each in command.params for spelling in (*each.opts, *each.secondary_opts)}
    return own | {"--help"}


@each_document
def test_every_command_exists(document: Path) -> None:
    """What a document tells to type is a command with these options."""
    for words in quoted_commands(document.read_text("utf-8")):
        command, rest = resolve(words)
        assert command is not main or rest[:1] == ["--help"], f"polyphony {' '.join(words)}"
        if isinstance(command, click.Group):
            assert not rest or rest[0].startswith("-"), f"polyphony {' '.join(words)}"
        unknown = [
            word
            for word in rest
            if word.startswith("--") and word.partition("=")[0] not in options_of(command)
        ]
        assert unknown == [], f"polyphony {' '.join(words)}"


@each_document
def test_every_option_exists(document: Path) -> None:
    """An option that is named by itself is one of some command's."""
    known = {spelling for command in every_command(main) for spelling in options_of(command)}
    named = {
        each.split()[0].partition("=")[0] for each in re.findall(r"`(--[^`]+)`", document.read_text("utf-8"))
    }
    assert sorted(named - known) == []


def every_command(command: click.Command) -> Iterator[click.Command]:
    """The command and all below it."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from every_command(below)


def test_make_targets_exist() -> None:
    """``make X`` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE)
        assert set(named) <= targets, document


# ---- routes and links


def test_the_routes_are_those_served() -> None:
    """The API page has every route of the application, and no other."""
    nothing = StatusSource(engine=_no_status, automates=list, links=list, lines=list, metrics=_no_status)
    unasked: Any = None
    any_noun = type("AnyNoun", (PaperThings,), {"name": "{noun}", "actions": ()})
    desk = Desk([any_noun()], unasked)
    application = AdminApi(
        nothing, unasked, unasked, desk, unasked, LocalUser(), unasked, None, unasked
    )._klein
    served = {
        f"{method} {str(rule).replace('<', '{').replace('>', '}')}"
        for rule in application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", API.read_text("utf-8")))
    assert told - set(_verbs()) == served


def test_the_nouns_are_those_administered() -> None:
    """The API page names every noun, and every verb of one."""
    text = API.read_text("utf-8")
    for noun in _nouns():
        assert f"`{noun.name}`" in text, noun.name
    for verb in _verbs():
        assert f"`{verb}`" in text


def _nouns() -> list[Noun[Any]]:
    store: Any = MagicMock()
    return nouns(store, store)


def _verbs() -> Iterator[str]:
    for noun in _nouns():
        for action in noun.actions:
            one = "/{uid}" if action.of_one else ""
            yield f"{action.method} /api/v1/{noun.name}{one}/{action.path}"


def _no_status() -> Any:
    raise AssertionError("nobody asks")


def anchor(heading: str) -> str:
    """The anchor a heading gets in a rendered page."""
    return re.sub(r"[^a-z0-9 _-]", "", heading.strip().lower()).replace(" ", "-")


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link names a file of the tree, and a heading in it; what stands in backquotes is no link."""
    text = re.sub(r"`[^`\n]+`", "", document.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
            assert heading in {anchor(each) for each in headings}, target


@each_document
def test_named_files_exist(document: Path) -> None:
    """A path of the tree in backquotes is there."""
    top = "sip|media|conference|cti|engine|admin_api|bench|tests|docs|changes"
    for path in re.findall(rf"`((?:{top})/[A-Za-z0-9_./-]+)`", document.read_text("utf-8")):
        assert (ROOT / path).exists(), path


def test_decisions_are_numbered_one_after_the_other() -> None:
    """Each once, in the file's name and in its title."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert page.read_text(encoding="utf-8").startswith(f"# {page.name[:4]}: ")
