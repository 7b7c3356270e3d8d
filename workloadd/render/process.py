"""What runs in a container, in its specification."""

from typing import Any

from workloadd.spec.execution import ExecutionSpec
from workloadd.spec.ulimits import UNLIMITED, Ulimit

# RLIM_INFINITY, which the OCI runtime specification has as an unsigned number.
_INFINITY = 2**64 - 1


def render_process(spec: ExecutionSpec) -> dict[str, Any]:
    """What runs, and as whom; what the file leaves out is left to the image."""
    optional = {
        # An empty one is kept: it clears the image's.
        "command": None if spec.command is None else list(spec.command),
        "entrypoint": None if spec.entrypoint is None else list(spec.entrypoint),
        "work_dir": spec.working_dir,
        "user": spec.user,
        "init": spec.init_process or None,
        "terminal": spec.tty or None,
        "httpproxy": spec.http_proxy or None,
        "timezone": spec.timezone,
        "r_limits": [_limit(*item) for item in spec.ulimits.items()] or None,
    }
    return {key: value for key, value in optional.items() if value is not None}


def _limit(name: str, limit: Ulimit) -> dict[str, Any]:
    # Podman's own names, without the RLIMIT_ that the runtime specification has before them.
    soft, hard = (_INFINITY if n == UNLIMITED else n for n in (limit.soft, limit.hard))
    return {"type": name, "soft": soft, "hard": hard}
