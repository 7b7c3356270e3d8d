"""`workloadctl completion`: what makes a shell complete commands, options and workloads."""

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    bash:  workloadctl completion bash > ~/.local/share/bash-completion/completions/workloadctl
    zsh:   workloadctl completion zsh > DIR/_workloadctl, where DIR is in your $fpath
    fish:  workloadctl completion fish > ~/.config/fish/completions/workloadctl.fish

    Names of workloads are asked of the running daemon.

    Exit status: 0, or 2 for a wrong call.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"cannot complete for {shell}: click does not know how")
    root = click.get_current_context().find_root().command
    script = made(root, {}, "workloadctl", "_WORKLOADCTL_COMPLETE")
    # Not that of bash, which asks the bash of this host for its version: it is for any host.
    click.echo(ShellComplete.source(script))
