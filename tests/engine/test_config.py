"""The configuration: what is read, what is refused and in which words, what a reload changes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config, ConfigError, differences, documentation, load, problems
from engine.config.keys import Key, keys
from engine.config.lines import key_lines
from engine.config.sections import SECTIONS, StoreSection, without_password
from engine.config.signalling_sections import SipSection

ALL_KEYS = [key for declared in keys().values() for key in declared.values()]
INTEGERS = [key for key in ALL_KEYS if type(key.default) is int]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "polyphony.toml"


def written(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def told(file: Path, text: str) -> list[tuple[int, str, str]]:
    """(line, key, expected) of everything wrong with ``text``."""
    found = problems(written(file, text))
    assert {problem.file for problem in found} <= {str(file)}
    return [(problem.line, problem.key, problem.expected) for problem in found]


class TestReading:
    def test_nothing_is_all_defaults(self, file: Path) -> None:
        """No file, an empty file and the documented file of defaults are the same configuration."""
        assert load() == Config() == load(written(file, ""))
        documented = documentation.as_toml()
        assert load(written(file, documented)) == Config()
        enabled = re.sub(r"^#(?! )", "", documented, flags=re.MULTILINE)
        assert enabled != documented
        assert load(written(file, enabled)) == Config()

    def test_keys_kept_from_outside(self) -> None:
        """The names others use in scripts exist, with the defaults they were promised."""
        config = Config()
        assert config.sip.port == 5060
        assert config.sip.bind == ["0.0.0.0", "::"]
        assert config.sip.accept_from == ["127.0.0.0/8", "::1/128"]
        assert config.http.bind == "127.0.0.1"
        assert config.media.ports == "40000-59999"
        assert config.media.port_range == (40000, 59999)
        assert config.media.workers == 0
        assert config.media.worker_count >= 1
        assert config.log.level == "info"
        assert config.http.port > 0

    def test_values_of_a_file(self, file: Path) -> None:
        """A file's values replace the defaults, and only those it names."""
        text = '[sip]\nport = 5070\nbind = ["192.0.2.1"]\n[log]\nlevel = "debug"\n[media]\nworkers = 3\n'
        config = load(written(file, text))
        assert (config.sip.port, config.sip.bind, config.log.level) == (5070, ["192.0.2.1"], "debug")
        assert config.media.worker_count == 3
        assert config.sip.realm == Config().sip.realm

    def test_parsed_values(self) -> None:
        """What is text in the file is handed out parsed."""
        config = load(overrides=["sip.accept_from=192.0.2.0/24,2001:db8::/32", "media.ports=2000-3001"])
        assert [str(each) for each in config.sip.accepted_networks] == ["192.0.2.0/24", "2001:db8::/32"]
        assert config.media.port_range == (2000, 3001)

    @pytest.mark.parametrize(
        ("address", "secure"),
        [
            ("127.0.0.1", False),
            ("127.9.9.9", False),
            ("::1", False),
            ("0.0.0.0", True),
            ("::", True),
            ("192.0.2.1", True),
        ],
    )
    def test_http_is_plain_on_loopback_only(self, address: str, secure: bool) -> None:
        """Any address others can reach is served over TLS."""
        assert load(overrides=[f"http.bind={address}"]).http.secure is secure

    def test_a_path_is_relative_to_its_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file may be moved with its certificates; a path of --set starts where the command was typed."""
        for name in ("c.pem", "k.pem"):
            (file.parent / name).touch()
        config = load(written(file, '[sip]\ntls_certificate = "c.pem"\ntls_key = "k.pem"\n'))
        assert config.sip.tls_key == str(file.parent / "k.pem")
        monkeypatch.chdir(file.parent)
        assert load(overrides=["log.file=x.log"]).log.file == str(file.parent / "x.log")
        assert load(overrides=["log.file=/var/log/x"]).log.file == "/var/log/x"

    def test_store_url(self, tmp_path: Path) -> None:
        """Without a URL the store is a file in the data directory."""
        assert StoreSection().url_in(tmp_path) == f"sqlite:///{tmp_path}/store.sqlite3"
        assert StoreSection(url="postgresql://h/d").url_in(tmp_path) == "postgresql://h/d"


class TestRefusals:
    def test_the_line_of_a_bad_value(self, file: Path) -> None:
        """File, line, key and what was expected, for the number too large."""
        written(file, "# ours\n\n[sip]\nport = 99999\n")
        with pytest.raises(ConfigError) as error:
            load(file)
        assert str(error.value) == f"{file}:4: sip.port: expected an integer from 0 to 65534, not 99999"
        assert (error.value.file, error.value.line, error.value.key) == (str(file), 4, "sip.port")

    def test_everything_wrong_is_told(self, file: Path) -> None:
        """A file with several mistakes has them all told, in its order."""
        text = '[log]\nlevel = "loud"\n\n[sip]\nprt = 5060\nbind = []\n[spi]\nport = 1\n'
        assert told(file, text) == [
            (2, "log.level", 'expected one of "debug", "error", "info", "warn"'),
            (5, "sip.prt", "no such key; nearest is sip.port"),
            (6, "sip.bind", "expected a list of at least one IPv4 or IPv6 address"),
            (7, "spi", "no such section; nearest is sip"),
        ]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("sip.port", '"5060"'),
            ("sip.port", "true"),
            ("sip.port", "50.6"),
            ("sip.port", "-1"),
            ("sip.bind", '"0.0.0.0"'),
            ("sip.bind", '["localhost"]'),
            ("sip.bind", '["::", "::"]'),
            ("sip.bind", "[1]"),
            ("sip.accept_from", '["192.0.2.1/24"]'),
            ("sip.accept_from", '["everybody"]'),
            ("sip.realm", '"a b"'),
            ("sip.realm", '""'),
            ("sip.user_agent", '"a\\r\\nVia: x"'),
            ("sip.user_agent", '"é"'),
            ("sip.tls_certificate", '"missing.pem"'),
            ("sip.digest_algorithms", "[]"),
            ("sip.digest_algorithms", '["MD5", "MD5"]'),
            ("sip.digest_algorithms", '["SHA-1"]'),
            ("media.ports", '"40000"'),
            ("media.ports", '"50000-40000"'),
            ("media.ports", '"80-1000"'),
            ("media.ports", '"60000-70000"'),
            ("media.ports", '"40000-40006"'),
            ("media.codecs", '["GSM"]'),
            ("media.recordings", '"a\\u0000b"'),
            ("http.bind", '"*"'),
            ("http.host_names", '["a b"]'),
            ("store.url", '"mysql://h/d"'),
            ("store.url", '"sqlite:///"'),
            ("store.url", '"sqlite://"'),
            ("store.url", '"postgresql://host"'),
            ("store.url", '"postgresql://[host/d"'),
            ("engine.language", '"de"'),
        ],
    )
    def test_bad_values(self, file: Path, key: str, value: str) -> None:
        """Each is refused at its line, in the words of its documentation."""
        section, _, name = key.partition(".")
        [(line, told_key, expected)] = told(file, f"[{section}]\n{name} = {value}\n")
        assert (line, told_key) == (2, key)
        assert expected.startswith(f"expected {keys()[section][name].expected}")

    @pytest.mark.parametrize("key", INTEGERS, ids=lambda key: key.full_name)
    def test_each_number_at_its_edges(self, key: Key) -> None:
        """The lowest and the highest value are taken, one beyond either is refused."""
        low, high = (int(part) for part in key.expected.removeprefix("an integer from ").split(" to "))
        found = [*problems(None, [f"{key.full_name}={low}"]), *problems(None, [f"{key.full_name}={high}"])]
        assert [problem for problem in found if "at most the value of" not in problem.expected] == []
        for value in (low - 1, high + 1):
            [problem] = problems(None, [f"{key.full_name}={value}"])
            assert problem.expected.startswith(f"expected an integer from {low} to {high}")
            assert problem.expected.endswith(f"not {value}")

    def test_a_secret_is_not_repeated(self, file: Path) -> None:
        """A database URL that is refused does not show its password."""
        [(_, _, expected)] = told(file, '[store]\nurl = "postgres//me:hidden@h/d"\n')
        assert "hidden" not in expected

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ('[sip]\ntls_certificate = "{file}"\n', "sip.tls_certificate"),
            ('[http]\ntls_key = "{file}"\n', "http.tls_key"),
            ("[sip]\nsession_min = 2000\n", "sip.session_min"),
            ("[sip]\nsession_expires = 90\nsession_min = 91\n", "sip.session_min"),
            ("[limits]\nconnections = 10\n", "limits.connections_per_source"),
            ("[limits]\nguess_block_max = 1\n", "limits.guess_block"),
            ("[sip]\nregistrar_max_expires = 60\nregistrar_min_expires = 61\n", "sip.registrar_min_expires"),
        ],
    )
    def test_keys_that_do_not_fit_together(self, file: Path, text: str, key: str) -> None:
        """Two keys that contradict each other are told at the line of one that was set."""
        [(line, told_key, _)] = told(file, text.replace("{file}", str(file)))
        assert told_key == key
        assert line in {2, 3}

    def test_a_value_where_a_section_belongs(self, file: Path) -> None:
        """A section's name as a key is told as such."""
        assert told(file, "sip = 1\n") == [(1, "sip", "expected a section [sip], not a value")]

    @pytest.mark.parametrize(
        ("text", "line"),
        [("[sip\n", 1), ("[sip]\nport = \n", 2), ("a = 1\na = 2\n", 2), ('[sip]\nrealm = "x', 2)],
    )
    def test_what_is_no_toml(self, file: Path, text: str, line: int) -> None:
        """A syntax error has its line too."""
        [(told_line, key, expected)] = told(file, text)
        assert (told_line, key) == (line, "")
        assert expected.startswith("expected TOML: ")

    def test_what_is_no_text(self, file: Path) -> None:
        """Bytes that are no UTF-8 are told at their line."""
        file.write_bytes(b"[sip]\n# ok\nrealm = '\xff'\n")
        assert [(each.line, each.expected) for each in problems(file)] == [(3, "expected UTF-8 text")]

    def test_what_cannot_be_read(self, tmp_path: Path) -> None:
        """A missing file and a folder are refused with the system's words."""
        assert [each.expected for each in problems(tmp_path / "none")] == [
            "expected a file that can be read: No such file or directory"
        ]
        assert [each.expected for each in problems(tmp_path)] == [
            "expected a file that can be read: Is a directory"
        ]


