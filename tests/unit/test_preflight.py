"""The host's conditions: every way in which one fails, and a fix that names the right things."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from workloadd.core.errors import Permanent, Problem
from workloadd.core.host import (
    DirectoryFacts,
    HostCondition,
    HostFacts,
    PodmanFacts,
    SubordinateIds,
    evaluate,
    subordinate_ids,
)
from workloadd.core.room import GIB, DiskFacts, Low
from workloadd.host import preflight
from workloadd.host.podman import PodmanInfo
from workloadd.settings import Paths

PODMAN = PodmanFacts("5.4.2", 65537, 65537, "v2", ("cpu", "io", "memory", "pids"))
GOOD = HostFacts(
    user="workloads",
    uid=1001,
    linger=True,
    runtime_path="/run/user/1001",
    runtime=DirectoryFacts(1001, 0o40700),
    bus_address="unix:path=/run/user/1001/bus",
    bus=None,
    podman_socket="/run/user/1001/podman/podman.sock",
    podman=PODMAN,
    disks=(DiskFacts("/var", "images and containers", 50 * GIB, 100 * GIB),),
    joined=True,
)
AWAY = Problem("SocketMissing", "cannot reach Podman: there is no socket")


def condition(name: str, facts: HostFacts) -> HostCondition:
    return next(c for c in evaluate(facts) if c.name == name)


def test_a_host_on_which_all_is_well() -> None:
    conditions = evaluate(GOOD)
    assert [c.name for c in conditions] == [
        "NotRoot", "Linger", "RuntimeDir", "Bus", "PodmanSocket", "PodmanVersion",
        "SubordinateIds", "CgroupV2", "Controllers", "Namespaces", "DiskSpace",
    ]  # fmt: skip
    assert all(c.status is True and c.reason and c.message and not c.fix for c in conditions)
    assert [c.name for c in conditions if c.warning] == ["Controllers", "Namespaces"]


def podman(**changes: object) -> HostFacts:
    return replace(GOOD, podman=replace(PODMAN, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "facts", "reason", "said", "fix"),
    [
        ("Namespaces", replace(GOOD, joined=Problem("CannotJoin", "cannot join: no")), "CannotJoin",
         "published ports only", "RestrictNamespaces="),
        ("Namespaces", replace(GOOD, joined=Problem("SwitchedOff", "not joined")), "SwitchedOff",
         "published ports only", "namespaces = true"),
        ("NotRoot", replace(GOOD, uid=0), "Root", "as root", "enable-linger workloads"),
        ("Linger", replace(GOOD, linger=False), "Disabled", "logout",
         "sudo loginctl enable-linger workloads"),
        ("RuntimeDir", replace(GOOD, runtime=None), "Missing", "/run/user/1001",
         "sudo systemctl restart user@1001.service"),
        ("RuntimeDir", replace(GOOD, runtime=DirectoryFacts(0, 0o40700)), "ForeignOwner",
         "the user 0", "export XDG_RUNTIME_DIR=/run/user/1001"),
        ("RuntimeDir", replace(GOOD, runtime=DirectoryFacts(1001, 0o40755)), "WrongMode",
         "0755", "chmod 0700 /run/user/1001"),
        ("Bus", replace(GOOD, bus=Problem("Missing", "cannot connect")), "Missing",
         "cannot connect", "sudo systemctl start user@1001.service"),
        ("PodmanSocket", replace(GOOD, podman=AWAY), "SocketMissing", "no socket",
         "systemctl --user enable --now podman.socket"),
        ("PodmanVersion", podman(version="4.9.4-rhel"), "TooOld", "4.9.4-rhel, older than 5.0",
         "install Podman 5.0"),
        ("SubordinateIds", podman(uid_map_size=1, gid_map_size=1), "NotAssigned", "1 user",
         "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 workloads"
         " && podman system migrate"),
        ("SubordinateIds", podman(gid_map_size=1001), "NotAssigned", "1001 group", "usermod"),
        ("SubordinateIds",
         replace(podman(uid_map_size=1), subordinate=(SubordinateIds(65536, 165536),) * 2),
         "NotApplied", "although /etc/subuid", "podman system migrate"),
        ("SubordinateIds",
         replace(podman(uid_map_size=1),
                 subordinate=(SubordinateIds(0, 165536), SubordinateIds(65536, 231072))),
         "NotAssigned", "1 user", "--add-subuids 231072-296607"),
        ("CgroupV2", podman(cgroup_version="v1"), "Legacy", "v1", "unified_cgroup_hierarchy=1"),
        ("Controllers", podman(cgroup_controllers=("memory", "pids")), "NotDelegated",
         "not delegated to workloads: cpu, io;", "Delegate=cpuset cpu memory pids io"),
        ("DiskSpace", replace(GOOD, disks=(DiskFacts("/a", "images", GIB - 1, 4 * GIB),)), "Low",
         "for images (/a), less than 1.0 GiB", "workloadctl prune"),
        ("DiskSpace", replace(GOOD, low=Low(0, share=0.6)), "Low", "50.0 GiB (50 %)", "prune"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_with_its_fix(
    name: str, facts: HostFacts, reason: str, said: str, fix: str
) -> None:
    found = condition(name, facts)
    assert found.status is False
    assert found.reason == reason
    assert said in found.message
    assert fix in found.fix


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        *((name, replace(GOOD, podman=AWAY))
          for name in ("PodmanVersion", "SubordinateIds", "CgroupV2", "Controllers")),
        ("PodmanVersion", podman(version="devel")),
        ("SubordinateIds", podman(uid_map_size=0)),
        ("CgroupV2", podman(cgroup_version="")),
        ("DiskSpace", replace(GOOD, disks=())),
    ],
)  # fmt: skip
def test_what_cannot_be_found_out_is_unknown(name: str, facts: HostFacts) -> None:
    assert condition(name, facts).status is None


@pytest.mark.parametrize("version", ["5.0.0", "v5.8.1", "6.0.0-dev", "10.1"])
def test_supported_versions(version: str) -> None:
    assert condition("PodmanVersion", podman(version=version)).status is True


def test_subordinate_ids_are_read_by_name_and_number() -> None:
    text = "core:100000:65536\nworkloads:165536:65536\n1001:300000:10\n# x\nbad:line\n::\n"
    assert subordinate_ids(text, "workloads", 1001) == SubordinateIds(65546, 300010)
    assert subordinate_ids("", "workloads", 1001) == SubordinateIds(0, 100_000)


class FakePodman:
    def __init__(self, answer: PodmanInfo | Exception) -> None:
        self.answer = answer

    async def info(self) -> PodmanInfo:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


INFO = PodmanInfo(
    version="5.4.2", rootless=True, uid_map_size=65537, gid_map_size=65537, cgroup_version="v2",
    cgroup_manager="systemd", cgroup_controllers=("cpu", "io", "memory", "pids"),
    network_backend="netavark", oci_runtime="crun", graph_root=Path("/nonexistent/storage"),
    volume_path=Path("/nonexistent/volumes"),
)  # fmt: skip


async def serve_bus(path: Path) -> asyncio.Server:
    return await asyncio.start_unix_server(lambda _, writer: writer.close(), path)


async def gathered(paths: Paths, answer: PodmanInfo | Exception) -> dict[str, HostCondition]:
    return {c.name: c for c in await preflight.gather(FakePodman(answer), paths)}


async def test_gathering_from_a_directory_tree(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    found = await gathered(paths, INFO)
    assert found["Linger"].status is False
    assert found["RuntimeDir"].reason == "Missing"
    assert found["Bus"].reason == "Missing"
    assert found["DiskSpace"].status is not None
    make_tree(paths)
    server = await serve_bus(paths.xdg_runtime_dir / "bus")
    found = await gathered(paths, INFO)
    server.close()
    await server.wait_closed()
    assert all(found[name].status for name in ("Linger", "RuntimeDir", "Bus", "PodmanSocket"))


def make_tree(paths: Paths) -> None:
    paths.linger_file.parent.mkdir(parents=True)
    paths.linger_file.touch()
    paths.xdg_runtime_dir.mkdir(parents=True)
    paths.xdg_runtime_dir.chmod(0o700)


async def test_gathering_where_podman_does_not_answer(tmp_path: Path) -> None:
    found = await gathered(Paths.under(tmp_path), Permanent(AWAY.reason, AWAY.message))
    assert found["PodmanSocket"].reason == AWAY.reason
    assert found["SubordinateIds"].status is None
    assert found["DiskSpace"].status is not None  # of the state directory at least


@pytest.mark.parametrize("address", ["tcp:host=localhost,port=1", "unix:tmpdir=/tmp", ""])
async def test_a_bus_that_is_no_unix_socket(tmp_path: Path, address: str) -> None:
    paths = replace(Paths.under(tmp_path), bus_address=address)
    assert (await gathered(paths, INFO))["Bus"].reason == "NotSupported"


async def test_one_working_address_of_a_list_is_enough(tmp_path: Path) -> None:
    escaped = f"unix:path={tmp_path}/a%20b,guid=00"
    paths = Paths.under(tmp_path, bus_address=f"unix:path={tmp_path}/no;{escaped}")
    server = await serve_bus(tmp_path / "a b")
    assert (await gathered(paths, INFO))["Bus"].status is True
    server.close()
    await server.wait_closed()


def test_root_is_refused_with_the_right_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SystemExit) as caught:
        preflight.refuse_root()
    assert caught.value.code == 78
    said = capsys.readouterr().err
    assert "cannot run as root" in said
    assert "sudo loginctl enable-linger workloads" in said
    assert "enable --now podman.socket workloadd.service" in said


def test_an_ordinary_user_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    preflight.refuse_root()
