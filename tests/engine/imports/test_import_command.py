"""``polyphony users import`` and ``user-imports``, on a store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

import engine.domain.imports
import engine.imports
from engine.cli.main import main
from engine.data_directory import DataDirectory
from engine.imports.texts import TEXTS

HEAD = "login,first,mail\n"


class Terminal:
    """Types commands on one data directory that has one import of files."""

    def __init__(self, data: Path, language: str = "C.UTF-8") -> None:
        DataDirectory(data).prepare()
        self._data = data
        self._runner = CliRunner(env={"LC_ALL": language, "POLYPHONY_DATA": str(data)})
        fields = "login=login, first_name=first, email=mail"
        words = ("--name", "staff", "--kind", "csv", "--mode", "insert-update", "--fields", fields)
        self.type("user-imports", "add", *words)

    def type(self, *words: str) -> Result:
        return self._runner.invoke(main, list(words))

    def imports(self, text: str, *words: str) -> Result:
        file = self._data / "users.csv"
        file.write_text(text, "utf-8")
        return self.type("users", "import", "staff", "--file", str(file), *words)

    def logins(self) -> list[str]:
        users: list[Any] = msgspec.json.decode(self.type("users", "list", "--json").output)
        return [each["login"] for each in users]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "data")


def test_a_dry_run_and_the_run(terminal: Terminal) -> None:
    """The first only says what the second does; what is left out is said with its reason and its row."""
    text = HEAD + "ann,Ann,ann@x\nbob,Bob,no-mail\n"
    dry = terminal.imports(text, "--dry-run", "--report")
    assert dry.exit_code == 0
    assert "1 to create" in dry.output
    assert re.search(r"ignored +bob +cannot be stored as it is +email +3", dry.output)
    assert terminal.logins() == []
    done = terminal.imports(text)
    assert "1 created" in done.output
    assert terminal.logins() == ["ann"]


def test_json_has_the_report(terminal: Terminal) -> None:
    """The run, and its lines where they are asked for."""
    told = msgspec.json.decode(terminal.imports(HEAD + "ann,Ann,ann@x\n", "--json", "--report").output)
    assert (told["state"], told["created"]) == ("done", 1)
    assert [each["login"] for each in told["outcomes"]] == ["ann"]


def test_what_fails_says_why(terminal: Terminal) -> None:
    """With the exit status 1, and nothing changed."""
    failed = terminal.imports('login,"first\n')
    assert failed.exit_code == 1
    assert "Nothing has changed: the file is no CSV" in failed.output
    unknown = terminal.type("users", "import", "nobody")
    assert unknown.exit_code == 1
    assert "no one import nobody" in unknown.output


def test_in_french(tmp_path: Path) -> None:
    """For a French shell."""
    done = Terminal(tmp_path / "data", "fr_FR.UTF-8").imports(HEAD + "ann,Ann,ann@x\n")
    assert "1 créés" in done.output


def test_every_reason_has_words() -> None:
    """Of a run that fails, and of an entry that is left out; in both languages."""
    folders = [Path(package.__file__).parent for package in (engine.imports, engine.domain.imports)]  # type: ignore[arg-type]  # packages have files
    code = "".join(path.read_text() for folder in folders for path in folder.glob("*.py"))
    failures = set(re.findall(r'(?:SourceError\(|_fail\(run_id, )"(\w+)"', code))
    ignored = set(re.findall(r'(?:ignored\(|_ignored\(each, |reason=|error=|login, )"(\w+)"', code))
    assert len(failures) > 10
    assert len(ignored) > 8
    wanted = {f"why.{each}" for each in failures} | {f"of.{each}" for each in ignored}
    assert wanted - TEXTS.keys() == set()
    assert all(set(texts) == {"en", "fr"} for texts in TEXTS.values())
