"""Whether this host has what rootless containers under systemd need, and how to give it that.

Pure: `HostFacts` is gathered elsewhere, every rule makes one condition of it. A fix is a command
line that can be pasted; what needs another account than the workloads' own says `sudo`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from workloadd.core.errors import Problem
from workloadd.core.room import DiskFacts, Low, how_full, short_of, what_lacks

MIN_PODMAN = (5, 0)
# A regular user's range in /etc/subuid; images use IDs up to 65534 (nobody).
MIN_IDS = 65536
# Where useradd begins to hand out ranges (SUB_UID_MIN in login.defs(5)).
FIRST_ID = 100_000
CONTROLLERS = ("cpu", "memory", "pids", "io")


@dataclass(frozen=True, slots=True)
class HostCondition:
    """One condition of the host. `status` None means that it could not be found out.

    `reason` is CamelCase and stable, `message` a sentence, `fix` the command that puts it right.
    `warning` says that containers run without it, only less well.
    """

    name: str
    status: bool | None
    reason: str
    message: str
    fix: str = ""
    warning: bool = False


@dataclass(frozen=True, slots=True)
class DirectoryFacts:
    """What stat() says of a directory; None in its place where there is none."""

    uid: int
    mode: int


@dataclass(frozen=True, slots=True)
class SubordinateIds:
    """What /etc/subuid or /etc/subgid says: how many IDs we have, and the first that is free."""

    own: int = 0
    free_from: int = FIRST_ID


@dataclass(frozen=True, slots=True)
class PodmanFacts:
    """What Podman says of itself. Map sizes are IDs really mapped, 0 where it does not say."""

    version: str
    uid_map_size: int
    gid_map_size: int
    cgroup_version: str
    cgroup_controllers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Everything that the conditions are made of. `podman` is a Problem where it did not answer.

    `bus` and `podman_socket` are the problem of connecting to them, None where that works.
    """

    user: str
    uid: int
    linger: bool
    runtime_path: str
    runtime: DirectoryFacts | None
    bus_address: str
    bus: Problem | None
    podman_socket: str
    podman: PodmanFacts | Problem
    # /etc/subuid, then /etc/subgid.
    subordinate: tuple[SubordinateIds, ...] = (SubordinateIds(), SubordinateIds())
    disks: tuple[DiskFacts, ...] = ()
    # How much has to be free of them.
    low: Low = field(default_factory=Low)
    # Whether the networks of containers can be joined: False where that was not tried yet.
    joined: Problem | bool = False


def evaluate(facts: HostFacts) -> tuple[HostCondition, ...]:
    """All conditions, in the order in which they are best put right."""
    return tuple(rule(facts) for rule in _RULES)


def _not_root(facts: HostFacts) -> HostCondition:
    if facts.uid == 0:
        message = "cannot run rootless containers as root"
        return HostCondition("NotRoot", False, "Root", message, setup_commands("workloads"))
    return HostCondition("NotRoot", True, "OrdinaryUser", f"runs as {facts.user}")


def _linger(facts: HostFacts) -> HostCondition:
    if facts.linger:
        message = f"{facts.user}'s services run from boot on"
        return HostCondition("Linger", True, "Enabled", message)
    return HostCondition(
        "Linger",
        False,
        "Disabled",
        f"{facts.user}'s services start at its login and end at its logout",
        f"sudo loginctl enable-linger {facts.user}",
    )


def _runtime_dir(facts: HostFacts) -> HostCondition:
    path, found = facts.runtime_path, facts.runtime
    restart = f"sudo systemctl restart user@{facts.uid}.service"
    if found is None:
        message = f"there is no directory {path}, which systemd makes for a session or a lingerer"
        return HostCondition("RuntimeDir", False, "Missing", message, restart)
    if found.uid != facts.uid:
        message = f"{path} belongs to the user {found.uid}, not to {facts.user}"
        fix = f"export XDG_RUNTIME_DIR=/run/user/{facts.uid}"
        return HostCondition("RuntimeDir", False, "ForeignOwner", message, fix)
    if found.mode & 0o777 != 0o700:
        message = f"{path} has the mode {found.mode & 0o777:04o}, not 0700"
        return HostCondition("RuntimeDir", False, "WrongMode", message, f"chmod 0700 {path}")
    return HostCondition("RuntimeDir", True, "Present", f"{path} is there and private")


