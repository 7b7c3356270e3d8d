"""Networks, volumes and secrets through the real adapter, against a fake Podman."""

import pytest

from tests.fakes.libpod import FakeLibpod
from workloadd.core.errors import Permanent, Transient
from workloadd.core.objects import Network, Volume, object_labels
from workloadd.host.podman import Podman
from workloadd.render.network import render_network
from workloadd.render.volume import render_volume
from workloadd.spec.network import NetworkSpec
from workloadd.spec.translate import validated
from workloadd.spec.volume import VolumeSpec

USER = "alice"
NETWORK = validated(NetworkSpec, {"kind": "network", "subnets": ["10.89.7.0/24"]})
VOLUME = validated(VolumeSpec, {"kind": "volume", "uid": 7})
MINE = {"io.workloadd.user": USER, "io.workloadd.workload": "web"}


async def test_a_network_that_is_there_is_not_made_again(
    podman: Podman, service: FakeLibpod
) -> None:
    labels = object_labels(USER, "", NETWORK)
    document = render_network("shop", NETWORK, labels)
    assert await podman.objects.create_network(document)
    assert not await podman.objects.create_network(document)
    made_of = labels["io.workloadd.made-of"]
    assert await podman.objects.network("shop") == Network("shop", "", made_of)
    assert await podman.objects.network("other") is None
    with pytest.raises(Permanent, match=r"subnet .* already used") as refused:
        await podman.objects.create_network(document | {"name": "other"})
    assert refused.value.problem.reason == "SubnetTaken"


async def test_a_network_in_use_stays(podman: Podman, service: FakeLibpod) -> None:
    service.state.add_image("localhost:5000/nginx:1")
    service.state.create_network({"name": "shop"})
    user = await podman.create({"image": "localhost:5000/nginx:1", "Networks": {"shop": {}}})
    with pytest.raises(Transient) as busy:
        await podman.objects.remove_network("shop")
    assert busy.value.problem.reason == "NetworkInUse"
    await podman.remove(user)
    await podman.objects.remove_network("shop")
    await podman.objects.remove_network("shop")
    assert not service.state.networks
    with pytest.raises(Permanent, match="default network podman cannot be removed"):
        await podman.objects.remove_network("podman")


async def test_a_volume_comes_and_goes(podman: Podman, service: FakeLibpod) -> None:
    document = render_volume("data", VOLUME, object_labels(USER, "web", VOLUME))
    assert await podman.objects.volume("data") is None
    assert await podman.objects.create_volume(document)
    assert not await podman.objects.create_volume(document)
    found = await podman.objects.volume("data")
    assert found and found.workload == "web" and found.made_of
    assert service.state.volumes["data"]["Options"] == {"o": "uid=7"}
    service.state.add_image("localhost:5000/nginx:1")
    mounts = [{"Name": "data", "Dest": "/data"}]
    user = await podman.create({"image": "localhost:5000/nginx:1", "volumes": mounts})
    with pytest.raises(Transient) as busy:
        await podman.objects.remove_volume("data")
    assert busy.value.problem.reason == "VolumeInUse"
    await podman.remove(user)
    await podman.objects.remove_volume("data")
    await podman.objects.remove_volume("data")
    assert not service.state.volumes


async def test_a_driver_that_is_not_there_is_said(podman: Podman) -> None:
    document = {"Name": "data", "Driver": "nfs-plugin"}
    with pytest.raises(Permanent, match=r"cannot create volume data: .*plugin"):
        await podman.objects.create_volume(document)


async def test_a_secret_gets_there_byte_for_byte_and_comes_back_in_nothing(
    podman: Podman, service: FakeLibpod, caplog: pytest.LogCaptureFixture
) -> None:
    value = b"p\xc3\xa4ss\x00word=&\n"
    assert await podman.objects.create_secret("web_pw_1", "web", value)
    assert not await podman.objects.create_secret("web_pw_1", "web", value)
    assert service.state.secrets["web_pw_1"].data == value
    assert service.state.secrets["web_pw_1"].labels == MINE
    with pytest.raises(Permanent) as refused:
        await podman.objects.create_secret("web_pw_2", "web", b"hunter2" * 100_000)
    assert "hunter2" not in str(refused.value.problem)
    assert "hunter2" not in caplog.text
    await podman.objects.remove_secret("web_pw_1")
    await podman.objects.remove_secret("web_pw_1")
    assert not service.state.secrets


async def test_one_look_tells_ours_from_others(podman: Podman, service: FakeLibpod) -> None:
    service.state.create_network({"name": "shop", "labels": MINE})
    service.state.create_network({"name": "foreign"})
    service.state.create_volume({"Name": "data", "Labels": MINE | {"io.workloadd.made-of": "x"}})
    service.state.create_secret("mine", b"1", MINE)
    service.state.create_secret("theirs", b"1", {})
    found = await podman.objects.look()
    assert found.networks == {"shop": Network("shop", "web"), "foreign": Network("foreign")}
    assert found.volumes == {"data": Volume("data", "web", "x")}
    assert found.secrets == {"mine"}


async def test_lists_of_nothing(podman: Podman) -> None:
    found = await podman.objects.look()
    assert (found.networks, found.volumes, found.secrets) == ({}, {}, frozenset())
