"""`workloadctl doctor`: what is wrong with this host, its daemon and its workloads, and the fix."""

import asyncio
import json
import os
import pwd
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from workloadd.cli import client, codes, facts, faults
from workloadd.cli import output as output_
from workloadd.cli.faults import Finding, Who
from workloadd.core.errors import WorkloaddError
from workloadd.core.host import HostCondition
from workloadd.settings import Paths

_WORDS = {"ok": "green", "warning": "yellow", "fault": "red", "unknown": "cyan"}
_SECONDS = 15.0


@click.command()
@output_.option
@client.options
@click.pass_context
def doctor(ctx: click.Context, output: str, url: str | None, unix: str | None) -> None:
    """Look for what is wrong with this host, the daemon and the workloads; say what to do about it.

    It works where the daemon does not run, and sees most as root or as the user of the workloads.
    What it says to do is commands that can be pasted.

    Exit status: 0 where nothing is wrong (there may be warnings), 1 where something is.
    """
    found = list(_look(url, unix))
    faulty = [one for one in found if one.level == "fault"]
    if output == "table":
        _show(found)
    else:
        output_.show({"well": not faulty, "findings": [asdict(one) for one in found]}, output)
    ctx.exit(codes.TROUBLE if faulty else codes.OK)


def _show(found: list[Finding]) -> None:
    for one in found:
        label = click.style(f"{one.level:8}", fg=_WORDS[one.level], bold=one.level == "fault")
        first, *more = one.message.splitlines() or [""]
        click.echo(f"{label}{one.name}: {first}")
        for line in more:
            click.echo(f"{'':8}{line}")
        for line in one.fix.splitlines():
            click.echo(f"{'':12}{line}")
    count = sum(one.level == "fault" for one in found)
    what = "nothing is wrong" if not count else f"{count} fault{'' if count == 1 else 's'}"
    click.secho(what, fg="red" if count else "green")


def _look(url: str | None, unix: str | None) -> Iterator[Finding]:
    paths, who = facts.paths(), _who()
    status, unreachable = _status(url, unix)
    if status:
        from importlib.metadata import version

        yield Finding("API", "ok", f"workloadd {status['version']} answers")
        yield from faults.answered(who, status, version("workloadd"))
    else:
        yield from _down(paths, who, unreachable)
    yield from _files(paths)


def _status(url: str | None, unix: str | None) -> tuple[client.Document, str]:
    """What the daemon answers, or why it does not."""
    try:
        answer = client.get("/v1/status", "application/json", url, unix)
    except client.UnreachableError as error:
        return {}, error.reason
    if answer.status >= 400:
        return {}, client.problem(answer)[1]
    status: client.Document = json.loads(answer.text)
    return status, ""


def _down(paths: Paths, who: Who, unreachable: str) -> Iterator[Finding]:
    from workloadd.host.unit_state import unit_state

    yield faults.account(who)
    if who.exists:
        yield from faults.unit(who, unit_state(who.user, who.uid), unreachable)
        yield from _settings(paths)
        if who.asking_uid in (0, who.uid):
            yield from faults.conditions(asyncio.run(_preflight(paths, who.uid)))


def _settings(paths: Paths) -> Iterator[Finding]:
    from workloadd.settings import load_settings

    try:
        load_settings(paths)
    except WorkloaddError as error:
        yield Finding(
            "Settings",
            "fault",
            error.problem.message,
            error.problem.hint and f"# {error.problem.hint}",
        )


async def _preflight(paths: Paths, uid: int) -> tuple[HostCondition, ...]:
    from workloadd.host.podman import Podman
    from workloadd.host.preflight import gather

    podman = Podman(paths.podman_socket, user=paths.user)
    try:
        async with asyncio.timeout(_SECONDS):
            return await gather(podman, paths, uid=uid)
    except TimeoutError:
        message = f"cannot look at the host: no answer within {_SECONDS:.0f} s"
        return (HostCondition("Host", None, "HostSilent", message),)
    finally:
        await podman.close()


def _files(paths: Paths) -> Iterator[Finding]:
    listed: dict[Path, list[str]] = {}
    for root in paths.config_roots:
        try:
            listed[root] = sorted(entry.name for entry in root.iterdir())
        except OSError:
            continue  # there need not be one, and what is unreadable to us may not be to the daemon
    yield from faults.misplaced(listed)


def _who() -> Who:
    """The daemon's user: the one made for it where there is one, for root always; else we."""
    uid = os.geteuid()
    try:
        asking = pwd.getpwuid(uid).pw_name
    except KeyError:
        asking = str(uid)
    try:
        made = pwd.getpwnam(facts.DAEMON_USER)
    except KeyError:
        is_root = uid == 0
        user = facts.DAEMON_USER if is_root else asking
        return Who(user, -1 if is_root else uid, asking, uid, exists=not is_root)
    return Who(made.pw_name, made.pw_uid, asking, uid)
