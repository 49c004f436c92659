"""Every key of the configuration file: its type, unit, default and check, one struct a section.

What stands here is all there is: the loader, ``polyphony config show --docs`` and the reload read
their rules from these annotations. A path is relative to the file that names it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engine.config.annotation import key
from engine.config.conference_section import ConferenceSection
from engine.config.events_section import EventsSection
from engine.config.journal_section import JournalSection
from engine.config.mail_section import MailSection
from engine.config.media_section import MediaSection
from engine.config.signalling_sections import LimitsSection, SipSection

_PASSWORD = re.compile(r"^([^:]*://[^:/@]*):.*@", re.DOTALL)


class HttpSection(msgspec.Struct, frozen=True, kw_only=True):
    """The REST API and the console."""

    bind: Annotated[
        str,
        key(
            "Address to listen on. A loopback address is served in plain HTTP, any other over TLS only.",
            check="address",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, key("TCP port. 0 lets the system choose a free one.", low=0, high=65_535)] = 8080
    host_names: Annotated[
        list[str],
        key(
            "Names accepted in the Host header, besides the address bound and localhost.",
            check="names",
            example='["pbx.example.com"]',
        ),
    ] = msgspec.field(default_factory=list)
    tls_certificate: Annotated[
        str,
        key(
            "PEM file of the certificate chain. Empty: the one of sip.tls_certificate.",
            check="file",
            example="/etc/ssl/polyphony/chain.pem",
        ),
    ] = ""
    tls_key: Annotated[
        str,
        key("PEM file of the certificate's private key.", check="file", example="/etc/ssl/polyphony/key.pem"),
    ] = ""

    tls: Annotated[
        Literal["network", "always"],
        key("Where the API is served over TLS: on every address but loopback ones, or on those, too."),
    ] = "network"
    source_rate: Annotated[
        int,
        key(
            "Requests a source may make, twice as many at once. 0: any number.",
            unit="requests/s",
            low=0,
            high=100_000,
        ),
    ] = 500
    token_rate: Annotated[
        int,
        key("The same for each API token, wherever from.", unit="requests/s", low=0, high=100_000),
    ] = 300
    session_idle: Annotated[
        int,
        key("How long a session lasts without a request.", unit="seconds", low=60, high=604_800),
    ] = 3600
    session_longest: Annotated[
        int,
        key(
            "How long a session lasts in all; then its password is asked for.",
            unit="seconds",
            low=60,
            high=2_592_000,
        ),
    ] = 43_200

    @property
    def secure(self) -> bool:
        """Whether the API is served over TLS: everywhere but on loopback, and there where it is asked for."""
        return self.tls == "always" or not ipaddress.ip_address(self.bind).is_loopback


class LogSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged, how and where."""

    level: Annotated[
        Literal["debug", "info", "warn", "error"],
        key("Least severe level logged.", reloads=True),
    ] = "info"
    sip: Annotated[
        str,
        key(
            "SIP messages logged, passwords' proofs, keys and digits masked: all, or those that name a number."
            " Empty: none.",
            check="trace",
            reloads=True,
            example="1001",
        ),
    ] = ""
    format: Annotated[Literal["text", "json"], key("A line of text, or one JSON object a line.")] = "text"
    file: Annotated[
        str, key("File to append to. Empty: standard error.", check="path", example="/var/log/polyphony.log")
    ] = ""


class StoreSection(msgspec.Struct, frozen=True, kw_only=True):
    """The database."""

    url: Annotated[
        str,
        key(
            "SQLAlchemy URL of SQLite or PostgreSQL. Empty: store.sqlite3 in the data directory.",
            check="store_url",
            example="postgresql+psycopg://polyphony:secret@db.example.com/polyphony",
        ),
    ] = ""

    call_days: Annotated[
        int,
        key("How long calls and conferences that are over are kept.", unit="days", low=1, high=3650),
    ] = 90

    def url_in(self, data: Path) -> str:
        """The URL to open; ``data`` is the data directory."""
        return self.url or f"sqlite:///{data.absolute() / 'store.sqlite3'}"

    def __repr__(self) -> str:
        """Show the URL without its password (security reference G6)."""
        return f"StoreSection(url={without_password(self.url)!r}, call_days={self.call_days})"


class EngineSection(msgspec.Struct, frozen=True, kw_only=True):
    """The process itself."""

    language: Annotated[
        Literal["en", "fr"],
        key("Language of the announcements and of the texts shown to users.", reloads=True),
    ] = "en"
    stop_timeout: Annotated[
        int,
        key(
            "How long calls may take to say goodbye when the process is stopped.",
            unit="seconds",
            low=1,
            high=60,
            reloads=True,
        ),
    ] = 4


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration; every section exists, with defaults for what the file leaves out."""

    sip: SipSection = SipSection()
    limits: LimitsSection = LimitsSection()
    media: MediaSection = MediaSection()
    conference: ConferenceSection = ConferenceSection()
    http: HttpSection = HttpSection()
    log: LogSection = LogSection()
    store: StoreSection = StoreSection()
    mail: MailSection = MailSection()
    events: EventsSection = EventsSection()
    journal: JournalSection = JournalSection()
    engine: EngineSection = EngineSection()


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "sip": SipSection,
    "limits": LimitsSection,
    "conference": ConferenceSection,
    "media": MediaSection,
    "http": HttpSection,
    "log": LogSection,
    "store": StoreSection,
    "mail": MailSection,
    "events": EventsSection,
    "journal": JournalSection,
    "engine": EngineSection,
}


def without_password(url: str) -> str:
    """``url`` with three asterisks for its password, and without its query, which may hold one too."""
    return _PASSWORD.sub(r"\1:***@", url).partition("?")[0]


def values(section: msgspec.Struct) -> Sequence[tuple[str, object]]:
    """The section's (key, value) pairs in the order they are documented."""
    return [(name, getattr(section, name)) for name in section.__struct_fields__]
