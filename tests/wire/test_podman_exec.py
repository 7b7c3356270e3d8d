"""Telling a container something through the real adapter, against a fake Podman."""

import pytest

from tests.fakes.libpod import FakeLibpod
from workloadd.core.errors import Permanent
from workloadd.host.podman import Podman
from workloadd.spec.reload import Reload
from workloadd.spec.translate import validated


async def running(podman: Podman, service: FakeLibpod) -> str:
    container = await podman.create({"image": "localhost/app:1"})
    service.state.start(container)
    return container


def reload(**content: object) -> Reload:
    return validated(Reload, content)


async def test_a_signal(podman: Podman, service: FakeLibpod) -> None:
    container = await running(podman, service)
    await podman.processes.tell(container, reload(signal="SIGHUP"))
    await podman.processes.tell(container, reload(signal="SIGRTMIN+3"))
    assert service.state.find(container).told == [1, 37]


async def test_a_command(podman: Podman, service: FakeLibpod) -> None:
    container = await running(podman, service)
    service.state.exec_result = (0, b"done\n")
    assert await podman.processes.run(container, ("nginx", "-t")) == (0, "done")
    await podman.processes.tell(container, reload(command=["nginx", "-s", "reload"]))
    assert service.state.find(container).told[-1] == ("nginx", "-s", "reload")


async def test_a_command_that_fails_is_quoted(podman: Podman, service: FakeLibpod) -> None:
    container = await running(podman, service)
    service.state.exec_result = (3, b"nginx: note\nnginx: unexpected }\n")
    with pytest.raises(Permanent, match="exit code 3: nginx: unexpected }") as failed:
        await podman.processes.tell(container, reload(command="nginx -s reload"))
    assert failed.value.problem.reason == "ReloadFailed"
    service.state.exec_result = (1, b"")
    with pytest.raises(Permanent, match="exit code 1: it said nothing"):
        await podman.processes.tell(container, reload(command="nginx -s reload"))


async def test_a_container_that_does_not_run(podman: Podman) -> None:
    container = await podman.create({"image": "localhost/app:1"})
    for one in (reload(signal="HUP"), reload(command="true")):
        with pytest.raises(Permanent, match="container state improper"):
            await podman.processes.tell(container, one)
