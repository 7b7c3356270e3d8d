"""What is done by hand on the command line: what is said, waited for, and how it ends."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from workloadd.cli import client, waiting
from workloadd.cli.client import Answer
from workloadd.cli.main import main

REVISION = "a" * 64
AT = 1_800_000_000.0
SINCE = "2027-01-15T08:00:01Z"


def status(state: str = "Ready", converged: str = "Converged", **fields: Any) -> dict[str, Any]:
    return {
        "state": state,
        "message": "",
        "conditions": [{"type": "Converged", "reason": converged}],
        "rollout": None,
        "by_hand": [],
        "unit": {"active_since": SINCE},
        "current": {"revision": REVISION},
        **fields,
    }


def hand(kind: str) -> dict[str, Any]:
    return {"kind": kind, "revision": REVISION}


class Daemon:
    """Answers to requests: what is asked for, and one status after the other."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.changed = True
        self.refusal: dict[str, str] | None = None
        self.statuses: list[dict[str, Any]] = []

    def post(self, path: str, _unix: str | None) -> Answer:
        self.posted.append(path)
        if self.refusal and "other" in path:
            return Answer(409, {}, json.dumps(self.refusal))
        document = {
            "changed": self.changed,
            "message": "as asked",
            "asked": AT,
            "revision": REVISION,
        }
        document["at"] = AT
        return Answer(202, {}, json.dumps(document))

    def get(self, *_: object) -> Answer:
        found = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        looked = found.pop("looked", AT + 1)
        return Answer(200, {"workloadd-looked": str(looked)}, json.dumps(found))


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    made = Daemon()
    monkeypatch.setattr(client, "post", made.post)
    monkeypatch.setattr(client, "get", made.get)
    monkeypatch.setattr(waiting, "_PAUSE", 0.0)
    yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


STOPPED = status("Stopped", by_hand=[hand("stop")])
WORKING = status("RollingOut", "Working", message="start the unit")
GONE_WRONG = status("Failed", message="exit code 1")


@pytest.mark.parametrize(
    ("verb", "statuses", "code"),
    [
        ("pause", [status(), status("Paused", by_hand=[hand("pause")])], 0),
        ("stop", [status(), status("RollingOut", by_hand=[hand("stop")]), STOPPED], 0),
        ("start", [STOPPED, status("Failed", "Working"), WORKING, status()], 0),
        ("start", [STOPPED, WORKING, GONE_WRONG], 3),
        ("resume", [status(by_hand=[hand("hold")]), WORKING, status()], 0),
        ("restart", [status(unit={"active_since": None}), WORKING, status()], 0),
        ("restart", [GONE_WRONG | {"by_hand": [hand("restart")]}], 3),
        ("rollback", [status(), status(by_hand=[hand("hold")], rollout={"step": "verifying"}),
                      status(by_hand=[hand("hold")])], 0),
        ("rollback", [status(by_hand=[hand("hold")], rollout={"step": "verifying"}),
                      status(current={"revision": "b"})], 3),
    ],
)  # fmt: skip
def test_it_waits_until_it_is_done(
    daemon: Daemon, verb: str, statuses: list[dict[str, Any]], code: int
) -> None:
    daemon.statuses = statuses
    done = run(verb, "web", "--reason", "it hangs")
    assert done.exit_code == code, done.output
    assert daemon.posted == [f"/v1/workloads/web/{verb}?reason=it+hangs"]
    assert len(daemon.statuses) == 1
    assert done.output.startswith("web: as asked\n")
    assert done.output.rstrip().splitlines()[-1].startswith(f"web: {statuses[-1]['state']}")


def test_what_was_seen_before_says_nothing(daemon: Daemon) -> None:
    before = status("Degraded", message="it was rolled back", looked=AT - 1)
    daemon.statuses = [before, WORKING, status()]
    assert run("resume", "web").exit_code == 0


def test_several_and_one_that_cannot_be(daemon: Daemon) -> None:
    daemon.statuses = [STOPPED]
    daemon.refusal = {"detail": "cannot stop other", "hint": "unmask it", "reason": "Masked"}
    done = run("stop", "web", "other", "web")
    assert done.exit_code == 1
    assert len(daemon.posted) == 2
    assert "cannot stop other\nunmask it" in done.output
    assert "web: Stopped" in done.output


def test_it_need_not_be_waited_for(daemon: Daemon) -> None:
    assert run("stop", "web", "--no-wait").output == "web: as asked\n"
    daemon.changed = False
    assert run("restart", "web").output == "web: as asked\n"


def test_json(daemon: Daemon) -> None:
    daemon.statuses = [STOPPED]
    (document,) = json.loads(run("stop", "web", "--json").output)
    assert (document["state"], document["changed"]) == ("Stopped", True)


def test_rollback_to(daemon: Daemon) -> None:
    run("rollback", "web", "--to", "abcd", "--no-wait")
    assert daemon.posted == ["/v1/workloads/web/rollback?to=abcd"]


CHANGES = [
    {"field": "image", "kind": "changed", "old": "a:1", "new": "a:2", "hidden": False},
    {"field": "labels.x", "kind": "added", "old": "", "new": "\x1b[31m", "hidden": False},
    {"field": "environment.PASSWORD", "kind": "changed", "old": "", "new": "", "hidden": True},
]
DIFF = {
    "from": {"what": "current", "revision": REVISION, "at": SINCE},
    "to": {"what": "the file as it is now"},
}


def test_diff(daemon: Daemon) -> None:
    daemon.statuses = [{**DIFF, "same": False, "changes": CHANGES}]
    done = run("diff", "web")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "--- current aaaaaaaaaaaa of 2027-01-15 08:00 UTC",
        "+++ the file as it is now",
        "- image: a:1",
        "+ image: a:2",
        "+ labels.x: \ufffd[31m",
        "~ environment.PASSWORD (changed)",
    ]
    assert json.loads(run("diff", "web", "--json").output)["changes"] == CHANGES


def test_diff_of_what_is_the_same(daemon: Daemon) -> None:
    daemon.statuses = [{**DIFF, "same": True, "changes": []}]
    done = run("diff", "web", "aaaa")
    assert (done.exit_code, done.output) == (0, "")


def test_diff_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Answer(409, {}, json.dumps({"detail": "cannot find revision x", "hint": "there are"}))
    monkeypatch.setattr(client, "get", lambda *_: problem)
    done = run("diff", "web", "x")
    assert done.exit_code == 2
    assert "cannot find revision x\nthere are" in done.output


def test_the_history_says_what_can_be_gone_back_to(daemon: Daemon) -> None:
    rollout = {"outcome": "stable", "cause": "changed", "problem": None, "log": []}
    rollouts = [
        {**rollout, "revision": letter * 64, "started": f"2027-01-15T08:00:0{number}Z"}
        for number, letter in enumerate("cba")
    ]
    document = {"rollouts": rollouts, "events": [], "runs": [], "truncated": False}
    daemon.statuses = [document, status(previous={"revision": "b" * 64})]
    shown = run("history", "web").output.splitlines()
    assert [line.split("Z  ")[1] for line in shown] == [
        "rollout aaaaaaaaaaaa (current) stable: changed",
        "rollout bbbbbbbbbbbb (previous) stable: changed",
        "rollout cccccccccccc stable: changed",
    ]


def test_it_is_not_waited_for_for_ever(daemon: Daemon) -> None:
    daemon.statuses = [WORKING]
    done = run("restart", "web", "--timeout", "0.01s")
    assert done.exit_code == 3
    assert "web has not settled in time: RollingOut: start the unit" in done.output
