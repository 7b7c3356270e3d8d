"""Pods of the in-memory Podman, in the words of Podman 5.4.2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.podman_objects import PodmanError

if TYPE_CHECKING:
    from tests.fakes.podman_state import PodmanState


@dataclass
class FakePod:
    """A pod; its infra container is a container like others, made along with it."""

    id: str
    name: str
    infra: str


def create(state: "PodmanState", spec: Mapping[str, Any]) -> FakePod:
    """Make a pod and its infra container, which has the pod's labels."""
    name = str(spec["name"])
    if any(pod.name == name for pod in state.pods.values()):
        cause = "pod already exists"
        raise PodmanError(409, cause, f'adding pod to state: name "{name}" is in use: {cause}')
    pod = FakePod(state.new_id(), name, "")
    of_pod = {"name": spec["infra_name"], "image": state.pause.id, "pod": pod.id}
    state.pods[pod.id] = pod
    try:
        pod.infra = state.create({**spec, **of_pod}).id
    except PodmanError:
        del state.pods[pod.id]
        raise
    state.emit("pod", "create", pod.id, name)
    return pod


def find(state: "PodmanState", key: str) -> FakePod:
    """A pod by name or ID."""
    for pod in state.pods.values():
        if key in (pod.id, pod.name):
            return pod
    cause = "no such pod"
    raise PodmanError(404, cause, f"no pod with name or ID {key} found: {cause}")


def members(state: "PodmanState", pod: FakePod) -> list[str]:
    """The containers in a pod, the infra container last."""
    inside = [c.id for c in state.containers.values() if c.pod == pod.id and c.id != pod.infra]
    return [*inside, *([pod.infra] if pod.infra in state.containers else [])]


def remove(state: "PodmanState", key: str, *, force: bool) -> FakePod:
    """Remove a pod with all that is in it."""
    pod = find(state, key)
    inside = members(state, pod)
    if not force and any(state.containers[one].running for one in inside):
        cause = "container state improper"
        text = f"not all containers could be removed from pod {pod.id}: {cause}"
        raise PodmanError(500, cause, text)
    for one in inside:
        state.exit(one, 137)
    del state.pods[pod.id]
    for one in inside:
        state.remove(one, force=True)
    state.emit("pod", "remove", pod.id, pod.name)
    return pod
