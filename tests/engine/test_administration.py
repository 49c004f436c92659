"""The commands that change the store: links, lines, automates, prompts and recordings, without a running engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.data_directory import DataDirectory
from engine.store import Recording, Store

SECRET = "a password nobody may see"


class Desk:
    """A shell beside a data directory."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.password = folder / "password"
        self.password.write_text(SECRET + "\nnot this\n")
        self.language = "C.UTF-8"

    def run(self, *arguments: str, check: bool = True) -> Result:
        runner = CliRunner(env={"LC_ALL": self.language, "POLYPHONY_DATA": str(self.data)})
        result = runner.invoke(main, list(arguments))
        if check:
            assert result.exit_code == 0, result.output
        assert SECRET not in result.output
        assert "Traceback" not in result.output
        return result

    def fails(self, *arguments: str) -> str:
        """The one line a refused command says."""
        result = self.run(*arguments, check=False)
        assert result.exit_code != 0
        assert isinstance(result.exception, SystemExit)
        return result.output.splitlines()[-1]

    def store(self) -> Store:
        store = Store(f"sqlite:///{self.data / 'store.sqlite3'}")
        store.open()
        return store


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def store(desk: Desk) -> Iterator[Store]:
    desk.run("lines", "add", "999", "--password-file", str(desk.password))
    store = desk.store()
    yield store
    store.close()


def tone(path: Path, seconds: float = 0.5) -> str:
    """A sound file."""
    samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 16000)) / 16000)
    soundfile.write(path, samples, 16000)
    return str(path)


class TestLinks:
    def test_declared_and_forgotten(self, desk: Desk, store: Store) -> None:
        """With everything a link can have."""
        said = desk.run(
            "links", "add", "pbx", "--host", "192.0.2.90", "--port", "5070", "--transport", "tls",
            "--type", "mivoice", "--realm", "corp", "--user", "us", "--password-file", str(desk.password),
            "--no-register", "--route", "0", "--route", "+", "--nat", "--rate-limit", "50",
        ).output  # fmt: skip
        assert said == "Link pbx declared. No engine runs here; the next start takes it up.\n"
        link = store.links.get("pbx")
        assert link is not None
        assert (link.host, link.port, link.transport, link.pbx_type) == ("192.0.2.90", 5070, "tls", "mivoice")
        assert (link.realm, link.username, link.password) == ("corp", "us", SECRET)
        assert (link.register, link.prefixes, link.nat, link.rate_limit) == (False, ("0", "+"), True, 50)
        assert SECRET not in repr(link)
        assert desk.run("links", "remove", "pbx").output.startswith("Link pbx forgotten.")
        assert store.links.all() == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("add", "a b", "--host", "h"), "name: expected"),
            (("add", "x", "--host", "h", "--port", "70000"), "port: expected"),
            (("add", "x", "--host", "h h"), "host: expected"),
            (("add", "x", "--host", "h", "--route", "9a"), "dialled_prefixes: expected"),
            (("remove", "nobody"), "there is no link nobody"),
            (("add", "x"), "Missing option '--host'"),
        ],
    )
    def test_mistakes_are_said_in_a_line(self, desk: Desk, arguments: tuple[str, ...], said: str) -> None:
        """What is wrong, and what was expected."""
        assert said in desk.fails("links", *arguments)

    def test_one_that_is_in_use(self, desk: Desk, store: Store) -> None:
        """It is not removed under its automates; a name and a prefix belong to one link."""
        desk.run("links", "add", "pbx", "--host", "h", "--route", "0")
        desk.run("automates", "add", "100", "echo", "--link", "pbx", "--count", "3")
        assert "needed by automate range 100" in desk.fails("links", "remove", "pbx")
        assert "taken by another link" in desk.fails("links", "add", "pbx", "--host", "h")
        assert "prefix 0 is taken by link pbx" in desk.fails(
            "links", "add", "b", "--host", "h", "--route", "0"
        )


