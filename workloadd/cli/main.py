"""The command tree. Verbs are imported when they are called, so that each starts fast."""

import os
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from workloadd.cli import codes
from workloadd.spec.text import did_you_mean

# Verb to module and attribute.
_VERBS = {
    "apply": ("workloadd.cli.apply", "apply"),
    "diff": ("workloadd.cli.diff", "diff"),
    "completion": ("workloadd.cli.completion", "completion"),
    "doctor": ("workloadd.cli.doctor", "doctor"),
    "events": ("workloadd.cli.events", "events"),
    "exec": ("workloadd.cli.exec", "exec_"),
    "explain": ("workloadd.cli.explain", "explain"),
    "history": ("workloadd.cli.status", "history"),
    "images": ("workloadd.cli.images", "images"),
    "inspect": ("workloadd.cli.inspect", "inspect"),
    "logs": ("workloadd.cli.logs", "logs"),
    "pause": ("workloadd.cli.hands", "pause"),
    "restart": ("workloadd.cli.hands", "restart"),
    "resume": ("workloadd.cli.hands", "resume"),
    "rollback": ("workloadd.cli.hands", "rollback"),
    "outdated": ("workloadd.cli.update", "outdated"),
    "run": ("workloadd.cli.run", "run"),
    "prune": ("workloadd.cli.prune", "prune"),
    "plan": ("workloadd.cli.plan", "plan"),
    "schema": ("workloadd.cli.schema", "schema"),
    "start": ("workloadd.cli.hands", "start"),
    "status": ("workloadd.cli.status", "status"),
    "stop": ("workloadd.cli.hands", "stop"),
    "top": ("workloadd.cli.top", "top"),
    "update": ("workloadd.cli.update", "update"),
    "validate": ("workloadd.cli.validate", "validate"),
    "wait": ("workloadd.cli.wait", "wait"),
}

_EXAMPLES = """\b
Examples:
  workloadctl explain ports                  what may be written there?
  workloadctl validate web.yaml              is this file right?
  workloadctl plan web.yaml                  what would it change on this host?
  sudo workloadctl apply -f web.yaml --wait  then do so, and tell how it goes
  workloadctl status                         how is everything?
  workloadctl doctor                         what is wrong, and what to do about it?
  workloadctl status web                     and this one, in detail?
  workloadctl top                            what does each of them use?
  workloadctl rollback web --reason "slow"   back to what served before

\b
Exit status: 0 all is well, 1 it is not, 2 the call is wrong; each command says its own.
"""


class _Verbs(click.Group):
    """Finds a verb's module by its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module, attribute = _VERBS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Ctrl-C ends a command, and is nothing to complain about."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("", err=True)
            ctx.exit(codes.INTERRUPTED)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs without what they do: their modules need not be imported."""
        verbs = [CompletionItem(verb) for verb in sorted(_VERBS) if verb.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = did_you_mean(args[0], _VERBS)
            message = f"{error.message.removesuffix('.')}: {hint}" if hint else error.message
            raise click.UsageError(message, ctx) from None


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"workloadctl {version('workloadd')}")
        ctx.exit()


@click.command(
    cls=_Verbs,
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Containers declared as files: check the files, and see how the workloads are."""
    # https://no-color.org; click itself drops colours where the output is no terminal.
    if os.environ.get("NO_COLOR"):
        ctx.color = False
