"""The libpod container specification of a revision.

Field names are those of Podman's `SpecGenerator` (pkg/specgen/specgen.go), which the API's
`POST /libpod/containers/create` reads as JSON.
"""

from typing import Any

from workloadd.core.names import (
    LABEL_CONTAINER,
    LABEL_REVISION,
    LABEL_UNIT,
    LABEL_USER,
    LABEL_WORKLOAD,
    candidate_name,
    volume_name,
)
from workloadd.core.revision import Revision
from workloadd.render.parts import render_parts
from workloadd.render.sandbox import render_sandbox
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.volumes import NamedVolume


def render_container(revision: Revision, user: str) -> dict[str, Any]:
    """The specification to post; it holds environment values, so it is for Podman alone.

    `user` is the name of the host's user whose container it is.
    """
    spec = revision.spec
    return {
        "name": candidate_name(revision.workload, revision.digest),
        # By ID: the tag may move before Podman looks at it.
        "image": revision.image_id,
        "raw_image_name": spec.image,
        "labels": {**spec.labels, **_labels(revision, user)},
        "env": _environment(revision),
        "hostname": spec.hostname or revision.workload,
        # The unit's own control group, and nobody but systemd starts it again.
        "cgroups_mode": "split",
        "restart_policy": "no",
        **render_sandbox(spec),
        **render_parts(revision.workload, spec),
    }


def render_volumes(revision: Revision, user: str) -> dict[str, dict[str, str]]:
    """The Podman volumes that a revision mounts, by name, with the labels that make them ours."""
    return {
        volume_name(revision.workload, volume.source): {
            LABEL_WORKLOAD: revision.workload,
            LABEL_USER: user,
        }
        for volume in revision.spec.volumes
        if isinstance(volume, NamedVolume)
    }


def _labels(revision: Revision, user: str) -> dict[str, str]:
    return {
        LABEL_WORKLOAD: revision.workload,
        LABEL_CONTAINER: MAIN_CONTAINER,
        LABEL_REVISION: revision.digest,
        LABEL_USER: user,
        LABEL_UNIT: revision.params.to_label(),
    }


def _environment(revision: Revision) -> dict[str, str]:
    """Files first, in order, then what the workload file says itself, as Compose has it."""
    merged: dict[str, str] = {}
    for file in revision.env_files:
        merged.update(file.variables)
    merged.update(revision.spec.environment)
    return merged
