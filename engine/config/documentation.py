"""The configuration in words: ``polyphony config show``, with and without ``--docs``."""

from __future__ import annotations

import json
import textwrap

from engine.config.keys import Key, keys
from engine.config.sections import SECTIONS, Config, values, without_password

WIDTH = 100


def as_text() -> str:
    """Every key with its meaning, unit, check and default, for reading."""
    lines: list[str] = []
    for section, declared in keys().items():
        lines += [f"[{section}]  {SECTIONS[section].__doc__}", ""]
        for key in declared.values():
            lines.append(f"  {key.full_name} = {toml_value(key.default)}")
            lines += textwrap.wrap(_sentence(key), WIDTH, initial_indent="      ", subsequent_indent="      ")
        lines.append("")
    return "\n".join(lines)


def as_toml() -> str:
    """A complete configuration file: every key, commented out at its default."""
    lines = ["# Polyphony. Every key at its default; remove the # of a line to change it.", ""]
    for section, declared in keys().items():
        lines += [f"# {SECTIONS[section].__doc__}", f"[{section}]", ""]
        for key in declared.values():
            lines += textwrap.wrap(_sentence(key), WIDTH, initial_indent="# ", subsequent_indent="# ")
            lines += [f"#{key.name} = {toml_value(key.default)}", ""]
    return "\n".join(lines)


def effective(config: Config) -> str:
    """The values in force as TOML, passwords left out."""
    lines: list[str] = []
    for section in SECTIONS:
        lines.append(f"[{section}]")
        for name, value in values(getattr(config, section)):
            shown = without_password(str(value)) if (section, name) == ("store", "url") else value
            lines.append(f"{name} = {toml_value(shown)}")
        lines.append("")
    return "\n".join(lines)


def toml_value(value: object) -> str:
    """``value`` as TOML writes it; JSON strings, lists, numbers and booleans are TOML as well."""
    return json.dumps(value, ensure_ascii=False)


def _sentence(key: Key) -> str:
    unit = f", in {key.unit}" if key.unit else ""
    example = f" For example {key.example}." if key.example else ""
    change = "A change takes effect on reload." if key.reloads else "A change needs a restart."
    return f"{key.description} Expected: {key.expected}{unit}.{example} {change}"
