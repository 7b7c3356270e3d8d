"""Completing the names of workloads: at once, or not at all."""

import json
from http.client import HTTPException

import click

from workloadd.cli import client

# Seconds; somebody waits with a finger on the key.
_PATIENCE = 0.5


def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names that begin so and are not on the line yet; none where the daemon is away."""
    given = ctx.params.get("names") or ()
    names = (one["name"] for one in _known(ctx))
    return [name for name in names if name.startswith(incomplete) and name not in given]


def complete_containers(
    ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The same, and `NAME/CONTAINER` for each of several that a workload has."""
    found = []
    for one in _known(ctx):
        inner = [f"{one['name']}/{container['name']}" for container in one.get("containers", ())]
        found += inner or [one["name"]]
    return [target for target in found if target.startswith(incomplete)]


def complete_inner(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The containers of the workload that is on the line already."""
    # An option that has no value yet ends click's reading of the line: the rest is left over.
    named = ctx.params.get("name") or next(iter(ctx.args), None)
    known = (one for one in _known(ctx) if one["name"] == named)
    names = (container["name"] for one in known for container in one.get("containers", ()))
    return [name for name in names if name.startswith(incomplete)]


def _known(ctx: click.Context) -> list[client.Document]:
    for place in client.places(ctx.params.get("url"), ctx.params.get("unix")):
        try:
            answer = client.ask(place, "GET", "/v1/workloads", "application/json", _PATIENCE)
            found: list[client.Document] = json.loads(answer.text)["workloads"]
            return [one for one in found if one["name"]]
        except (OSError, HTTPException, click.ClickException, ValueError, KeyError, TypeError):
            continue  # a message would end up on the line that is being written
    return []
