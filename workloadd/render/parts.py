"""All that a workload file says of one container, in the form of Podman's specification."""

from typing import Any

from workloadd.render.logging import render_logging
from workloadd.render.process import render_process
from workloadd.render.resources import render_resources
from workloadd.render.security import (
    nested_mounts,
    render_devices,
    render_security,
    security_annotations,
)
from workloadd.render.storage import render_storage
from workloadd.spec.container import ContainerSpec
from workloadd.spec.health import NONE
from workloadd.spec.signals import signal_number


def render_parts(workload: str, name: str, spec: ContainerSpec) -> dict[str, Any]:
    """The container itself, by group: not its name, image, labels, environment or surroundings.

    Its volumes are called by `workload`; `name` is the one under which it is in the journal.
    """
    optional = {
        "annotations": {**security_annotations(spec), **spec.annotations},
        "stop_signal": signal_number(spec.stop_signal) if spec.stop_signal else None,
    }
    storage = render_storage(workload, spec.volumes)
    if nested := nested_mounts(spec.selinux):
        storage["mounts"] = [*storage.get("mounts", ()), *nested]
    return {
        # Started is what runs: whether it is ready, the daemon asks, and Podman asks nothing.
        "sdnotifyMode": "conmon",
        "healthconfig": {"Test": [NONE]},
        "stop_timeout": -int(-spec.stop_timeout // 1),
        **{key: value for key, value in optional.items() if value},
        **render_logging(spec.logging, name),
        **render_process(spec),
        **render_security(spec),
        **render_devices(spec),
        **storage,
        **render_resources(spec.resources),
    }
