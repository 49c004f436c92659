"""Reading the configuration: one TOML file, then the ``--set`` overrides, all checked the same way."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from engine.config.checks import PATHS, obeys
from engine.config.errors import ConfigError
from engine.config.keys import Key, keys
from engine.config.lines import key_lines
from engine.config.sections import SECTIONS, Config

OVERRIDE = "--set"
_AT_LINE = re.compile(r"\(at line (\d+)")


def load(file: str | Path | None = None, overrides: Iterable[str] = ()) -> Config:
    """Read ``file`` (none: defaults only) and apply ``section.key=value`` overrides.

    Raises ConfigError for the first thing wrong; ``problems`` tells all of them.
    """
    reader = _Reader()
    reader.read(file, overrides)
    if reader.errors:
        raise reader.errors[0]
    return reader.config()


def problems(file: str | Path | None = None, overrides: Iterable[str] = ()) -> list[ConfigError]:
    """Everything that is wrong with ``file`` and the overrides, in the order of the file."""
    reader = _Reader()
    reader.read(file, overrides)
    return reader.errors


class _Reader:
    """One reading of the configuration: the values so far, where each came from, and what is wrong."""

    def __init__(self) -> None:
        self.errors: list[ConfigError] = []
        self._values: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
        self._origin: dict[str, tuple[str, int]] = {}

    def read(self, file: str | Path | None, overrides: Iterable[str]) -> None:
        if file is not None:
            self._read_file(Path(file))
        for override in overrides:
            self._read_override(override)
        if not self.errors:
            self._check_pairs(self.config())
        self.errors.sort(key=lambda error: (error.file == OVERRIDE, error.line))

    def config(self) -> Config:
        sections = {name: struct(**self._values[name]) for name, struct in SECTIONS.items()}
        return Config(**sections)  # type: ignore[arg-type]  # the table pairs each name with its own struct

    def _fail(self, file: str, line: int, key: str, expected: str) -> None:
        self.errors.append(ConfigError(file, line, key, expected))

    def _read_file(self, path: Path) -> None:
        file = str(path)
        try:
            text = path.read_text("utf-8")
            tree = tomllib.loads(text)
        except OSError as error:
            return self._fail(file, 0, "", f"expected a file that can be read: {error.strerror}")
        except UnicodeDecodeError as error:
            line = path.read_bytes().count(b"\n", 0, error.start) + 1
            return self._fail(file, line, "", "expected UTF-8 text")
        except tomllib.TOMLDecodeError as error:
            at = _AT_LINE.search(str(error))
            line = int(at[1]) if at else text.count("\n") + 1
            return self._fail(file, line, "", f"expected TOML: {str(error).partition(' (at ')[0]}")
        return self._take_tree(file, tree, key_lines(text), path.absolute().parent)

    def _take_tree(
        self, file: str, tree: Mapping[str, object], lines: Mapping[tuple[str, ...], int], folder: Path
    ) -> None:
        known = keys()
        for section, content in tree.items():
            line = lines.get((section,), 0)
            if section not in known:
                self._fail(file, line, section, "no such section" + _nearest(section, known))
            elif not isinstance(content, dict):
                self._fail(file, line, section, f"expected a section [{section}], not a value")
            else:
                for name, value in content.items():
                    self._take(file, lines.get((section, name), line), section, name, value, folder)

    def _read_override(self, override: str) -> None:
        full_name, equals, text = override.partition("=")
        section, dot, name = full_name.strip().partition(".")
        if not equals or not dot:
            return self._fail(OVERRIDE, 0, override, "expected section.key=value")
        if section not in keys():
            return self._fail(OVERRIDE, 0, full_name, "no such section" + _nearest(section, keys()))
        key = keys()[section].get(name)
        value = text if key is None else _from_command_line(key, text.strip())
        return self._take(OVERRIDE, 0, section, name, value, Path.cwd())

    def _take(self, file: str, line: int, section: str, name: str, value: object, folder: Path) -> None:
        key = keys()[section].get(name)
        if key is None:
            nearest = _nearest(name, keys()[section], prefix=f"{section}.")
            return self._fail(file, line, f"{section}.{name}", "no such key" + nearest)
        try:
            converted = msgspec.convert(value, key.type)
        except msgspec.ValidationError:
            return self._fail(file, line, key.full_name, _refusal(key, value))
        if key.rule_name in PATHS and isinstance(converted, str) and converted and "\0" not in converted:
            converted = str(folder / converted)
        if key.rule is not None and not obeys(key.rule, converted):
            return self._fail(file, line, key.full_name, _refusal(key, value))
        self._values[section][name] = converted
        self._origin[key.full_name] = (file, line)
        return None

    def _check_pairs(self, config: Config) -> None:
        """Rules that concern two keys; told at whichever of the two was set."""
        self._both("sip", bool(config.sip.tls_certificate), bool(config.sip.tls_key))
        self._both("http", bool(config.http.tls_certificate), bool(config.http.tls_key))
        for section, low, high in (
            ("sip", "session_min", "session_expires"),
            ("sip", "registrar_min_expires", "registrar_max_expires"),
            ("limits", "connections_per_source", "connections"),
            ("limits", "guess_block", "guess_block_max"),
        ):
            values = getattr(config, section)
            if getattr(values, low) > getattr(values, high):
                self._fail_at(f"{section}.{low}", f"{section}.{high}", "expected at most the value of")

    def _both(self, section: str, certificate: bool, private_key: bool) -> None:
        if certificate and not private_key:
            self._fail_at(f"{section}.tls_certificate", f"{section}.tls_key", "expected together with")
        if private_key and not certificate:
            self._fail_at(f"{section}.tls_key", f"{section}.tls_certificate", "expected together with")

    def _fail_at(self, first: str, second: str, words: str) -> None:
        file, line = self._origin.get(first) or self._origin[second]
        self._fail(file, line, first, f"{words} {second}")


def _from_command_line(key: Key, text: str) -> object:
    """The value of a ``--set``: as TOML writes it, or bare text where a string or a list is due."""
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if key.is_text and not isinstance(value, str):
        return text
    if key.is_list and not isinstance(value, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return value


def _refusal(key: Key, value: object) -> str:
    # Text is not repeated: it may be long, and store.url holds a password.
    found = f", not {value}" if isinstance(value, int | float) else ""
    unit = f" ({key.unit})" if key.unit else ""
    return f"expected {key.expected}{unit}{found}"


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; nearest is {prefix}{close[0]}" if close else ""
