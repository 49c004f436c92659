"""``polyphony companies``, ``users`` and the other nouns, on a store and on a running engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from engine.cli import noun_office
from engine.cli.engine_client import EngineNotRunning
from engine.cli.main import main
from engine.data_directory import DataDirectory


class Terminal:
    """Types commands on one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._runner = CliRunner(env={"LC_ALL": "C.UTF-8", "POLYPHONY_DATA": str(data)})

    def type(self, *words: str) -> Result:
        return self._runner.invoke(main, list(words))

    def told(self, *words: str) -> Any:
        result = self.type(*words, "--json")
        assert result.exit_code == 0, result.output
        return msgspec.json.decode(result.output)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    data = tmp_path / "data"
    DataDirectory(data).prepare()
    return Terminal(data)


def test_from_a_company_to_a_member_of_a_group(terminal: Terminal, tmp_path: Path) -> None:
    company = terminal.told("companies", "add", "--name", "Example")["uid"]
    domain = terminal.told("domains", "add", "--name", "main", "--company", company, "--culture", "fr")["uid"]
    pin = tmp_path / "pin"
    pin.write_text("4711\n")
    words = ("users", "add", "--domain", domain, "--login", "hélène", "--voicemail-pin-file", str(pin))
    user = terminal.told(*words)
    assert (user["has_voicemail_pin"], user["culture"], user["company"]) == (True, "fr", company)
    group = terminal.told("groups", "add", "--name", "sales", "--domain", domain)["uid"]
    terminal.told("memberships", "add", "--group", group, "--member", user["uid"])
    assert terminal.told("users", "list", "--group", group, "-q", "HELENE") == [user | {"groups": [group]}]
    changed = terminal.told(
        "users",
        "set",
        user["uid"],
        "--enabled",
        "false",
        "--first-name",
        "Hélène",
        "--clear",
        "voicemail_pin",
    )
    assert (changed["enabled"], changed["has_voicemail_pin"]) == (False, False)
    assert terminal.type("users", "list", "--enabled", "false").output.splitlines() == [
        f"{'UID':<24}  login   last name  first name  mail  enabled",
        f"{user['uid']}  hélène             Hélène            no",
    ]
    shown = terminal.type("users", "show", user["uid"]).output
    assert "login              hélène\n" in shown
    assert f"groups             {group}\n" in shown
    removed = terminal.type("users", "remove", user["uid"])
    assert removed.output == f"{user['uid']} is removed.\n"
    assert terminal.told("users", "list") == []
    assert [each["name"] for each in terminal.told("companies", "list", "--order", "-name")] == [
        "Example",
        "default",
    ]
    assert len(terminal.told("domains", "list", "--count", "1")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("users", "show", "usr_x"), "there is no user usr_x"),
        (("users", "add", "--login", "a b"), "--login"),
        (("users", "add", "--login", "jane", "--culture", "de"), "--culture"),
        (("users", "add"), "--login"),
        (("users", "list", "--enabled", "perhaps"), "enabled: expected true or false"),
        (("companies", "add", "--name", "DEFAULT"), "company DEFAULT is taken by company default"),
        (("domains", "set", "dom_x", "--clear", "colour"), "colour"),
        (("groups", "add", "--name", "g", "--domain", "dom_x"), "there is no domain dom_x"),
    ],
)
def test_what_is_refused_is_said_in_a_line(terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    result = terminal.type(*words)
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_running_engine_is_asked_instead_of_its_store(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a change holds there at once, and nobody writes beside it."""
    asked: list[tuple[str, str, object]] = []
    pages = {"": ([{"uid": "grp_1"}], "c"), "&cursor=c": ([{"uid": "grp_2"}], None)}

    def request(data: DataDirectory, method: str, path: str, body: object = None) -> tuple[int, Any]:
        asked.append((method, path, body))
        if method == "GET" and "?" in path:
            items, following = pages[path.partition("q=x")[2]]
            rows = [each | {"name": "g", "description": "", "members": 0} for each in items]
            return 200, {"items": rows, "next": following}
        return (
            (404, {"title": "Not Found", "detail": "there is none"})
            if method == "DELETE"
            else (200, {"uid": "u"})
        )

    monkeypatch.setattr(DataDirectory, "running_pid", lambda self: 1)
    monkeypatch.setattr(noun_office, "request", request)
    assert [each["uid"] for each in terminal.told("groups", "list", "-q", "x")] == ["grp_1", "grp_2"]
    terminal.told("groups", "add", "--name", "g")
    terminal.told("groups", "set", "grp_1", "--name", "h", "--clear", "domain")
    terminal.told("groups", "show", "grp/1")
    refused = terminal.type("groups", "remove", "grp_1")
    assert (refused.exit_code, refused.output) == (1, "Error: there is none\n")
    assert asked[2:] == [
        ("POST", "groups", {"name": "g"}),
        ("PATCH", "groups/grp_1", {"name": "h", "domain": None}),
        ("GET", "groups/grp%2F1", None),
        ("DELETE", "groups/grp_1", None),
    ]


def test_an_engine_that_does_not_answer_is_not_written_beside(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataDirectory, "running_pid", lambda self: 1)
    result = terminal.type("users", "list")
    assert result.exit_code == 1
    assert str(terminal.data) in result.output
    with pytest.raises(EngineNotRunning):
        noun_office.request(DataDirectory(terminal.data), "GET", "users")