def _bus(facts: HostFacts) -> HostCondition:
    if facts.bus is None:
        return HostCondition("Bus", True, "Connected", f"{facts.bus_address} answers")
    fix = f"sudo systemctl start user@{facts.uid}.service"
    return HostCondition("Bus", False, facts.bus.reason, facts.bus.message, fix)


def _podman_socket(facts: HostFacts) -> HostCondition:
    if isinstance(facts.podman, Problem):
        fix = "systemctl --user enable --now podman.socket"
        return HostCondition("PodmanSocket", False, facts.podman.reason, facts.podman.message, fix)
    return HostCondition("PodmanSocket", True, "Connected", f"{facts.podman_socket} answers")


def _podman_version(facts: HostFacts) -> HostCondition:
    podman = facts.podman
    if isinstance(podman, Problem):
        return _unknown("PodmanVersion", "which version Podman is")
    found = _release(podman.version)
    if found is None:
        return _unknown("PodmanVersion", f"which version “{podman.version}” is")
    wanted = ".".join(map(str, MIN_PODMAN))
    if found < MIN_PODMAN:
        message = f"Podman is {podman.version}, older than {wanted}"
        fix = f"install Podman {wanted} or later from the distribution, then restart podman.socket"
        return HostCondition("PodmanVersion", False, "TooOld", message, fix)
    return HostCondition("PodmanVersion", True, "Supported", f"Podman is {podman.version}")


def _release(version: str) -> tuple[int, int] | None:
    found = re.match(r"v?(\d{1,6})\.(\d{1,6})", version, re.ASCII)
    return (int(found[1]), int(found[2])) if found else None


def _subordinate_ids(facts: HostFacts) -> HostCondition:
    podman = facts.podman
    if isinstance(podman, Problem) or not (podman.uid_map_size and podman.gid_map_size):
        return _unknown("SubordinateIds", "which user and group IDs containers have")
    if min(podman.uid_map_size, podman.gid_map_size) >= MIN_IDS:
        message = f"containers have {podman.uid_map_size} user and {podman.gid_map_size} group IDs"
        return HostCondition("SubordinateIds", True, "Applied", message)
    has = f"{podman.uid_map_size} user and {podman.gid_map_size} group IDs"
    if min(ids.own for ids in facts.subordinate) >= MIN_IDS:
        message = f"containers have {has}, although /etc/subuid and /etc/subgid give {MIN_IDS}"
        return HostCondition(
            "SubordinateIds", False, "NotApplied", message, "podman system migrate"
        )
    first = max(ids.free_from for ids in facts.subordinate)
    ids = f"{first}-{first + MIN_IDS - 1}"
    return HostCondition(
        "SubordinateIds",
        False,
        "NotAssigned",
        f"containers have {has}, and images need {MIN_IDS}",
        f"sudo usermod --add-subuids {ids} --add-subgids {ids} {facts.user}"
        " && podman system migrate",
    )


def subordinate_ids(text: str, user: str, uid: int) -> SubordinateIds:
    """Reads subuid(5) or subgid(5): lines of NAME-OR-UID:FIRST:COUNT."""
    own, free_from = 0, FIRST_ID
    for line in text.splitlines():
        owner, _, numbers = line.strip().partition(":")
        first, _, count = numbers.partition(":")
        if not (first.isascii() and first.isdigit() and count.isascii() and count.isdigit()):
            continue
        free_from = max(free_from, int(first) + int(count))
        if owner in (user, str(uid)):
            own += int(count)
    return SubordinateIds(own, free_from)


def _cgroup_v2(facts: HostFacts) -> HostCondition:
    podman = facts.podman
    if isinstance(podman, Problem) or not podman.cgroup_version:
        return _unknown("CgroupV2", "which version the cgroup hierarchy has")
    if podman.cgroup_version == "v2":
        return HostCondition("CgroupV2", True, "Unified", "the cgroup hierarchy is unified (v2)")
    return HostCondition(
        "CgroupV2",
        False,
        "Legacy",
        f"the cgroup hierarchy is {podman.cgroup_version}; rootless limits and units need v2",
        "boot the kernel with systemd.unified_cgroup_hierarchy=1",
    )


