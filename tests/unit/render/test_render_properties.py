"""Whatever validates also renders, always to the same, and to nothing that Podman does not read."""

import json
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.unit.spec.strategies import Content, pods, services
from workloadd.render.parts import render_parts
from workloadd.render.sandbox import render_sandbox, render_sandbox_for_pod
from workloadd.spec.model import PodSpec, ServiceSpec, WorkloadSpec
from workloadd.spec.problems import ProblemsError
from workloadd.spec.requirements import OLDEST, requirements
from workloadd.spec.translate import validated

# Names in SpecGenerator (pkg/specgen/specgen.go) and PodSpecGenerator of Podman 5.6.
CONTAINER = {
    "annotations", "apparmor_profile", "artifact_volumes", "cap_add", "cap_drop", "command",
    "devices", "entrypoint", "groups", "healthconfig", "httpproxy",
    "image_volumes", "init", "label_nested", "log_configuration", "mask", "mounts",
    "no_new_privileges", "overlay_volumes", "privileged", "r_limits", "read_only_filesystem",
    "read_write_tmpfs", "resource_limits", "sdnotifyMode", "seccomp_profile_path", "selinux_opts",
    "stop_signal", "stop_timeout", "terminal", "timezone", "umask",
    "unmask", "user", "volumes", "work_dir",
}  # fmt: skip
SANDBOX = {
    "dns_option", "dns_search", "dns_server", "hostadd", "idmappings", "netns", "network_options",
    "portmappings", "shm_size", "sysctl", "userns",
}  # fmt: skip
TRIED = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def spec_of(model: type[BaseModel], content: Content) -> Any:
    """The spec, or None where the parts that were drawn contradict each other."""
    try:
        spec = validated(model, content)
    except ProblemsError:
        event("refused")
        return None
    event("right")
    return spec


def rendered(spec: WorkloadSpec) -> list[dict[str, Any]]:
    surroundings = render_sandbox_for_pod if isinstance(spec, PodSpec) else render_sandbox
    parts = sorted(spec.containers_by_name.items())
    return [surroundings(spec), *(render_parts("web", f"web_{name}", part) for name, part in parts)]


def reordered(content: Any, draw: st.DataObject) -> Any:
    """The same mappings, written in another order."""
    if isinstance(content, dict):
        keys = draw.draw(st.permutations(list(content)))
        return {key: reordered(content[key], draw) for key in keys}
    return content


@TRIED
@given(services)
def test_a_service_renders_to_what_podman_reads(content: Content) -> None:
    if spec := spec_of(ServiceSpec, content):
        surroundings, container = rendered(spec)
        assert surroundings.keys() <= SANDBOX | {"expose"}
        assert container.keys() <= CONTAINER
        assert json.loads(json.dumps([surroundings, container])) == rendered(spec)


@TRIED
@given(pods)
def test_a_pod_renders_to_what_podman_reads(content: Content) -> None:
    if spec := spec_of(PodSpec, content):
        surroundings, *containers = rendered(spec)
        assert surroundings.keys() <= SANDBOX
        assert all(container.keys() <= CONTAINER for container in containers)
        assert len(containers) == len(content["containers"])


@TRIED
@given(services, st.data())
def test_the_order_of_keys_means_nothing(content: Content, draw: st.DataObject) -> None:
    if spec := spec_of(ServiceSpec, content):
        again = validated(ServiceSpec, reordered(content, draw))
        assert again == spec
        assert again.canonical() == spec.canonical()
        assert json.dumps(rendered(again)) == json.dumps(rendered(spec))


@TRIED
@given(st.one_of(services.map(lambda c: (ServiceSpec, c)), pods.map(lambda c: (PodSpec, c))))
def test_the_canonical_form_is_right_and_means_the_same(
    case: tuple[type[WorkloadSpec], Content],
) -> None:
    model, content = case
    if spec := spec_of(model, content):
        again = validated(model, json.loads(spec.canonical()))
        assert again == spec
        assert again.canonical() == spec.canonical()
        assert validated(model, spec.model_dump(mode="json")) == spec
        assert rendered(again) == rendered(spec)


@TRIED
@given(services)
def test_requirements_name_fields_that_are_there(content: Content) -> None:
    if spec := spec_of(ServiceSpec, content):
        for path, version in requirements(spec):
            assert version > OLDEST
            assert path[0] in ServiceSpec.model_fields


def test_most_of_what_is_drawn_is_right() -> None:
    """Else the properties would hold of next to nothing."""
    right = 0

    @settings(max_examples=100, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(services.map(lambda c: (ServiceSpec, c)), pods.map(lambda c: (PodSpec, c))))
    def draw(case: tuple[type[BaseModel], Content]) -> None:
        nonlocal right
        right += spec_of(*case) is not None

    draw()
    assert right > 50
