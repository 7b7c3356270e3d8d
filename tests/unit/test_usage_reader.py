"""Control groups and network namespaces as the kernel shows them, in a directory."""

import shutil
from pathlib import Path

import pytest

from workloadd.core.usage import Group, Look, Network, Process, Target
from workloadd.host.usage import UsageReader

UNIT = "workload-web.service"
FILES = {
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    "memory.current": "6144\n",
    "memory.max": "max\n",
    "pids.current": "3\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=5 wbytes=0\n",
}
# Limits are those of a group in the unit's own (tests/vm).
CONTAINER = "c0ffee" * 10
PAYLOAD = {"memory.current": "4096\n", "memory.max": "8192\n"}
DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo:  900       9    0    0    0     0          0         0      900       9    0    0
  eth0: 1000      10    0    0    0     0          0         0      200       2    0    0
  eth1:   11       1    0    0    0     0          0         0        3       1    0    0
"""


class Kernel:
    """A tree as it is in /sys/fs/cgroup and /proc."""

    def __init__(self, directory: Path) -> None:
        self.group = directory / "manager"
        self.proc = directory / "proc"
        self.unit = self.group / "workloads.slice" / UNIT
        self.payload = self.unit / f"libpod-payload-{CONTAINER}"
        self.payload.mkdir(parents=True)
        self.process("self", "")

    def process(self, pid: str, dev: str, network: str = "", container: str = CONTAINER) -> None:
        (self.proc / pid / "ns").mkdir(parents=True)
        (self.proc / pid / "cgroup").write_text(f"0::/x/{UNIT}/libpod-payload-{container}\n")
        (self.proc / pid / "net").mkdir()
        (self.proc / pid / "net/dev").write_text(dev)
        one = self.proc / f"network-{network or pid}"
        one.touch()
        (self.proc / pid / "ns/net").hardlink_to(one)

    def look(self, *pids: int) -> Look:
        processes = tuple(Process(UNIT, CONTAINER, pid) for pid in pids or (404,))
        return UsageReader(lambda: self.group, self.proc).read(Target((UNIT,), processes), 5.0)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    made = Kernel(tmp_path)
    for directory, files in ((made.unit, FILES), (made.payload, PAYLOAD)):
        for name, text in files.items():
            (directory / name).write_text(text)
    return made


def test_all_of_it(kernel: Kernel) -> None:
    kernel.process("7", DEV)
    look = kernel.look(7)
    assert look.groups == {UNIT: Group(1.5, 4096, 8192, 3, 15, 20, 2048)}
    assert list(look.networks.values()) == [Network(1011, 203, 900)]


@pytest.mark.parametrize("name", ["memory.current", "pids.current", "io.stat"])
def test_a_controller_that_is_not_there(kernel: Kernel, name: str) -> None:
    (kernel.unit / name).unlink()
    (found,) = kernel.look().groups.values()
    assert found.cpu == 1.5
    assert None in (found.helpers, found.pids, found.read)


def test_no_memory_controller(kernel: Kernel) -> None:
    for file in (*kernel.unit.glob("memory.*"), *kernel.payload.iterdir()):
        file.unlink()
    (found,) = kernel.look().groups.values()
    assert (found.memory, found.limit, found.helpers) == (None, None, None)


def test_no_limit(kernel: Kernel) -> None:
    (kernel.payload / "memory.max").write_text("max\n")
    assert kernel.look().groups[UNIT].limit is None


@pytest.mark.parametrize(
    ("unit", "payload", "expected"),
    [("max", "1024", 1024), ("512", "1024", 512), ("2048", "1024", 1024), ("512", "max", 512)],
)
def test_the_limit_is_the_containers_within_the_units(
    kernel: Kernel, unit: str, payload: str, expected: int
) -> None:
    (kernel.unit / "memory.max").write_text(f"{unit}\n")
    (kernel.payload / "memory.max").write_text(f"{payload}\n")
    assert kernel.look().groups[UNIT].limit == expected


def test_a_unit_and_a_process_that_have_just_ended(kernel: Kernel) -> None:
    shutil.rmtree(kernel.unit)
    assert kernel.look(8) == Look(5.0, {}, {})


def test_a_network_that_is_shared_counts_once_and_the_hosts_never(kernel: Kernel) -> None:
    kernel.process("7", DEV, network="pod")
    kernel.process("8", DEV, network="pod")
    kernel.process("9", DEV, network="self")
    assert len(kernel.look(7, 8, 9).networks) == 1


def test_a_process_that_is_another_one_by_now(kernel: Kernel) -> None:
    kernel.process("7", DEV, container="5ea" * 20)
    assert kernel.look(7).networks == {}


def test_a_unit_without_a_container_uses_what_helpers_do(kernel: Kernel) -> None:
    look = UsageReader(lambda: kernel.group, kernel.proc).read(Target((UNIT,)), 5.0)
    (found,) = look.groups.values()
    assert (found.memory, found.limit, found.helpers) == (None, None, 6144)


def test_what_is_no_table_is_not_known(kernel: Kernel) -> None:
    kernel.process("7", "eth0: what\n")
    assert kernel.look(7).networks == {}


def test_links_are_not_followed(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("7\n")
    (kernel.unit / "pids.current").unlink()
    (kernel.unit / "pids.current").symlink_to(tmp_path / "secret")
    assert kernel.look().groups[UNIT].pids is None