class TestOverrides:
    @pytest.mark.parametrize(
        ("override", "value"),
        [
            ("sip.port=0", 0),
            ("sip.port = 5070 ", 5070),
            ("sip.realm=polyphony.example", "polyphony.example"),
            ("sip.realm=42", "42"),
            ("sip.realm=true", "true"),
            ('sip.realm="quoted"', "quoted"),
            ("sip.bind=127.0.0.1", ["127.0.0.1"]),
            ("sip.bind=127.0.0.1, ::1", ["127.0.0.1", "::1"]),
            ('sip.bind=["::1"]', ["::1"]),
            ("store.url=sqlite:////tmp/a=b", "sqlite:////tmp/a=b"),
        ],
    )
    def test_values(self, override: str, value: object) -> None:
        """Values are written as in the file, or bare where that is clear."""
        section, name = override.partition("=")[0].strip().split(".")
        assert getattr(getattr(load(overrides=[override]), section), name) == value

    def test_they_win(self, file: Path) -> None:
        """An override replaces the file's value, and a later one an earlier."""
        config = load(written(file, "[sip]\nport = 1000\n"), ["sip.port=2000", "sip.port=3000"])
        assert config.sip.port == 3000

    @pytest.mark.parametrize(
        ("override", "told_as"),
        [
            ("sip.port=x", "--set: sip.port: expected an integer from 0 to 65534"),
            ("sip.prot=1", "--set: sip.prot: no such key; nearest is sip.port"),
            ("sup.port=1", "--set: sup.port: no such section; nearest is sip"),
            ("zzz.port=1", "--set: zzz.port: no such section"),
            ("sip.port", "--set: sip.port: expected section.key=value"),
            ("port=1", "--set: port=1: expected section.key=value"),
            ("", "--set: expected section.key=value"),
        ],
    )
    def test_refusals(self, override: str, told_as: str) -> None:
        """The same checks, with --set as the file."""
        assert [str(each) for each in problems(None, [override])] == [told_as]


