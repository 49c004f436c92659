"""``polyphony links``: declare the PBXs we register on, or that call us."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.administration import (
    data_option,
    json_option,
    opened_store,
    password_option,
    read_password,
    saved,
    show_running,
    srtp_option,
    store_options,
)
from engine.language import of_environment, say
from engine.store import DTMF_MODES, DtmfMode, Link
from engine.store.records import SrtpMode

COLUMNS = ("name", "address", "transport", "state", "since", "automates", "registered", "last_error")


@click.group(invoke_without_command=True, help=say("cli.links", of_environment()))
@data_option
@json_option
@click.pass_context
def links(context: click.Context, data: Path, as_json: bool) -> None:
    """Without a command: the links of the running engine and their state."""
    if context.invoked_subcommand is None:
        show_running(data, "status/links", COLUMNS, as_json=as_json)


@links.command(help=say("links.add", of_environment()))
@click.argument("name")
@store_options
@click.option("--host", required=True, help="Its name or address.")
@click.option("--port", type=int, help="Its port; without one it is looked up (RFC 3263).")
@click.option("--transport", type=click.Choice(["udp", "tcp", "tls"]), default="udp", show_default=True)
@click.option("--type", "pbx_type", default="generic", show_default=True, help="What kind of PBX it is.")
@click.option("--realm", help="The only realm whose challenges are answered; without one, the host.")
@click.option("--user", "username", help="User name for digest; without one, each automate's number.")
@password_option
@click.option("--register/--no-register", default=True, help="Whether its automates register on it.")
@click.option("--route", "routes", multiple=True, help="Prefix our lines may dial over it; repeatable.")
@click.option("--nat", is_flag=True, help="It is behind address translation: learn its media source once.")
@click.option(
    "--dtmf",
    type=click.Choice(DTMF_MODES),
    default="auto",
    show_default=True,
    help="How digits travel on it.",
)
@srtp_option
@click.option(
    "--symmetric", is_flag=True, help="It sends media from the address its SDP names: its calls share a port."
)
@click.option("--rate-limit", type=int, help="Requests per second accepted from it.")
def add(
    name: str,
    data: Path,
    file: Path | None,
    overrides: tuple[str, ...],
    host: str,
    port: int | None,
    transport: str,
    pbx_type: str,
    realm: str | None,
    username: str | None,
    password_file: Path | None,
    register: bool,
    routes: tuple[str, ...],
    nat: bool,
    dtmf: DtmfMode,
    srtp: SrtpMode | None,
    symmetric: bool,
    rate_limit: int | None,
) -> None:
    """Declare the link NAME."""
    password = read_password(password_file) if password_file is not None else None
    link = Link(
        name=name,
        host=host,
        port=port,
        transport=transport,
        pbx_type=pbx_type,
        realm=realm,
        username=username,
        password=password,
        register=register,
        rate_limit=rate_limit,
        nat=nat,
        dtmf=dtmf,
        srtp=srtp,
        symmetric=symmetric,
        dialled_prefixes=" ".join(routes),
    )
    with opened_store(data, file, overrides) as (store, _):
        store.links.add(link)
    saved(data, say("links.added", of_environment(), name=name))


@links.command(help=say("links.remove", of_environment()))
@click.argument("name")
@store_options
def remove(name: str, data: Path, file: Path | None, overrides: tuple[str, ...]) -> None:
    """Forget the link NAME; refused while automates use it."""
    with opened_store(data, file, overrides) as (store, _):
        store.links.remove(name)
    saved(data, say("links.removed", of_environment(), name=name))
