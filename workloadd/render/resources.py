"""Limits in the form of the OCI runtime specification (LinuxResources)."""

from typing import Any

from workloadd.spec.resources import Resources

# Microseconds of the CFS period over which a CPU quota is dealt out; Podman's own default.
_CPU_PERIOD = 100_000


def render_resources(resources: Resources) -> dict[str, Any]:
    """The limits that the file names, and nothing where it names none."""
    quota = None if resources.cpus is None else int(resources.cpus * _CPU_PERIOD)
    limits: dict[str, dict[str, Any]] = {
        "memory": {
            "limit": resources.memory,
            "reservation": resources.memory_reservation,
            "swap": resources.memory_swap,
        },
        "cpu": {
            "quota": quota,
            "period": None if quota is None else _CPU_PERIOD,
            "shares": resources.cpu_shares,
            "cpus": resources.cpuset,
            "mems": resources.cpuset_mems,
        },
        "pids": {"limit": resources.pids},
        "blockIO": {"weight": resources.io_weight},
    }
    named = {
        kind: {key: value for key, value in group.items() if value is not None}
        for kind, group in limits.items()
    }
    rendered = {kind: group for kind, group in named.items() if group}
    return {"resource_limits": rendered} if rendered else {}
