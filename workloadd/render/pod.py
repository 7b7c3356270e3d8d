"""The libpod pod specification of a revision.

Field names are those of Podman's `PodSpecGenerator` (pkg/specgen/podspecgen.go), which the API's
`POST /libpod/pods/create` reads as JSON.
"""

from pathlib import Path
from typing import Any

from workloadd.core.names import candidate_name, pod_name
from workloadd.core.revision import Revision
from workloadd.render.container import ownership
from workloadd.render.network import render_attachments
from workloadd.render.sandbox import render_sandbox_for_pod
from workloadd.render.unit import infra_pid_file
from workloadd.spec.model import PodSpec, WorkloadSpec


def render_pod(revision: Revision, user: str, runtime_dir: Path) -> dict[str, Any]:
    """The specification to post; `runtime_dir` is the user's $XDG_RUNTIME_DIR.

    The infra container gets the pod's labels, and so is known as ours.
    """
    infra = revision.parts[0]
    return {
        "name": pod_name(revision.workload, infra.digest),
        "infra_name": candidate_name(revision.workload, infra.name, infra.digest),
        "infra_conmon_pid_file": str(runtime_dir / infra_pid_file(revision.workload)),
        "labels": ownership(revision, infra, user),
        # Each container is in the control group of its own unit, not of the pod's.
        "share_parent": False,
        "shared_namespaces": ["net", "uts", *_shared(revision.spec)],
        # systemd says when the pod ends, not the end of its last container.
        "exit_policy": "continue",
        "hostname": revision.spec.hostname or revision.workload,
        **render_sandbox_for_pod(revision.spec),
        **render_attachments(revision.workload, revision.spec.networks),
    }


def _shared(spec: WorkloadSpec) -> tuple[str, ...]:
    return spec.share if isinstance(spec, PodSpec) else ()
