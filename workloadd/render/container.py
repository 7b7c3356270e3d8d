"""The libpod container specification of a revision.

Field names are those of Podman's `SpecGenerator` (pkg/specgen/specgen.go), which the API's
`POST /libpod/containers/create` reads as JSON.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from workloadd.core.names import (
    LABEL_CONTAINER,
    LABEL_REVISION,
    LABEL_UNIT,
    LABEL_USER,
    LABEL_WORKLOAD,
    candidate_name,
    plain_name,
)
from workloadd.core.revision import Part, Revision
from workloadd.render.given import render_files, render_secrets
from workloadd.render.network import render_attachments
from workloadd.render.parts import render_parts
from workloadd.render.sandbox import render_sandbox

_NONE: Mapping[str, str] = MappingProxyType({})


def render_container(
    revision: Revision, part: Part, user: str, pod: str = "", files: Mapping[str, str] = _NONE
) -> dict[str, Any]:
    """The specification to post; it holds environment values, so it is for Podman alone.

    `user` is the name of the host's user whose container it is, `pod` the ID of the pod that it
    goes to: such a container shares the pod's surroundings. `files` says where on the host the
    files are that it gets, by target.
    """
    spec, image = part.spec, part.image
    if spec is None or image is None:
        raise ValueError(f"{part.name} is Podman's own to make")
    rendered = render_parts(revision.workload, plain_name(revision.workload, part.name), spec)
    if mounts := render_files(spec.files, files):
        rendered["mounts"] = [*rendered.get("mounts", ()), *mounts]
    return {
        "name": candidate_name(revision.workload, part.name, part.digest),
        # By ID: the tag may move before Podman looks at it.
        "image": image.id,
        "raw_image_name": spec.image,
        "labels": {**spec.labels, **ownership(revision, part, user)},
        "env": _environment(part),
        # The unit's own control group, and nobody but systemd starts it again.
        "cgroups_mode": "split",
        "restart_policy": "no",
        **({"pod": pod} if pod else _alone(revision)),
        **rendered,
        **render_secrets(revision.workload, spec.secrets, part.inputs.secrets),
    }


def _alone(revision: Revision) -> dict[str, Any]:
    """The surroundings of a container on its own."""
    hostname = revision.spec.hostname or revision.workload
    return {
        "hostname": hostname,
        **render_sandbox(revision.spec),
        **render_attachments(revision.workload, revision.spec.networks),
    }


def ownership(revision: Revision, part: Part, user: str) -> dict[str, str]:
    """The labels by which a container is known as ours."""
    return {
        LABEL_WORKLOAD: revision.workload,
        LABEL_CONTAINER: part.name,
        LABEL_REVISION: part.digest,
        LABEL_USER: user,
        LABEL_UNIT: part.params.to_label(),
    }


def _environment(part: Part) -> dict[str, str]:
    """Files first, in order, then what the workload file says itself, as Compose has it."""
    merged: dict[str, str] = {}
    for file in part.inputs.env_files:
        merged.update(file.variables)
    merged.update(part.spec.environment if part.spec else {})
    return merged
