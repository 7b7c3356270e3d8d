"""How the daemon's own unit is, as systemd and the journal tell anybody who may ask.

Without D-Bus of our own: what asks is a tool that has to work where the rest does not.
"""

import os
import subprocess
from dataclasses import dataclass

UNIT = "workloadd.service"
_SECONDS = 5.0
_PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "UnitFileState")


@dataclass(frozen=True, slots=True)
class UnitState:
    """What systemd says of it. `problem` is why it says nothing."""

    loaded: str = ""
    active: str = ""
    sub: str = ""
    result: str = ""
    exit_status: str = ""
    enabled: str = ""
    last_line: str = ""
    problem: str = ""


def unit_state(user: str, uid: int) -> UnitState:
    """The state of the unit of the user's manager. Blocks, never raises."""
    machine = [] if os.geteuid() == uid else ["--machine", f"{user}@"]
    shown = ",".join(_PROPERTIES)
    code, said = _run("systemctl", "--user", *machine, "show", UNIT, f"--property={shown}")
    found = dict(line.partition("=")[::2] for line in said.splitlines() if "=" in line)
    if code or "LoadState" not in found:
        last = said.strip().splitlines()
        return UnitState(problem=last[-1] if last else "systemctl tells nothing")
    loaded, active, sub, result, status, enabled = (found.get(one, "") for one in _PROPERTIES)
    return UnitState(loaded, active, sub, result, status, enabled, _last_line(uid))


def _last_line(uid: int) -> str:
    """What the daemon said last, empty where that cannot be read."""
    code, said = _run(
        "journalctl", "--quiet", "--lines=1", "--output=cat", f"_UID={uid}",
        f"_SYSTEMD_USER_UNIT={UNIT}",
    )  # fmt: skip
    lines = said.strip().splitlines()
    return lines[-1] if lines and not code else ""


def _run(*command: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
        )
    except subprocess.TimeoutExpired:
        return 1, f"{command[0]} does not answer"
    except OSError as error:
        return 1, f"cannot run {command[0]}: {error.strerror}"
    return done.returncode, done.stdout.decode(errors="replace")
