"""``polyphony companies|domains|users|groups|memberships list|show|add|set|remove``: the same commands for every noun.

Their options are the noun's own fields and filters. What cannot be told apart from a value is said by ``--clear``:
that a field is to have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import click
import msgspec

from engine.administration.administrators import Administrators
from engine.administration.api_tokens import ApiTokens
from engine.administration.authentication_methods import AuthenticationMethods
from engine.administration.companies import Companies
from engine.administration.dial_rules import DialRules
from engine.administration.domains import Domains
from engine.administration.groups import Groups
from engine.administration.memberships import Memberships
from engine.administration.noun import Noun
from engine.administration.user_imports import UserImports
from engine.administration.users import Users
from engine.cli.administration import json_option, read_password, show, store_options
from engine.cli.noun_office import Shown, opened_office
from engine.cli.user_import import import_users
from engine.language import of_environment, say

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "companies": ("uid", "name", "culture", "enabled"),
    "domains": ("uid", "name", "sip_domain", "culture", "company"),
    "users": ("uid", "login", "last_name", "first_name", "email", "enabled"),
    "groups": ("uid", "name", "description", "members"),
    "administrators": ("uid", "name", "role", "enabled", "has_second_factor"),
    "api-tokens": ("uid", "name", "administrator", "scopes", "expires_at"),
    "login-methods": ("uid", "position", "kind", "host", "domain", "group", "user"),
    "dial-rules": ("uid", "direction", "priority", "pattern", "result", "enabled", "note"),
    "memberships": ("uid", "group", "member"),
    "user-imports": ("uid", "name", "kind", "host", "mode", "schedule", "enabled"),
    "lines": ("uid", "number", "display_name", "protocol", "enabled", "user"),
}
"""What a table shows of each; JSON has everything."""
Command = Callable[..., Any]


def group_of(noun: type[Noun[Any]]) -> click.Group:
    """The commands of one noun."""
    group = click.Group(noun.name, help=say(f"cli.{noun.name}", of_environment()))
    for made in (
        list_command(noun),
        show_command(noun),
        add_command(noun),
        set_command(noun),
        remove_command(noun),
    ):
        group.add_command(made)
    return group


def list_command(noun: type[Noun[Any]]) -> click.Command:
    """The command that lists them, page by page."""

    def run(
        data: Path,
        file: Path | None,
        overrides: tuple[str, ...],
        as_json: bool,
        count: int | None,
        **given: Any,
    ) -> None:
        wanted = {name: value for name, value in given.items() if value is not None}
        found: list[Shown] = []
        with opened_office(data, file, overrides, noun.name) as office:
            cursor = None
            while count is None or len(found) < count:
                items, cursor = office.page(wanted, cursor)
                found += items
                if cursor is None:
                    break
        show([_flat(each, as_json) for each in found[:count]], COLUMNS[noun.name], as_json=as_json)

    options = [click.Option([_spelling(name)], help=kind.description) for name, kind in noun.filters.items()]
    if noun.search:
        options.append(click.Option(["-q", "q"], metavar="WORDS", help=say("nouns.search", of_environment())))
    orders = [*noun.orders, *(f"-{name}" for name in noun.orders)]
    options.append(click.Option(["--order"], type=click.Choice(orders)))
    options.append(
        click.Option(["--count"], type=click.IntRange(min=1), help=say("nouns.count", of_environment()))
    )
    return command_of("list", store_options(json_option(run)), options)


def show_command(noun: type[Noun[Any]]) -> click.Command:
    """The command that shows one."""

    def run(data: Path, file: Path | None, overrides: tuple[str, ...], as_json: bool, uid: str) -> None:
        with opened_office(data, file, overrides, noun.name) as office:
            _print(office.get(uid), as_json)

    return command_of("show", store_options(json_option(run)), [click.Argument(["uid"])])


def add_command(noun: type[Noun[Any]]) -> click.Command:
    """The command that adds one."""

    def run(data: Path, file: Path | None, overrides: tuple[str, ...], as_json: bool, **given: Any) -> None:
        with opened_office(data, file, overrides, noun.name) as office:
            _print(office.add(given_fields(noun, given)), as_json)

    return command_of("add", store_options(json_option(run)), field_options(noun, needed=True))


def set_command(noun: type[Noun[Any]]) -> click.Command:
    """The command that changes one."""

    def run(
        data: Path,
        file: Path | None,
        overrides: tuple[str, ...],
        as_json: bool,
        uid: str,
        clear: tuple[str, ...],
        **given: Any,
    ) -> None:
        fields = {**given_fields(noun, given), **dict.fromkeys(clear)}
        with opened_office(data, file, overrides, noun.name) as office:
            _print(office.change(uid, fields), as_json)

    names = [each.name for each in msgspec.structs.fields(noun.draft)]
    clear = click.Option(
        ["--clear"], multiple=True, type=click.Choice(names), help=say("nouns.clear", of_environment())
    )
    options = [click.Argument(["uid"]), *field_options(noun, needed=False), clear]
    return command_of("set", store_options(json_option(run)), options)


def remove_command(noun: type[Noun[Any]]) -> click.Command:
    """The command that removes one."""

    def run(data: Path, file: Path | None, overrides: tuple[str, ...], uid: str) -> None:
        with opened_office(data, file, overrides, noun.name) as office:
            office.remove(uid)
        click.echo(say("nouns.removed", of_environment(), uid=uid))

    return command_of("remove", store_options(run), [click.Argument(["uid"])])


def command_of(name: str, run: Command, parameters: list[Any], text: str = "") -> click.Command:
    """A command: ``parameters``, then those the decorators of ``run`` bring. text: the key of its help."""
    made = click.command(name, help=say(text or f"nouns.{name}", of_environment()))(run)
    made.params = [*parameters, *made.params]
    return made


def _spelling(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def field_options(noun: type[Noun[Any]], *, needed: bool) -> list[click.Parameter]:
    """An option for each field of a draft; a secret is read from a file, since command lines are for all to see."""
    secrets: frozenset[str] = getattr(noun, "secrets", frozenset())
    options: list[click.Parameter] = []
    for each in msgspec.structs.fields(noun.draft):
        description = _description(each.type)
        if each.name in secrets:
            path = click.Path(path_type=Path, exists=True, dir_okay=False)
            spelled = [f"{_spelling(each.name)}-file", each.name]
            options.append(click.Option(spelled, type=path, help=description))
        else:
            options.append(
                click.Option(
                    [_spelling(each.name), each.name], required=needed and each.required, help=description
                )
            )
    return options


def _description(kind: Any) -> str:
    """What the API's description says of a field."""
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            return meta.description
    return next((text for each in getattr(kind, "__args__", ()) if (text := _description(each))), "")


