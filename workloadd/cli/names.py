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
    return [name for name in _known(ctx) if name.startswith(incomplete) and name not in given]


def _known(ctx: click.Context) -> list[str]:
    for place in client.places(ctx.params.get("url"), ctx.params.get("unix")):
        try:
            answer = client.ask(place, "GET", "/v1/workloads", "application/json", _PATIENCE)
            return [workload["name"] for workload in json.loads(answer.text)["workloads"]]
        except (OSError, HTTPException, click.ClickException, ValueError, KeyError, TypeError):
            continue  # a message would end up on the line that is being written
    return []
