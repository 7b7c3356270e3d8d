"""The daemon's settings: names, defaults, bounds and their explanations, in one table of models.

Every field has a default, so a fragment (one file, which says only some of them) is checked by the
same models as the whole. Durations are seconds in here, and `60s` or `1m30s` in a file.
"""

import ipaddress
import os
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.functional_validators import AfterValidator

from workloadd.core.room import Low
from workloadd.spec.units import format_duration, parse_duration, parse_size
from workloadd.spec.update import MAX_KEPT

Seconds = Annotated[
    float, BeforeValidator(parse_duration), PlainSerializer(format_duration, when_used="json")
]


# What shadow-utils and systemd let a group be called; and who a process is that has no number here.
_GROUP = re.compile(r"[0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?")
_NOBODIES = ("nogroup", "nobody", "65534", "65535")

CREDENTIAL = "credential:"
"""Before the name of a credential of systemd, where a path may stand."""


def _check_listen(value: str) -> str:
    """`HOST:PORT` with a loopback host: the TCP listener knows no users."""
    if value:
        split_listen(value)
    return value


def split_listen(value: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:7780`, `[::1]:7780` or `localhost:7780`; else a ValueError."""
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError("expected HOST:PORT as in 127.0.0.1:7780, or nothing to turn it off")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(
            "only a loopback address is accepted, since whoever reaches it may read the status; "
            "put a reverse proxy with access control in front to publish it"
        )
    return host, int(port)


def _check_absolute(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError("expected an absolute path, or nothing for Podman's own places")
    return value


def _check_token_file(value: str) -> str:
    name = value.removeprefix(CREDENTIAL)
    credential = value.startswith(CREDENTIAL) and name and "/" not in name
    if value and not credential and not value.startswith("/"):
        raise ValueError(
            f"expected an absolute path, or {CREDENTIAL}NAME for what systemd passes on, or nothing"
        )
    return value


def _check_group(value: str) -> str:
    if value and not _GROUP.fullmatch(value):
        raise ValueError("expected the name of a group of this host, or its number")
    if value in _NOBODIES:
        raise ValueError("expected a group that has members of its own")
    return value


def _share(text: str) -> float:
    """The share that a percentage is."""
    number = text.removesuffix("%").strip()
    try:
        share = float(number) / 100 if number.isascii() else -1.0
    except ValueError:
        share = -1.0
    if not text.endswith("%") or not 0 <= share <= 1:
        raise ValueError("expected a percentage as in 5%")
    return share


def _check_share(value: str) -> str:
    _share(value)
    return value


def _check_room(value: str) -> str:
    if value.endswith("%"):
        _share(value)
    else:
        parse_size(value)
    return value


def _check_upstream(value: str) -> str:
    parts = urlsplit(value)
    if value and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError("expected a URL as https://lock.example.com/, or nothing for none")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("expected a URL without a user, a password, a query or a fragment")
    return value


def default_jobs() -> int:
    """Two start jobs for each core we may use: beyond that they only slow each other down."""
    return max(2, 2 * len(os.sched_getaffinity(0)))


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class ApiSettings(_Section):
    """The HTTP listener. The Unix socket is always there."""

    listen: Annotated[str, AfterValidator(_check_listen)] = "127.0.0.1:7780"
    """Loopback address and port of the read-only listener; empty turns it off."""

    token_file: Annotated[str, AfterValidator(_check_token_file)] = ""
    """Path of a token that the listener wants, or `credential:NAME`; empty for no token."""

    group: Annotated[str, AfterValidator(_check_group)] = ""
    """Group whose members may ask and act as the owner may, on its own socket; empty for none."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port to listen on, None for not at all."""
        return split_listen(self.listen) if self.listen else None


class ReconcileSettings(_Section):
    """When the host is compared with the workload files, and how much is done at once."""

    interval: Annotated[Seconds, Field(ge=1, le=86400)] = 60.0
    """Time between two passes when nothing happens."""
    jitter: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.2
    """Share of the interval by which it varies at random, so that hosts do not march in step."""
    debounce: Annotated[Seconds, Field(ge=0, le=60)] = 0.05
    """How long to wait for further changes before a pass."""
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    """Containers created at the same time."""
    jobs: Annotated[int, Field(ge=1, le=256)] = Field(default_factory=default_jobs)
    """systemd start jobs in flight; two for each core, at least 2, unless set."""


class RolloutSettings(_Section):
    """How a new deployment proves itself."""

    soak: Annotated[Seconds, Field(ge=0, le=86400)] = 5.0
    """How long it has to run without trouble."""
    deadline: Annotated[Seconds, Field(ge=1, le=86400)] = 120.0
    """How long it may take until it does; then the previous deployment comes back."""
    restarts: Annotated[int, Field(ge=1, le=1000)] = 2
    """Restarts before it proved itself that count as a failure."""
    keep: Annotated[int, Field(ge=1, le=MAX_KEPT)] = 1
    """Deployments that are kept, stopped, behind the one that serves."""


class PullSettings(_Section):
    """How images are fetched."""

    parallel: Annotated[int, Field(ge=1, le=64)] = 3
    """Images pulled at the same time."""
    deadline: Annotated[Seconds, Field(ge=1, le=86400)] = 900.0
    """How long one attempt may take."""
    auth_file: Annotated[str, AfterValidator(_check_absolute)] = ""
    """Credentials for registries (an auth.json); empty for the places where Podman looks."""
    backoff_base: Annotated[Seconds, Field(ge=0.1, le=3600)] = 2.0
    """Wait after the first failed attempt; it doubles with each further one."""
    backoff_max: Annotated[Seconds, Field(ge=0.1, le=86400)] = 300.0
    """The longest wait between two attempts."""


class DiskSettings(_Section):
    """How much room has to be left where Podman keeps images and containers."""

    low: Annotated[str, AfterValidator(_check_room)] = "1g"
    """A size, or a share as in 5%: with less free no pull begins, at half of it one is stopped."""
    low_inodes: Annotated[str, AfterValidator(_check_share)] = "2%"
    """The same for inodes, where the file system has a fixed number of them."""

    @property
    def limit(self) -> Low:
        """The numbers to compare with."""
        inodes = _share(self.low_inodes)
        if self.low.endswith("%"):
            return Low(0, _share(self.low), inodes)
        return Low(parse_size(self.low), 0.0, inodes)


class PruneSettings(_Section):
    """What is cleared away that no workload needs any more."""

    images: bool = True
    """Remove images that were pulled for workloads; others are never touched."""
    keep: Annotated[Seconds, Field(ge=0, le=31_536_000)] = 86400.0
    """How long an image has to have been unused; where disk space is low, not at all."""
    interval: Annotated[Seconds, Field(ge=1, le=2_592_000)] = 3600.0
    """Time between two looks for unused images."""


class ProbeSettings(_Section):
    """How containers are probed."""

    namespaces: bool = True
    """Join the networks of containers, so that any port is reached; else only published ones."""


class UpdateSettings(_Section):
    """How registries are asked for newer images (`update.policy` of a workload)."""

    interval: Annotated[Seconds, Field(ge=10, le=30 * 86400)] = 3600.0
    """Time between two questions about the same tag."""
    jitter: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.2
    """Share of the interval by which it varies at random."""


class HistorySettings(_Section):
    """What is remembered."""

    keep: Annotated[int, Field(ge=1, le=10000)] = 50
    """Rollouts kept of each workload."""


class UsageSettings(_Section):
    """Looking at what workloads use: processor, memory, network, block devices."""

    interval: Annotated[Seconds, Field(ge=0, le=3600)] = 10.0
    """Time between two looks, of which the last 90 are kept; 0 for none."""


class FleetLockSettings(_Section):
    """Reboots for updates of the host: what Zincati asks with the FleetLock protocol."""

    enabled: bool = False
    """Whether the endpoint `/fleetlock/` is there, on the listener and on the Unix socket."""
    users: Annotated[tuple[str, ...], Field(strict=False)] = ("zincati", "root")
    """Who may ask on the listener: names, or numbers, of users of this host."""
    timeout: Annotated[Seconds, Field(ge=1, le=86400)] = 600.0
    """How long workloads stay stopped with neither a reboot nor another question about it."""
    upstream: Annotated[str, AfterValidator(_check_upstream)] = ""
    """Base URL of a FleetLock server that has to agree as well; empty for none."""


class LogSettings(_Section):
    """What goes to the journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe messages that are logged."""


class Settings(_Section):
    """All settings, validated and frozen."""

    api: ApiSettings = ApiSettings()
    reconcile: ReconcileSettings = Field(default_factory=ReconcileSettings)
    rollout: RolloutSettings = RolloutSettings()
    pull: PullSettings = PullSettings()
    updates: UpdateSettings = UpdateSettings()
    disk: DiskSettings = DiskSettings()
    prune: PruneSettings = PruneSettings()
    probes: ProbeSettings = ProbeSettings()
    history: HistorySettings = HistorySettings()
    usage: UsageSettings = UsageSettings()
    fleetlock: FleetLockSettings = FleetLockSettings()
    log: LogSettings = LogSettings()
