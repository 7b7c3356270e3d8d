"""What only the user is told, or can do, whose workloads they are; others are told how."""

import json
import os
import shlex
from collections.abc import Sequence
from http.client import HTTPException

import click

from workloadd.cli import client


def owner_get(path: str, url: str | None, unix: str | None, *again: str) -> client.Answer:
    """The answer to what only the user is told whose workloads they are, and over TCP who has the
    token; `again` are the arguments of workloadctl with which that user asks.

    Raises:
        click.ClickException: we are another, or there is no answer, or it is a refusal.
    """
    place = client.places(url, unix)[0]
    try:
        answer = client.ask(place, "GET", path, "application/json")
    except (OSError, HTTPException) as error:
        if url or unix:
            raise client.UnreachableError({place: error}) from None
        # Where nobody answers over TCP either, that says what to do about it.
        client.get("/healthz", "text/plain", None, None)
        raise _not_owner(again) from None
    return client.good(answer)


def as_owner(name: str, unix: str | None, again: Sequence[str]) -> client.Document:
    """A workload's status, for what only the user can do whose workloads they are; `again` are the
    arguments of workloadctl with which that one does it.

    Raises:
        click.ClickException: we are another, or there is no such workload, or no answer.
    """
    if not os.geteuid():
        raise _not_owner(again)
    status: client.Document = json.loads(
        owner_get(client.workload_path(name), None, unix, *again).text
    )
    return status


def _not_owner(again: Sequence[str]) -> click.ClickException:
    command = f"{client.as_user()} {shlex.join(['workloadctl', *again])}"
    return click.ClickException(
        f"only the user whose workloads they are can do that; run:\n    {command}"
    )