class TestLines:
    def test_only_digests_are_kept(self, desk: Desk, store: Store) -> None:
        """Of the first line of the file, for both algorithms."""
        desk.run("lines", "add", "1001", "--password-file", str(desk.password), "--name", "Reception")
        line = store.lines.get("1001")
        assert line is not None
        assert set(line.ha1) == {"SHA-256", "MD5"}
        assert SECRET not in str(line.ha1)
        assert all(secret not in repr(line) for secret in line.ha1.values())
        desk.run("lines", "remove", "1001")
        assert store.lines.get("1001") is None

    def test_the_realm_is_the_configured_one(self, desk: Desk, store: Store) -> None:
        """Else no phone could answer our challenge."""
        given = ("--password-file", str(desk.password), "--set", "sip.realm=example.com")
        desk.run("lines", "add", "1001", *given)
        line = store.lines.get("1001")
        assert line is not None
        assert line.realm == "example.com"

    def test_mistakes(self, desk: Desk, store: Store, tmp_path: Path) -> None:
        """A number that is taken, a password that is empty or cannot be read, none at all."""
        desk.run("automates", "add", "200", "echo")
        given = ("--password-file", str(desk.password))
        assert "taken by automate 200" in desk.fails("lines", "add", "200", *given)
        assert "number: expected" in desk.fails("lines", "add", "a b", *given)
        empty = tmp_path / "empty"
        empty.write_text("\n")
        assert "password is empty" in desk.fails("lines", "add", "1", "--password-file", str(empty))
        empty.write_bytes(b"\xff\xfe")
        assert str(empty) in desk.fails("lines", "add", "1", "--password-file", str(empty))
        assert "does not exist" in desk.fails("lines", "add", "1", "--password-file", "/nowhere")
        assert "--password-file" in desk.fails("lines", "add", "1")
        assert "there is no line 1" in desk.fails("lines", "remove", "1")

    def test_a_password_that_is_asked_for_is_not_echoed(
        self, desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Asked twice, hidden."""
        asked: list[dict[str, Any]] = []

        def prompt(text: str, **how: Any) -> str:
            asked.append(how)
            return SECRET

        monkeypatch.setattr("engine.cli.administration.click.prompt", prompt)
        monkeypatch.setattr("engine.cli.administration.sys", SimpleNamespace(stdin=Terminal()))
        desk.run("lines", "add", "1001")
        assert asked == [{"hide_input": True, "confirmation_prompt": True}]


class Terminal:
    """Where somebody can be asked."""

    def isatty(self) -> bool:
        return True


class TestAutomates:
    def test_a_range(self, desk: Desk, store: Store) -> None:
        """Its numbers, its link, its parameters."""
        desk.run("links", "add", "pbx", "--host", "h")
        said = desk.run(
            "automates", "add", "0100", "announcement", "--count", "10", "--link", "pbx",
            "--password-file", str(desk.password), "--prompt", "welcome", "--loop", "--language", "fr",
        ).output  # fmt: skip
        assert said.startswith("Automates added: 10 from 0100.")
        found = store.automate_ranges.get("0100")
        assert found is not None
        assert found.numbers()[-1] == "0109"
        assert found.parameters == {"prompt": "welcome", "loop": True, "language": "fr"}
        assert SECRET not in repr(found)
        desk.run("automates", "remove", "0100")
        assert store.automate_ranges.get("0100") is None

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("add", "1", "singing"), "'singing' is not one of"),
            (("add", "x", "echo"), "first_number: expected"),
            (("add", "1", "echo", "--count", "0"), "count: expected"),
            (("add", "9", "echo", "--count", "2"), "count: expected"),
            (("add", "1", "echo", "--link", "nobody"), "There is no link nobody."),
            (("add", "1", "announcement", "--prompt", "silence"), "There is no prompt silence."),
            (("add", "998", "echo", "--count", "2"), "taken by line 999"),
            (("remove", "1"), "there is no automate range 1"),
        ],
    )
    def test_mistakes(self, desk: Desk, store: Store, arguments: tuple[str, ...], said: str) -> None:
        """Each in one line."""
        assert said in desk.fails("automates", *arguments)


class TestPrompts:
    @pytest.mark.parametrize("kind", ["wav", "mp3", "flac"])
    def test_imported_listed_and_removed(self, desk: Desk, store: Store, tmp_path: Path, kind: str) -> None:
        """Whatever ffmpeg reads; the file goes with the prompt."""
        source = tone(tmp_path / f"hello.{kind}")
        said = desk.run("prompts", "import", source, "--name", "hello").output
        assert said.startswith("Prompt hello imported, 0.5 s.")
        heading, line = desk.run("prompts", "list").output.splitlines()
        assert heading.split() == ["name", "seconds", "source"]
        assert line.split() == ["hello", "0.5", f"hello.{kind}"]
        assert json.loads(desk.run("prompts", "list", "--json").output)[0]["name"] == "hello"
        (file,) = DataDirectory(desk.data).prompts.glob("*.wav")
        with soundfile.SoundFile(file) as sound:
            assert (sound.samplerate, sound.channels) == (8000, 1)
        desk.run("prompts", "remove", "hello")
        assert not file.exists()
        assert store.prompts.all() == []

    def test_one_an_automate_plays(self, desk: Desk, store: Store, tmp_path: Path) -> None:
        """It can be named by an automate, and then it stays."""
        desk.run("prompts", "import", tone(tmp_path / "a.wav"), "--name", "hello")
        desk.run("automates", "add", "7100", "announcement", "--prompt", "hello")
        assert "needed by automate range 7100" in desk.fails("prompts", "remove", "hello")
        assert len(list(DataDirectory(desk.data).prompts.glob("*.wav"))) == 1

    def test_mistakes_leave_no_file(self, desk: Desk, store: Store, tmp_path: Path) -> None:
        """A text, a name in use, a name that is none, a file that is not there."""
        text = tmp_path / "text.wav"
        text.write_text("no sound")
        assert "unreadable" in desk.fails("prompts", "import", str(text), "--name", "x")
        sound = tone(tmp_path / "a.wav")
        desk.run("prompts", "import", sound, "--name", "hello")
        assert "prompt hello is taken" in desk.fails("prompts", "import", sound, "--name", "hello")
        assert "name: expected" in desk.fails("prompts", "import", sound, "--name", "../x")
        assert "does not exist" in desk.fails("prompts", "import", "/nowhere.wav", "--name", "x")
        assert "there is no prompt x" in desk.fails("prompts", "remove", "x")
        assert len(list(DataDirectory(desk.data).prompts.glob("*.wav"))) == 1


class TestRecordings:
    def add(self, store: Store, number: str, at: float, reason: str = "closed", caller: str = "0612") -> None:
        store.recordings.add(
            Recording(
                number=number, caller=caller, path=f"/r/{at}.wav", started_at=at, seconds=3.25, reason=reason
            )
        )

    def test_the_newest_come_first(self, desk: Desk, store: Store) -> None:
        """Number, caller, when, how long, how it ended, in which file."""
        self.add(store, "6000", 1_700_000_000.0)
        self.add(store, "6001", 1_700_000_100.0, reason="")
        lines = desk.run("recordings").output.splitlines()
        heads = ["id", "number", "caller", "when", "seconds", "format", "tracks", "pauses", "ended", "file"]
        assert lines[0].split() == heads
        assert lines[1].split()[1] == "6001"
        assert "still recording" in lines[1]
        assert lines[2].split()[1:3] == ["6000", "0612"]
        assert lines[2].split()[5:] == ["3.2", "0", "0", "closed", "/r/1700000000.0.wav"]
        assert len(desk.run("recordings", "--number", "6000").output.splitlines()) == 2
        assert len(desk.run("recordings", "--count", "1").output.splitlines()) == 2
        assert json.loads(desk.run("recordings", "--json").output)[0]["number"] == "6001"

    def test_export(self, desk: Desk, store: Store, tmp_path: Path) -> None:
        """By the number in the list, in the format of the suffix."""
        source = tone(tmp_path / "a.wav")
        store.recordings.add(
            Recording(number="6000", caller="1", path=source, started_at=1.0, seconds=1.0, reason="closed")
        )
        identity = str(store.recordings.all()[0].id)
        target = tmp_path / "b.flac"
        assert f"written: {target}" in desk.run("recordings", "export", identity, str(target)).output
        assert target.read_bytes().startswith(b"fLaC")
        assert "is there already" in desk.fails("recordings", "export", identity, str(target))
        assert "there is no recording 77" in desk.fails("recordings", "export", "77", str(target))

    def test_a_caller_does_not_move_the_cursor(self, desk: Desk, store: Store) -> None:
        """What came from the network is one line of text."""
        self.add(store, "6000", 1.0, caller="\x1b[2Jme")
        assert "\x1b" not in desk.run("recordings").output

    def test_a_directory_that_is_not_there(self, desk: Desk, tmp_path: Path) -> None:
        """A mistyped --data is no empty list, and makes nothing."""
        nowhere = tmp_path / "typo"
        assert f"There is no data directory {nowhere}." in desk.fails("recordings", "--data", str(nowhere))
        assert not nowhere.exists()


class TestShared:
    @pytest.mark.parametrize("command", ["links", "automates", "lines"])
    def test_listing_needs_the_engine(self, desk: Desk, command: str) -> None:
        """It is the engine that knows the states."""
        assert f"No engine answers on {desk.data}" in desk.fails(command)

    def test_data_may_stand_before_the_sub_command(self, desk: Desk, tmp_path: Path) -> None:
        """It is not silently another directory."""
        other = tmp_path / "other"
        desk.run("links", "--data", str(other), "add", "pbx", "--host", "h")
        assert (other / "store.sqlite3").exists()
        assert not desk.data.exists()
        third = tmp_path / "third"
        desk.run("links", "--data", str(other), "add", "pbx", "--host", "h", "--data", str(third))
        assert (third / "store.sqlite3").exists()

    def test_a_store_that_cannot_be_reached(self, desk: Desk) -> None:
        """One line, without the password of the URL."""
        said = desk.fails("recordings", "--set", "store.url=postgresql://u:hush@127.0.0.1:1/x", "--data", ".")
        assert said.startswith("Error: The store cannot be opened: ")
        assert "hush" not in said

    def test_a_bad_configuration(self, desk: Desk) -> None:
        """Named by its key."""
        assert "sip.port: expected" in desk.fails("links", "add", "a", "--host", "h", "--set", "sip.port=x")

    def test_a_file_in_the_way(self, desk: Desk) -> None:
        """The data directory cannot be made where it should be."""
        desk.data.write_text("")
        desk.data /= "deeper"
        assert "cannot be used as data directory" in desk.fails("links", "add", "a", "--host", "h")

    def test_in_french(self, desk: Desk, store: Store) -> None:
        """What is said, the help and the headings."""
        desk.language = "fr_FR.UTF-8"
        assert desk.run("links", "add", "pbx", "--host", "h").output.startswith("Lien pbx déclaré.")
        assert "nom" in desk.run("prompts", "list").output
        assert "quand" in desk.run("recordings").output
        assert "Il n'y a pas de lien x." in desk.fails("automates", "add", "1", "echo", "--link", "x")
