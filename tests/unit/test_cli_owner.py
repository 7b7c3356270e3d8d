"""What only the user can do whose workloads they are: others are told how."""

import os
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import click
import pytest

from workloadd.cli import client, owner
from workloadd.cli.client import Answer

SUDO = "sudo -u workloads XDG_RUNTIME_DIR=/run/user/$(id -u workloads) workloadctl exec web ls"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """Places that were asked; only those answer that are TCP's."""
    places: list[str] = []

    def ask(place: str, *_: object) -> Answer:
        places.append(place)
        if place.startswith("/"):
            raise PermissionError
        return Answer(200, {}, "")

    monkeypatch.setattr(client, "ask", ask)
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield places


def test_another_user_is_told_how(asked: list[str]) -> None:
    with pytest.raises(click.ClickException, match="only the user") as caught:
        owner.as_owner("web", None, ("exec", "web", "ls"))
    assert caught.value.message.endswith(SUDO)
    assert asked[0].endswith("workloadd.sock")


def test_root_is_told_at_once(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(click.ClickException, match="only the user") as caught:
        owner.as_owner("web", None, ("exec", "web", "ls"))
    assert caught.value.message.endswith(SUDO)
    assert asked == []


def test_without_a_daemon_it_is_said_what_to_do(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> Answer:
        raise HTTPException("garbage")

    monkeypatch.setattr(client, "ask", ask)
    with pytest.raises(client.UnreachableError):
        owner.as_owner("web", None, ("exec", "web"))


def test_the_owner_is_answered(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((Answer(200, {}, '{"name": "web"}'), Answer(404, {}, "no such thing")))
    monkeypatch.setattr(client, "ask", lambda *_: next(answers))
    assert owner.as_owner("web", None, ()) == {"name": "web"}
    with pytest.raises(click.ClickException, match="no such thing"):
        owner.as_owner("web", None, ())
