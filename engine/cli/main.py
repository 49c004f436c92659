"""``polyphony``: the group of commands, each loaded only when it is called.

So ``polyphony config check`` needs neither Twisted nor numpy, and only ``serve`` decides which reactor
is installed.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version

import click

from engine.language import of_environment, say

# Command -> "module:attribute" of its click command. The help line is the text "cli.<command>".
COMMANDS: dict[str, str] = {
    "serve": "engine.cli.serve:serve",
    "config": "engine.cli.config:config",
    "companies": "engine.cli.nouns:companies",
    "domains": "engine.cli.nouns:domains",
    "users": "engine.cli.nouns:users",
    "groups": "engine.cli.nouns:groups",
    "memberships": "engine.cli.nouns:memberships",
    "login-methods": "engine.cli.nouns:login_methods",
    "administrators": "engine.cli.nouns:administrators",
    "api-tokens": "engine.cli.nouns:api_tokens",
    "dialplan": "engine.cli.dialplan:dialplan",
    "dial-rules": "engine.cli.nouns:dial_rules",
    "user-imports": "engine.cli.nouns:user_imports",
    "automates": "engine.cli.automates:automates",
    "links": "engine.cli.links:links",
    "lines": "engine.cli.lines:lines",
    "conferences": "engine.cli.conferences:conferences",
    "mail": "engine.cli.mail:mail",
    "prompts": "engine.cli.prompts:prompts",
    "calls": "engine.cli.calls:calls",
    "recordings": "engine.cli.recordings:recordings",
    "doctor": "engine.cli.doctor:doctor",
    "softphone": "engine.cli.softphone:softphone",
    "bench": "engine.cli.bench:bench",
    "plan": "engine.cli.plan:plan",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None is click's word for "no such command"."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the catalogue of texts, so that help imports none of them."""
        language = of_environment()
        rows = [(name, say(f"cli.{name}", language)) for name in COMMANDS]
        with formatter.section("Commandes" if language == "fr" else "Commands"):
            formatter.write_dl(rows)


@click.command(
    cls=LazyGroup,
    help=say("cli.main", of_environment()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("polyphony"), prog_name="polyphony")
def main() -> None:
    """Polyphony; the text of ``--help`` comes from the catalogue."""