class TestReload:
    def test_no_difference(self) -> None:
        """The same configuration changes nothing."""
        assert differences(Config(), Config()) == ((), ())

    def test_each_key_is_named_where_it_belongs(self) -> None:
        """Changed keys are split into those applied at once and those that wait for a restart."""
        new = load(overrides=["log.level=debug", "sip.port=5070", "sip.call_timeout=10", "media.workers=2"])
        found = differences(Config(), new)
        assert found.applied == ("sip.call_timeout", "log.level")
        assert found.need_restart == ("sip.port", "media.workers")


class TestDocumentation:
    @pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.full_name)
    def test_every_key_is_documented(self, key: Key) -> None:
        """Each has a sentence, a check in words, a default, and both forms show them."""
        assert key.description.endswith(".")
        assert key.expected
        for text in (documentation.as_text(), documentation.as_toml()):
            assert f"{key.name} = {documentation.toml_value(key.default)}" in text
            assert key.description.split()[0] in text

    def test_numbers_have_units(self) -> None:
        """Every number but a port says what it counts."""
        assert [key.full_name for key in INTEGERS if not key.unit] == ["sip.port", "http.port", "mail.port"]

    def test_every_section_says_what_it_is(self) -> None:
        """A section's docstring is its heading."""
        assert all(struct.__doc__ and struct.__doc__.endswith(".") for struct in SECTIONS.values())

    def test_effective_values_can_be_read_back(self, file: Path) -> None:
        """What `config show` prints is a configuration."""
        config = load(overrides=["sip.port=5070", "sip.bind=::1", "http.host_names=a.example"])
        assert load(written(file, documentation.effective(config))) == config

    def test_passwords_are_left_out(self) -> None:
        """Neither `config show` nor a repr in a log shows the database's password."""
        config = load(overrides=["store.url=postgresql://me:hidden@h:5432/d?password=hidden"])
        for text in (documentation.effective(config), repr(config), str(config.store)):
            assert "hidden" not in text
            assert "me:***@h:5432/d" in text


