"""What a container here cannot be started with: made as the daemon makes it, and looked at.

The throwaway host has no cgroup controllers, no SELinux and few devices, and the daemon refuses
limits there. Podman itself takes them, and says afterwards what it would set.
"""

import json
from collections.abc import Iterator

import pytest

from tests.fakes.revisions import only, revised
from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX
from workloadd.render.container import render_container
from workloadd.spec.load import load_workload
from workloadd.spec.model import WorkloadSpec

SOCKET = "/run/user/1000/podman/podman.sock"
TEXT = f"""\
image: {BUSYBOX}
resources:
  memory: 64m
  memory_reservation: 32m
  memory_swap: 96m
  cpus: 0.5
  cpu_shares: 512
  cpuset: "0"
  cpuset_mems: "0"
  io_weight: 300
  pids: 20
selinux: {{type: container_init_t, level: "s0:c1,c2"}}
volumes:
  - "/var/tmp/shared:/shared:z,rslave"
  - {{type: volume, source: data, target: /data, selinux: Z, nosuid: true, nodev: true}}
"""


@pytest.fixture
def made(host: Host, name: str) -> Iterator[Document]:
    """`podman inspect` of a container that was made of the daemon's own specification."""
    loaded = load_workload(name, TEXT.encode(), f"{name}.yaml")
    assert isinstance(loaded.spec, WorkloadSpec), loaded.errors
    host.podman("pull", "--quiet", BUSYBOX)
    host.exec("mkdir", "--parents", "/var/tmp/shared")
    image = host.podman("image", "inspect", "--format", "{{.Id}}", BUSYBOX).strip()
    revision = revised(name, loaded.spec, image)
    # Not ours to the daemon that runs: another user's.
    document = render_container(revision, only(revision), "nobody")
    answer = host.exec(
        "curl", "--silent", "--unix-socket", SOCKET, "--json", json.dumps(document),
        "http://podman/v5.0.0/libpod/containers/create",
    ).stdout  # fmt: skip
    assert "Id" in json.loads(answer), answer
    container: str = json.loads(answer)["Id"]
    yield host.inspect(container)
    host.podman("rm", "--volumes", container)
    host.podman("volume", "rm", "--force", f"{name}_data")


def test_limits_are_podman_s(made: Document) -> None:
    config = made["HostConfig"]
    assert {
        key: config[key]
        for key in (
            "Memory", "MemoryReservation", "MemorySwap", "NanoCpus", "CpuShares", "CpusetCpus",
            "CpusetMems", "BlkioWeight", "PidsLimit",
        )
    } == {
        "Memory": 64 << 20,
        "MemoryReservation": 32 << 20,
        "MemorySwap": 96 << 20,
        "NanoCpus": 500_000_000,
        "CpuShares": 512,
        "CpusetCpus": "0",
        "CpusetMems": "0",
        "BlkioWeight": 300,
        "PidsLimit": 20,
    }  # fmt: skip


def test_mounts_are_to_be_labelled_and_propagated(made: Document, name: str) -> None:
    mounts = {mount["Destination"]: mount for mount in made["Mounts"]}
    assert (mounts["/shared"]["Mode"], mounts["/shared"]["Propagation"]) == ("z", "rslave")
    volume = mounts["/data"]
    assert volume["Name"] == f"{name}_data" and volume["Mode"] == "Z"
    assert {"nosuid", "nodev"} <= set(volume["Options"])
