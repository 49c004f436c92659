"""``polyphony dialplan`` and ``polyphony dial-rules``, on a store; a running engine is asked by its REST API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from engine.cli import noun_office
from engine.cli.main import main
from engine.data_directory import DataDirectory


class Terminal:
    """Types commands on one data directory, in one language."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def type(self, *words: str, language: str = "C", stdin: str | None = None) -> Result:
        runner = CliRunner(env={"LC_ALL": f"{language}.UTF-8", "POLYPHONY_DATA": str(self.data)})
        return runner.invoke(main, list(words), input=stdin)

    def told(self, *words: str) -> Any:
        result = self.type(*words, "--json")
        assert result.exit_code == 0, result.output
        return msgspec.json.decode(result.output)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    data = tmp_path / "data"
    DataDirectory(data).prepare()
    terminal = Terminal(data)
    terminal.told(
        "domains", "add", "--name", "Lyon", "--company", terminal.told("companies", "list")[0]["uid"]
    )
    return terminal


def test_a_number_is_tried(terminal: Terminal) -> None:
    """The number first, then the rule and each step; in French, too."""
    tried = terminal.type("dialplan", "try", "+33 (0) 1 23 45 67 89", "--domain", "Lyon")
    assert tried.exit_code == 0, tried.output
    lines = tried.output.splitlines()
    assert lines[0] == "00123456789"
    assert lines[1].startswith("by the outgoing rule 10: [(")
    assert [line.split()[0] for line in lines[2:]] == ["kind", "read", "rule", "has_external_prefix"]
    french = terminal.type("dialplan", "try", "2001", "--domain", "Lyon", language="fr_FR")
    assert "pas plus long qu'un numéro interne : 2001" in french.output
    assert terminal.told("dialplan", "try", "#31#", "--domain", "Lyon", "--incoming")["number"] == "#31#"
    assert terminal.type("dialplan", "try", "é", "--domain", "Lyon").output.startswith("nothing to dial\n")


def test_which_domain(terminal: Terminal) -> None:
    """By its uid or its name; of several one must be named."""
    uid = next(each["uid"] for each in terminal.told("domains", "list") if each["name"] == "Lyon")
    assert terminal.told("dialplan", "try", "0155171889", "--domain", uid)["number"] == "00155171889"
    assert terminal.told("dialplan", "try", "0155171889", "--domain", "default")["number"] == "0155171889"
    several = terminal.type("dialplan", "try", "1")
    assert several.exit_code == 1
    assert "--domain: " in several.output
    assert f"{uid} (Lyon)" in several.output
    assert "no domain Nice" in terminal.type("dialplan", "try", "1", "--domain", "Nice").output


def test_rules_are_written_read_and_changed(terminal: Terminal, tmp_path: Path) -> None:
    """CSV to a file or the standard output, and back; a bad row is told, and changes nothing."""
    path = tmp_path / "rules.csv"
    assert terminal.type("dialplan", "export", str(path), "--domain", "Lyon").exit_code == 0
    text = path.read_text("utf-8")
    assert text.startswith("direction,priority,pattern,result,enabled,note")
    assert terminal.type("dialplan", "export", "-", "--domain", "Lyon").output == text.replace("\r\n", "\n")
    bad = terminal.type(
        "dialplan", "import", "-", "--domain", "Lyon", stdin=text + "outgoing,1,[(1],,true,\n"
    )
    assert bad.exit_code == 1
    assert "row 7, pattern: expected an expression RE2 knows: missing )" in bad.output
    path.write_text(text + "outgoing,1,03611,03611,true,a short one\n", "utf-8")
    done = terminal.type("dialplan", "import", str(path), "--domain", "Lyon")
    assert done.output == "5 rule(s) kept, 1 added, 0 removed.\n"
    rule = terminal.told("dial-rules", "list", "--direction", "outgoing")[0]
    assert (rule["pattern"], rule["note"]) == ("03611", "a short one")
    terminal.told("dial-rules", "set", rule["uid"], "--enabled", "false")
    assert terminal.told("dialplan", "try", "03611", "--domain", "Lyon")["number"] == "003611"
    refused = terminal.type("dial-rules", "set", rule["uid"], "--pattern", "[(1]")
    assert refused.exit_code == 1
    assert "pattern: expected" in refused.output
    assert "03611" in terminal.type("dial-rules", "list").output
    assert terminal.type("dialplan", "import", str(tmp_path / "none.csv")).exit_code == 1
    assert (
        terminal.type("dialplan", "export", str(tmp_path / "no" / "x.csv"), "--domain", "Lyon").exit_code == 1
    )


def test_a_running_engine_is_asked(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the verb's own route."""
    asked: list[tuple[str, str, object]] = []

    def request(data: DataDirectory, method: str, path: str, body: object = None) -> tuple[int, Any]:
        asked.append((method, path, body))
        if path.startswith("domains?"):
            return 200, {"items": [{"uid": "dom_a", "name": "Lyon"}], "next": None}
        return 200, {"kept": 0, "added": 1, "removed": 2}

    monkeypatch.setattr(noun_office, "request", request)
    monkeypatch.setattr(DataDirectory, "running_pid", lambda self: 1)
    done = terminal.type("dialplan", "import", "-", stdin="x")
    assert done.output == "0 rule(s) kept, 1 added, 2 removed.\n"
    assert asked[1] == ("PUT", "domains/dom_a/dial-plan/rules", {"csv": "x"})