def _controllers(facts: HostFacts) -> HostCondition:
    podman = facts.podman
    if isinstance(podman, Problem):
        return _unknown("Controllers", "which cgroup controllers are delegated", warning=True)
    missing = [name for name in CONTROLLERS if name not in podman.cgroup_controllers]
    if not missing:
        message = f"delegated to {facts.user}: {', '.join(CONTROLLERS)}"
        return HostCondition("Controllers", True, "Delegated", message, warning=True)
    return HostCondition(
        "Controllers",
        False,
        "NotDelegated",
        f"not delegated to {facts.user}: {', '.join(missing)}; limits on them cannot be set",
        "sudo mkdir -p /etc/systemd/system/user@.service.d"
        f" && printf '[Service]\\nDelegate={' '.join(('cpuset', *CONTROLLERS))}\\n'"
        " | sudo tee /etc/systemd/system/user@.service.d/delegate.conf"
        f" && sudo systemctl daemon-reload && sudo systemctl restart user@{facts.uid}.service",
        warning=True,
    )


def _namespaces(facts: HostFacts) -> HostCondition:
    if isinstance(facts.joined, Problem):
        message = f"{facts.joined.message}; probes reach published ports only"
        fix = (
            "set namespaces = true under [probes] in workloadd.toml"
            if facts.joined.reason == "SwitchedOff"
            else "systemctl --user cat workloadd.service  # RestrictNamespaces= has to allow user"
            " and net; what needs a mount namespace (PrivateTmp=, ProtectSystem= …) is in the way"
        )
        reason = facts.joined.reason
        return HostCondition("Namespaces", False, reason, message, fix, warning=True)
    if not facts.joined:
        return _unknown("Namespaces", "whether networks of containers can be joined", warning=True)
    message = "probes reach every port of a container"
    return HostCondition("Namespaces", True, "Joined", message, warning=True)


def _disk_space(facts: HostFacts) -> HostCondition:
    if not facts.disks:
        return _unknown("DiskSpace", "how much disk space is free")
    lacking = short_of(facts.disks, facts.low)
    if not lacking:
        message = "; ".join(how_full(disk) for disk in facts.disks)
        return HostCondition("DiskSpace", True, "Enough", message)
    return HostCondition(
        "DiskSpace",
        False,
        "Low",
        "; ".join(what_lacks(disk, facts.low) for disk in lacking),
        "workloadctl prune; podman system df  # the one removes unused images of ours at once",
    )


def _unknown(name: str, what: str, *, warning: bool = False) -> HostCondition:
    message = f"cannot find out {what}"
    return HostCondition(name, None, "Unknown", message, warning=warning)


_RULES: tuple[Callable[[HostFacts], HostCondition], ...] = (
    _not_root,
    _linger,
    _runtime_dir,
    _bus,
    _podman_socket,
    _podman_version,
    _subordinate_ids,
    _cgroup_v2,
    _controllers,
    _namespaces,
    _disk_space,
)


def setup_commands(user: str) -> str:
    """The commands that set up an account for the daemon, one a line.

    A regular account: useradd gives system accounts no subordinate IDs. Its name goes in unquoted.
    """
    return "\n".join(
        (
            f"sudo useradd --create-home --shell /usr/sbin/nologin {user}",
            f"sudo loginctl enable-linger {user}",
            f"sudo systemctl --user --machine={user}@ enable --now podman.socket workloadd.service",
        )
    )


def root_refusal(user: str = "workloads") -> str:
    """What somebody is told who starts the daemon as root."""
    commands = "\n".join(f"    {line}" for line in setup_commands(user).splitlines())
    return (
        "workloadd: cannot run as root: its containers are rootless and belong to an ordinary\n"
        f"user made for them. Set one up and let systemd start the daemon there:\n\n{commands}\n\n"
        "Workload files stay in /etc/workloadd/workloads.d, written by root, readable by it."
    )