def given_fields(noun: type[Noun[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were said, each read as its type has it; raises click's exceptions."""
    fields = {}
    for each in msgspec.structs.fields(noun.draft):
        value = given.get(each.name)
        if value is None:
            continue
        if isinstance(value, Path):
            value = read_password(value)
        try:
            read = _pairs(value, each.name) if _is_mapping(each.type) else _read(value, each.type)
            fields[each.name] = msgspec.to_builtins(read)
        except msgspec.ValidationError as error:
            raise click.BadParameter(str(error), param_hint=_spelling(each.name)) from None
    return fields


def _read(value: str, kind: Any) -> object:
    """What the text of an option means; several values of a list are divided by commas. Raises ValidationError."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        try:
            return msgspec.convert(value.split(","), kind, strict=False)
        except msgspec.ValidationError:
            raise error from None


def _is_mapping(kind: Any) -> bool:
    """Whether a field holds names with a value each."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(plain) is dict


def _pairs(text: str, field: str) -> dict[str, str]:
    """``login=uid,email=mail`` as what it says."""
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise click.BadParameter("NAME=VALUE,NAME=VALUE...", param_hint=_spelling(field))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _flat(view: Shown, as_json: bool) -> Shown:
    """A row of a table: nothing where there is no value, signs for yes and no."""
    if as_json:
        return view
    language = of_environment()
    words = {None: "", True: say("nouns.yes", language), False: say("nouns.no", language)}
    return {
        name: words[value] if value is None or isinstance(value, bool) else value
        for name, value in view.items()
    }


def _print(view: Shown, as_json: bool) -> None:
    """One thing: its fields, as options are called by them."""
    if as_json:
        click.echo(msgspec.json.encode(view).decode())
        return
    width = max(map(len, view))
    for name, value in _flat(view, as_json=False).items():
        if isinstance(value, dict):
            value = [f"{key}={each}" for key, each in value.items()]
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        click.echo(
            f"{name.ljust(width)}  {''.join(each if each.isprintable() else ' ' for each in text)}".rstrip()
        )


@click.command("remove-second-factor", help=say("nouns.remove_second_factor", of_environment()))
@click.argument("uid")
@store_options
def remove_second_factor(data: Path, file: Path | None, overrides: tuple[str, ...], uid: str) -> None:
    """Ask an administrator who has lost what makes her codes for none any more."""
    with opened_office(data, file, overrides, Administrators.name) as office:
        office.act("DELETE", uid, "second-factor")
    click.echo(say("nouns.second_factor_removed", of_environment(), uid=uid))


administrators = group_of(Administrators)
administrators.add_command(remove_second_factor)
api_tokens = group_of(ApiTokens)
login_methods = group_of(AuthenticationMethods)
companies = group_of(Companies)
domains = group_of(Domains)
users = group_of(Users)
users.add_command(import_users)
user_imports = group_of(UserImports)
groups = group_of(Groups)
memberships = group_of(Memberships)
dial_rules = group_of(DialRules)
