"""What `workloadctl doctor` makes of what it sees: findings, each with its fix. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workloadd.core.host import HostCondition, setup_commands
from workloadd.host.unit_state import UNIT, UnitState
from workloadd.spec.text import printable

Level = Literal["ok", "warning", "fault", "unknown"]
_HEALTHY = frozenset(
    ("Ready", "Completed", "Scheduled", "Running", "Paused", "Stopped", "Disabled", "Drained")
)
_BUSY = frozenset(("RollingOut", "Pulling", "Waiting", "Removing"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` is commands that can be pasted, one a line."""

    name: str
    level: Level
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Whose daemon it is, and who asks. `exists` says whether there is such a user."""

    user: str
    uid: int
    asking: str
    asking_uid: int
    exists: bool = True

    @property
    def systemctl(self) -> str:
        """How the one who asks gets to that user's units."""
        if self.uid == self.asking_uid:
            return "systemctl --user"
        sudo = "sudo " if self.asking_uid else ""
        return f"{sudo}systemctl --user -M {self.user}@"


def account(who: Who) -> Finding:
    """Whether there is a user for workloads, and we may look at what is its."""
    if not who.exists:
        message = f"there is no user {who.user} to run workloads as"
        return Finding("User", "fault", message, setup_commands(who.user))
    if who.asking_uid in (0, who.uid):
        return Finding("User", "ok", f"workloads run as {who.user}")
    message = f"workloads run as {who.user}; {who.asking} cannot see all that is wrong there"
    return Finding("User", "warning", message, "sudo workloadctl doctor")


def unit(who: Who, state: UnitState, unreachable: str) -> Iterator[Finding]:
    """Why the daemon does not answer."""
    if state.problem:
        fix = f"sudo loginctl enable-linger {who.user}"
        yield Finding("Unit", "unknown", f"cannot ask for {UNIT}: {state.problem}", fix)
    elif state.loaded != "loaded":
        message = f"{UNIT} is {state.loaded} for {who.user}"
        masked = state.loaded == "masked"
        fix = f"{who.systemctl} unmask {UNIT}" if masked else "# install workloadd on this host"
        yield Finding("Unit", "fault", message, fix)
    elif state.active in ("active", "activating", "reloading"):
        yield Finding(
            "Unit", "fault", f"{UNIT} is {state.active} ({state.sub}), but nothing answers",
            f"{who.systemctl} restart {UNIT}",
        )  # fmt: skip
    else:
        yield _ended(who, state)
    if state.last_line:
        yield Finding(
            "Log", "unknown", f"the last it said: {printable(state.last_line.expandtabs(4))}"
        )
    yield Finding("API", "fault", unreachable)


def _ended(who: Who, state: UnitState) -> Finding:
    how = state.result if state.result not in ("", "success") else state.active
    code = f", exit status {state.exit_status}" if state.exit_status not in ("", "0") else ""
    start = f"{who.systemctl} start {UNIT}"
    if state.exit_status == "78":  # EX_CONFIG: it has said what is wrong, and is not tried again
        start = f"journalctl _UID={who.uid} _SYSTEMD_USER_UNIT={UNIT} -n 20\n{start}"
    elif state.enabled == "disabled":
        start = f"{who.systemctl} enable --now {UNIT}"
    return Finding("Unit", "fault", f"{UNIT} does not run: {how}{code}", start)


def conditions(found: Sequence[HostCondition]) -> Iterator[Finding]:
    """What preflight found."""
    for one in found:
        level: Level = "unknown" if one.status is None else "ok" if one.status else "fault"
        if one.status is False and one.warning:
            level = "warning"
        yield Finding(one.name, level, one.message, "" if level == "ok" else one.fix)


def answered(who: Who, status: Mapping[str, Any], version: str) -> Iterator[Finding]:
    """What the running daemon says of the host, of itself and of its workloads."""
    words = {"True": True, "False": False, "Unknown": None}
    host = [
        HostCondition(
            one["type"], words[one["status"]], one["reason"], one["message"], one["fix"],
            one["warning"],
        )
        for one in status["host"]
    ]  # fmt: skip
    yield from conditions(host)
    if status["version"] != version:
        message = f"version {status['version']} runs, and {version} is installed"
        yield Finding("Version", "warning", message, f"{who.systemctl} restart {UNIT}")
    if problem := status["passes"]["problem"]:
        yield Finding("Daemon", "fault", problem)
    for problem in status["problems"]:
        yield Finding("Files", "warning", problem)
    for one in status["workloads"]:
        if finding := _workload(one):
            yield finding
    for one in (*status["networks"], *status["volumes"]):
        if one["state"] not in ("Ready", "Making"):
            yield Finding(one["name"], "fault", f"{one['state']}: {_said(one)}", _hints(one))


def _workload(one: Mapping[str, Any]) -> Finding | None:
    state = one["state"]
    if state in _HEALTHY:
        return None
    level: Level = "warning" if state in _BUSY else "fault"
    fix = "\n".join(filter(None, (_hints(one), f"workloadctl status {one['name']}")))
    return Finding(one["name"], level, f"{state}: {_said(one)}", fix)


def _said(one: Mapping[str, Any]) -> str:
    if one["errors"]:
        first = one["errors"][0]
        return f"{first['file']}:{first['line']}:{first['column']}: {first['message']}"
    return one["message"] or "no reason is known"


def _hints(one: Mapping[str, Any]) -> str:
    return next((f"# {e['hint']}" for e in one["errors"] if e["hint"]), "")


def misplaced(roots: Mapping[Path, Sequence[str]]) -> Iterator[Finding]:
    """Workload files one directory too high; `roots` have the names of what is in them."""
    for root, names in roots.items():
        for name in names:
            if name.endswith((".yaml", ".yml")):
                yield Finding(
                    "Files", "warning", f"{root / name} is not read: it is not in workloads.d",
                    f"sudo workloadctl apply -f {root / name} && sudo rm {root / name}",
                )  # fmt: skip
