"""Every key of the configuration reaches what it is for, and a reload takes up those that say so, no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.certificate import CertificateFiles
from engine.config import Config, differences, taken_up
from engine.config.keys import Key, keys
from engine.data_directory import DataDirectory
from engine.settings import LiveSettings, StartSettings

ALL_KEYS = [key for section in keys().values() for key in section.values()]
OTHER_VALUES: dict[str, Any] = {
    "sip.bind": ["192.0.2.1"],
    "sip.accept_from": ["10.0.0.0/8"],
    "sip.realm": "example.com",
    "sip.user_agent": "Another",
    "sip.tls_ca": "/etc/authorities.pem",
    "sip.digest_algorithms": ["SHA-256"],
    "media.ports": "30000-30999",
    "media.codecs": ["PCMA"],
    "media.symmetric_from": ["10.0.0.0/8"],
    "media.recordings": "/var/recordings",
    "media.plugins": ["recording_tone:RecordingTone"],
    "log.sip": "1001",
    "store.url": "postgresql://polyphony@db.example.com:6543/polyphony",
}
"""Where neither another number nor another word of a list will do."""

READ_ELSEWHERE = {
    "sip.tls_certificate": "engine.server: the certificate given to StartSettings",
    "sip.tls_key": "the same",
    "http.bind": "admin_api.service",
    "http.port": "admin_api.service",
    "http.host_names": "admin_api.service",
    "http.tls": "admin_api.service",
    "http.source_rate": "admin_api.service",
    "http.token_rate": "admin_api.service",
    "http.session_idle": "engine.server, for sessions",
    "http.session_longest": "the same",
    "http.tls_certificate": "engine.server, for admin_api.service",
    "http.tls_key": "the same",
    "log.level": "engine.logs",
    "log.format": "engine.logs",
    "log.file": "engine.logs",
    "engine.stop_timeout": "engine.server",
    "store.call_days": "engine.server",
    **{
        key.full_name: reader
        for section, reader in {
            "mail": "engine.letters.office",
            "events": "engine.events: the log's bounds, and where webhooks may lead",
            "journal": "engine.journal_cleaning",
        }.items()
        for key in ALL_KEYS
        if key.section == section
    },
}
"""Keys of parts that are not made from these settings, and who reads them; each has a test of its own there."""


def other_value(key: Key) -> Any:
    """Another value than the default that the key would accept."""
    if key.full_name in OTHER_VALUES:
        return OTHER_VALUES[key.full_name]
    if isinstance(key.default, bool):
        return not key.default
    if isinstance(key.default, int):
        return key.default + 1
    info = msgspec.inspect.type_info(key.type)
    values = getattr(getattr(info, "type", info), "values", ())
    return next(value for value in values if value != key.default)


def changed(config: Config, key: Key, value: Any) -> Config:
    section = msgspec.structs.replace(getattr(config, key.section), **{key.name: value})
    return msgspec.structs.replace(config, **{key.section: section})


def built(config: Config) -> tuple[object, object]:
    """What parts would be made of; the random functions are always the same ones."""
    directory = DataDirectory(Path("/data"))
    certificate = CertificateFiles(Path("/cert.pem"), Path("/key.pem"))
    return StartSettings.of(config, directory, certificate), LiveSettings.of(config)


@pytest.mark.parametrize(
    "key", [key for key in ALL_KEYS if key.full_name not in READ_ELSEWHERE], ids=lambda key: key.full_name
)
def test_every_key_changes_what_is_built(key: Key) -> None:
    """A key that changes nothing is read by nobody."""
    default = Config()
    other = changed(default, key, other_value(key))
    assert built(default) == built(default)
    start, live = built(default)
    other_start, other_live = built(other)
    assert (start, live) != (other_start, other_live)


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.full_name)
def test_what_reloads_is_what_says_so(key: Key) -> None:
    """Live settings follow keys that need no restart, and nothing else does; both are named to the operator."""
    default = Config()
    value = other_value(key) if key.full_name not in READ_ELSEWHERE else _any_other(key)
    other = changed(default, key, value)
    taken = taken_up(default, other)
    assert taken == (other if key.reloads else default)
    applied, later = differences(default, other)
    assert (applied, later) == (((key.full_name,), ()) if key.reloads else ((), (key.full_name,)))
    if key.full_name not in READ_ELSEWHERE:
        assert (built(other)[1] != built(default)[1]) is key.reloads


def _any_other(key: Key) -> Any:
    if isinstance(key.default, str) and key.is_text:
        try:
            return other_value(key)
        except StopIteration:
            return "/another" if key.default == "" else "192.0.2.1"
    return ["192.0.2.0/24"] if key.is_list else other_value(key)


def test_the_exceptions_are_keys() -> None:
    """A key that was renamed must not hide here."""
    assert READ_ELSEWHERE.keys() <= {key.full_name for key in ALL_KEYS}


class TestMeaning:
    """What some of them mean."""

    def start(self, **sections: dict[str, Any]) -> StartSettings:
        config = Config()
        for name, values in sections.items():
            section = msgspec.structs.replace(getattr(config, name), **values)
            config = msgspec.structs.replace(config, **{name: section})
        found = built(config)[0]
        assert isinstance(found, StartSettings)
        return found

    def test_tls_is_on_the_next_port(self) -> None:
        """And on a free one when the port is to be chosen."""
        assert self.start().endpoint.tls_port == 5061
        assert self.start(sip={"port": 0}).endpoint.tls_port == 0

    def test_the_ports_of_a_database(self) -> None:
        """So that no stream is sent there (security reference E3)."""
        assert self.start().store_ports == frozenset()
        assert self.start(store={"url": "postgresql://db/polyphony"}).store_ports == {5432}
        assert self.start(store={"url": "postgresql+psycopg://u:p@[::1]:9/x"}).store_ports == {9}

    def test_recordings_are_in_the_data_directory_or_where_it_says(self) -> None:
        """An absolute path by then: the configuration has made it so."""
        assert self.start().recordings == Path("/data/recordings")
        assert self.start(media={"recordings": "/var/r"}).recordings == Path("/var/r")

    def test_codecs_are_in_their_order_with_digits_last(self) -> None:
        """telephone-event goes with any of them."""
        config = changed(Config(), keys()["media"]["codecs"], ["PCMA", "PCMU"])
        names = [codec.name for codec in LiveSettings.of(config).codecs]
        assert names == ["PCMA", "PCMU", "telephone-event"]

    def test_settings_show_no_secret(self) -> None:
        """The database's password is in none of them."""
        start = self.start(store={"url": "postgresql://u:hush@db/polyphony"})
        assert "hush" not in repr(replace(start))
