"""The polyphony command: its help, its configuration commands, and what it must not import."""

from __future__ import annotations

import string
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine.cli.main import COMMANDS, main
from engine.language import LANGUAGES, TEXTS, of_environment, say
from engine.softphone import texts as softphone_texts

ALL_TEXTS = {**TEXTS, **softphone_texts.TEXTS}


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner(env={"LC_ALL": "C.UTF-8"})


def test_help_names_every_command(runner: CliRunner) -> None:
    """Help lists the commands, each with its line."""
    result = runner.invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output
        assert say(f"cli.{name}") in result.output


def test_commands_are_completed(runner: CliRunner) -> None:
    """A shell that completes names gets those of the table, without importing them."""
    result = runner.invoke(
        main,
        prog_name="polyphony",
        env={"_POLYPHONY_COMPLETE": "bash_complete", "COMP_WORDS": "polyphony confi", "COMP_CWORD": "1"},
    )
    assert result.output == "plain,config\n"


def test_help_in_french(runner: CliRunner) -> None:
    """A French shell gets French help."""
    result = runner.invoke(main, ["--help"], env={"LC_ALL": "fr_FR.UTF-8"})
    assert "Commandes" in result.output
    assert say("cli.links", "fr") in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded(name: str, runner: CliRunner) -> None:
    """Each name of the table leads to a command with help of its own."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    result = runner.invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output


def test_no_such_command(runner: CliRunner) -> None:
    """An unknown name is a usage error."""
    result = runner.invoke(main, ["sing"])
    assert result.exit_code == 2
    assert "No such command 'sing'" in result.output


def test_the_configuration_needs_no_reactor() -> None:
    """``polyphony config`` starts fast: it imports neither Twisted nor numpy nor the database."""
    heavy = {"twisted", "numpy", "sqlalchemy", "klein", "av"}
    script = (
        "import sys\nfrom engine.cli.main import main\n"
        "main(['config', 'show'], standalone_mode=False)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "[sip]" in done.stdout
    assert not heavy & set(done.stderr.split("'"))


class TestConfig:
    def test_check_of_a_good_file(self, runner: CliRunner, tmp_path: Path) -> None:
        """A good file is said to be good."""
        file = tmp_path / "p.toml"
        file.write_text("[sip]\nport = 5070\n")
        result = runner.invoke(main, ["config", "check", str(file)])
        assert (result.exit_code, result.output) == (0, f"{file}: the configuration is good.\n")

    def test_check_of_a_bad_file(self, runner: CliRunner, tmp_path: Path) -> None:
        """All mistakes are told and the status is 1."""
        file = tmp_path / "p.toml"
        file.write_text("[sip]\nport = 0x1ffff\nbond = 1\n")
        result = runner.invoke(main, ["config", "check", str(file), "--set", "log.level=loud"])
        assert result.exit_code == 1
        assert f"{file}:2: sip.port: expected an integer from 0 to 65534, not 131071\n" in result.output
        assert f"{file}:3: sip.bond: no such key; nearest is sip.bind\n" in result.output
        assert "--set: log.level: expected" in result.output
        assert "3 mistake(s)" in result.output

    def test_show(self, runner: CliRunner) -> None:
        """The values in force, with overrides."""
        result = runner.invoke(main, ["config", "show", "--set", "sip.port=5070"])
        assert result.exit_code == 0
        assert "\nport = 5070\n" in result.output

    def test_show_of_a_bad_override(self, runner: CliRunner) -> None:
        """What cannot be read is not shown."""
        result = runner.invoke(main, ["config", "show", "--set", "sip.port=x"])
        assert (result.exit_code, "[sip]" in result.output) == (1, False)
        assert "--set: sip.port: expected an integer" in result.output

    @pytest.mark.parametrize(
        ("form", "sign"), [("text", "  sip.port = 5060\n"), ("toml", "\n#port = 5060\n")]
    )
    def test_docs(self, runner: CliRunner, form: str, sign: str) -> None:
        """The documentation, to be read or to start a file from."""
        result = runner.invoke(main, ["config", "show", "--docs", "--format", form])
        assert result.exit_code == 0
        assert sign in result.output


class TestLanguage:
    @pytest.mark.parametrize("key", ALL_TEXTS)
    def test_every_text_in_every_language(self, key: str) -> None:
        """No text lacks a translation, and all have the same placeholders."""
        text = ALL_TEXTS[key]
        assert set(text) == set(LANGUAGES)
        fields = [{name for _, name, _, _ in string.Formatter().parse(words)} for words in text.values()]
        assert all(each == fields[0] for each in fields)

    @pytest.mark.parametrize(
        ("environ", "language"),
        [
            ({}, "en"),
            ({"LANG": "fr_FR.UTF-8"}, "fr"),
            ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "en"),
            ({"LANG": "de_DE", "LC_MESSAGES": "fr"}, "fr"),
            ({"LC_ALL": "", "LANG": "fr"}, "fr"),
        ],
    )
    def test_language_of_the_shell(self, environ: dict[str, str], language: str) -> None:
        """POSIX order: LC_ALL, LC_MESSAGES, LANG; English for what we do not speak."""
        assert of_environment(environ) == language

    def test_values_are_filled_in(self) -> None:
        """Placeholders take what they are given."""
        assert say("config.good", "fr", file="p.toml") == "p.toml : la configuration est bonne."
