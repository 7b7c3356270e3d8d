"""Pods through the adapter: made with their infra container, removed whole."""

import pytest

from tests.fakes.libpod import FakeLibpod
from workloadd.core.errors import Permanent
from workloadd.host.podman import Podman

SPEC = {"name": "web_abc", "infra_name": "web__infra_abc", "labels": {"a": "b"}}


async def test_a_pod_is_made_with_its_infra_container(service: FakeLibpod, podman: Podman) -> None:
    pod, infra = await podman.create_pod(SPEC)
    found = service.state.containers[infra]
    assert (found.name, found.pod, found.labels) == ("web__infra_abc", pod, {"a": "b"})


async def test_a_name_that_is_taken(service: FakeLibpod, podman: Podman) -> None:
    await podman.create_pod(SPEC)
    with pytest.raises(Permanent) as refused:
        await podman.create_pod({**SPEC, "infra_name": "another"})
    assert "web_abc" in str(refused.value.problem)
    await podman.create({"name": "taken", "image": "localhost/app:1"})
    with pytest.raises(Permanent):
        await podman.create_pod({"name": "other", "infra_name": "taken"})
    assert [pod.name for pod in service.state.pods.values()] == ["web_abc"]


async def test_a_pod_goes_with_all_that_is_in_it(service: FakeLibpod, podman: Podman) -> None:
    pod, infra = await podman.create_pod(SPEC)
    member = await podman.create({"name": "web_side", "image": "localhost/app:1", "pod": pod})
    service.state.start(member)
    assert service.state.containers[infra].running, "a member starts the pod's infra container"
    await podman.remove_pod(pod)
    assert not service.state.containers and not service.state.pods
    await podman.remove_pod(pod)


async def test_a_pod_that_is_not_ours_takes_its_name_as_well(podman: Podman) -> None:
    await podman.create_pod(SPEC)
    assert (await podman.containers()).foreign_names == {"web_abc", "web__infra_abc"}