@given(st.text())
def test_any_password_is_masked(password: str) -> None:
    """Whatever characters a password has, escaped or not, it is not shown."""
    masked = without_password(f"postgresql://me:hidden-{password}@h/d")
    assert masked == "postgresql://me:***@h/d"


AWKWARD = ['"a # b"', "'[x]'", '"\\" ]"', '"""m\n[no]\nx = 1"""', "'''m\n]'''"]
names = st.text("abz_-9", min_size=1, max_size=5)
toml_values = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.sampled_from(AWKWARD)),
    lambda inner: st.lists(inner, max_size=3).map(lambda each: "[\n" + ",\n".join(map(_toml, each)) + "\n]"),
    max_leaves=4,
)
pairs = st.lists(st.tuples(names, toml_values), unique_by=lambda pair: pair[0])
tables = st.lists(st.tuples(names, pairs), max_size=4, unique_by=lambda pair: pair[0])


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(tables)
def test_the_line_of_any_key_is_found(sections: list[tuple[str, list[tuple[str, object]]]]) -> None:
    """Whatever strings, comments and arrays stand around it, a key's line is the one it is written on."""
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for section, pairs in sections:
        lines.append(f"# [{section}] # comment")
        lines.append(f"[{section}]  # [x]")
        expected[(section,)] = len(lines)
        for name, value in pairs:
            expected[(section, name)] = len(lines) + 1
            lines += f"  {name} = {_toml(value)} # it's".split("\n")
    text = "\n".join(lines)
    tomllib.loads(text)
    assert key_lines(text) == expected


@given(st.text("[]\"'#={}\n a.", max_size=40))
def test_no_text_stops_the_scanner(text: str) -> None:
    """Even what tomllib would refuse ends, with lines that exist."""
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())


def test_lines_of_other_spellings() -> None:
    """Quoted keys, dotted keys and inline tables have lines as well."""
    text = '"sip".port = 1\n\n\'log\' . "level" = "x"\nhttp = { port = 1 }\n[[a]]\nb=1'
    found = key_lines(text)
    assert found[("sip", "port")] == 1
    assert found[("log", "level")] == 3
    assert found[("http",)] == 4
    assert found[("a", "b")] == 6


def test_sip_section_is_frozen() -> None:
    """A configuration is shared by everybody and changed by nobody."""
    with pytest.raises(AttributeError):
        SipSection().port = 1  # type: ignore[misc]
