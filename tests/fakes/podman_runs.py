"""What Podman tells of a container's last run."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.podman_state import FakeContainer

_ZERO = "0001-01-01T00:00:00Z"


def inspected(container: FakeContainer) -> dict[str, Any]:
    """The answer of `GET /libpod/containers/NAME/json`, as far as its state goes."""
    state: dict[str, Any] = {
        "Status": container.state,
        "Running": container.running,
        "OOMKilled": container.oom,
        "ExitCode": container.exit_code,
        "StartedAt": _written(container.started),
        "FinishedAt": _written(container.exited),
    }
    # Podman leaves it out where nobody did.
    if container.stopped:
        state["StoppedByUser"] = True
    mounts = [
        {"Type": "image", "Source": volume["Source"], "Destination": volume["Destination"]}
        for volume in container.spec.get("image_volumes") or ()
    ]
    return {"Id": container.id, "Name": container.name, "State": state, "Mounts": mounts}


def _written(seconds: float) -> str:
    if not seconds:
        return _ZERO
    # Podman writes nanoseconds.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
