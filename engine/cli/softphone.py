"""``polyphony softphone``: a telephone on the command line, on pjsua2 (extra ``softphone``)."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from pathlib import Path
from typing import Literal

import click

from engine.language import LANGUAGES, Language, of_environment
from engine.language import say as main_say
from engine.softphone.probe import local_address
from engine.softphone.settings import PhoneSettings, SoftphoneError, TransportName
from engine.softphone.terminal import Terminal, Wishes
from engine.softphone.texts import say

URI = re.compile(r"(?i)sips?:(?:[^@\s]+@)?(?P<place>(?:\[[0-9a-f:.]+\]|[^\s:;?@\[\]]+)(?::\d+)?)(?:[;?]\S*)?")
TRANSPORTS = ("udp", "tcp", "tls")


@click.command(help=main_say("cli.softphone", of_environment()))
@click.argument("uri", required=False, default="")
@click.option("--user", default="", help="Register, and answer challenges, as this user.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File whose first line is the user's password.",
)
@click.option(
    "--registrar", default="", help="SIP URI to register with; without one, the host that is called."
)
@click.option("--transport", type=click.Choice(TRANSPORTS), help="Without it, the URI's, or UDP.")
@click.option(
    "--ca", type=click.Path(exists=True, dir_okay=False), help="Check the TLS server against this file."
)
@click.option("--local", default="", help="Local address to bind.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Local port; 0: a free one.")
@click.option(
    "--play", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Sound to send, looped."
)
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="WAV file for what is heard.")
@click.option("--device", is_flag=True, help="Use the microphone and loudspeaker.")
@click.option("--answer", is_flag=True, help="Answer calls at once.")
@click.option("--digits", default="", help="Digits to send once connected.")
@click.option(
    "--dtmf", type=click.Choice(["rfc4733", "info"]), default="rfc4733", help="How digits are sent."
)
@click.option("--seconds", type=click.FloatRange(min=0), help="No keys; hang up after so long.")
@click.option("--log", default="", type=click.Path(dir_okay=False), help="File for every SIP message.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Without it, the environment's.")
def softphone(
    uri: str,
    user: str,
    password_file: Path | None,
    registrar: str,
    transport: TransportName | None,
    ca: str | None,
    local: str,
    port: int,
    play: Path | None,
    record: Path | None,
    device: bool,
    answer: bool,
    digits: str,
    dtmf: Literal["rfc4733", "info"],
    seconds: float | None,
    log: str,
    language: Language | None,
) -> None:
    """Call URI, or wait for calls; help comes from the catalogue of texts."""
    language = language or of_environment()
    if importlib.util.find_spec("pjsua2") is None:
        raise click.ClickException(say("softphone.missing", language))
    if not uri and not answer and not user:
        raise click.UsageError(say("softphone.nobody", language))
    chosen = transport or _transport_of(uri or registrar)
    if user and not registrar:
        registrar = f"sip:{_address(uri, language)};transport={chosen}"
    settings = PhoneSettings(
        uri=f"sip:{user}@{_address(registrar, language)}" if user else "",
        registrar=registrar,
        user=user,
        password="" if password_file is None else password_file.read_text("utf-8").partition("\n")[0],
        transport=chosen,
        host=local or _local_address(uri or registrar, language),
        port=port,
        ca_file=ca or "",
        device=device,
        log_file=log,
    )
    if uri:
        _address(uri, language)  # refuses what is no URI
        uri = uri if chosen == "udp" or ";transport=" in uri.lower() else f"{uri};transport={chosen}"
    with tempfile.TemporaryDirectory() as folder:
        wishes = Wishes(
            target=uri,
            play="" if play is None else _as_wav(play, Path(folder) / "play.wav", language),
            record=str(record or ""),
            answer=answer,
            seconds=seconds,
            digits=digits,
            method=dtmf,
        )
        talked = _run(settings, wishes, language)
    sys.exit(0 if talked else 1)


def _run(settings: PhoneSettings, wishes: Wishes, language: Language) -> bool:
    """Start the phone, register if asked, and let the terminal have it."""
    try:
        from engine.softphone.phone import Softphone
    except ImportError as error:  # found, but it does not load on this machine
        raise click.ClickException(f"{say('softphone.missing', language)} ({error})") from error
    phone = Softphone(settings)
    try:
        phone.start()
    except SoftphoneError as error:
        raise click.ClickException(say("softphone.cannot_start", language, reason=error)) from error
    try:
        click.echo(say("softphone.listening", language, address=phone.address))
        if settings.registrar:
            phone.register()
            click.echo(say("softphone.registered", language, uri=settings.uri))
        return Terminal(phone, wishes, language).run()
    except SoftphoneError as error:
        key = "refused" if phone.registered or not settings.registrar else "not_registered"
        raise click.ClickException(say(f"softphone.{key}", language, reason=error)) from error
    except KeyboardInterrupt:
        return False
    finally:
        phone.close()


def _transport_of(uri: str) -> TransportName:
    lower = uri.lower()
    if lower.startswith("sips:") or ";transport=tls" in lower:
        return "tls"
    return "tcp" if ";transport=tcp" in lower else "udp"


def _address(uri: str, language: Language) -> str:
    """``host:port`` of a SIP URI; anything else is refused."""
    match = URI.fullmatch(uri)
    if match is None:
        raise click.ClickException(say("softphone.bad_uri", language, uri=uri))
    return match["place"]


def _local_address(uri: str, language: Language) -> str:
    """Where our packets to that URI leave from; every address when nobody is called."""
    if not uri:
        return ""
    host, _, port = _address(uri, language).rpartition(":")
    if not port.isdecimal():  # "host" or "[::1]" without a port
        host, port = f"{host}:{port}".strip(":"), "5060"
    return local_address(host.strip("[]"), int(port))


def _as_wav(path: Path, wav: Path, language: Language) -> str:
    """A copy the phone can play: it reads 16-bit WAV only."""
    from engine.softphone.listening import load, save

    try:
        save(wav, load(path))
    except (OSError, RuntimeError) as error:
        raise click.ClickException(say("softphone.bad_sound", language, path=path, reason=error)) from error
    return str(wav)
