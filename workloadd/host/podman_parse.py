"""Podman's JSON made into our own types. Field names are those of Podman 5's libpod API."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from workloadd.core.names import (
    LABEL_CONTAINER,
    LABEL_REVISION,
    LABEL_UNIT,
    LABEL_USER,
    LABEL_WORKLOAD,
)
from workloadd.core.observed import Container
from workloadd.core.probes import image_probe
from workloadd.core.revision import Image, UnitParams


@dataclass(frozen=True, slots=True)
class PodmanInfo:
    """What Podman says of itself and of the host, for the preflight conditions.

    The map sizes count the user and group IDs that are really mapped in Podman's user namespace
    (1 where no subordinate range is applied), or 0 where Podman does not say (run as root).
    """

    version: str
    rootless: bool
    uid_map_size: int
    gid_map_size: int
    cgroup_version: str
    cgroup_manager: str
    cgroup_controllers: tuple[str, ...]
    network_backend: str
    oci_runtime: str
    graph_root: Path
    volume_path: Path
    # Where layers are put while they are fetched.
    copy_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class ContainerList:
    """All containers: those of ours in full, of the others and their pods only which names they
    take.

    `in_networks` are the names of the containers in each network, `images` the IDs of the images
    that containers were made from by the containers' IDs, whoever they belong to.
    """

    ours: tuple[Container, ...]
    foreign_names: frozenset[str]
    in_networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)


def parse_info(body: bytes) -> PodmanInfo:
    """The answer of `GET /libpod/info`."""
    raw = json.loads(body)
    host, store = raw["host"], raw["store"]
    maps = host.get("idMappings") or {}
    return PodmanInfo(
        version=raw["version"]["Version"],
        rootless=bool(host["security"]["rootless"]),
        uid_map_size=_map_size(maps.get("uidmap")),
        gid_map_size=_map_size(maps.get("gidmap")),
        cgroup_version=host["cgroupVersion"],
        cgroup_manager=host["cgroupManager"],
        cgroup_controllers=tuple(host.get("cgroupControllers") or ()),
        network_backend=host.get("networkBackend", ""),
        oci_runtime=(host.get("ociRuntime") or {}).get("name", ""),
        graph_root=Path(store["graphRoot"]),
        volume_path=Path(store["volumePath"]),
        copy_dir=Path(store["imageCopyTmpDir"]) if store.get("imageCopyTmpDir") else None,
    )


def parse_containers(body: bytes, user: str) -> ContainerList:
    """The answer of `GET /libpod/containers/json`; ours carry our labels and `user`'s name."""
    ours: list[Container] = []
    foreign: set[str] = set()
    networks: dict[str, tuple[str, ...]] = {}
    images: dict[str, str] = {}
    for row in json.loads(body) or ():
        images[row["Id"]] = row.get("ImageID") or ""
        for network in row.get("Networks") or ():
            networks[network] = (*networks.get(network, ()), *(row.get("Names") or ())[:1])
        labels = row.get("Labels") or {}
        if labels.get(LABEL_USER) == user and _is_complete(labels):
            ours.append(_container(row, labels))
        else:
            foreign.update(row.get("Names") or ())
            foreign.update([row["PodName"]] if row.get("PodName") else ())
    return ContainerList(tuple(ours), frozenset(foreign), networks, images)


def parse_image(body: bytes) -> Image:
    """The answer of `GET /libpod/images/NAME/json`."""
    raw = json.loads(body)
    names = raw.get("RepoDigests") or ()
    return Image(
        id=raw["Id"],
        digest=raw["Digest"],
        probe=image_probe(raw.get("Healthcheck")),
        digests=frozenset(name.rpartition("@")[2] for name in names),
    )


def _map_size(ranges: list[dict[str, int]] | None) -> int:
    return sum(int(entry["size"]) for entry in ranges or ())


def _is_complete(labels: dict[str, str]) -> bool:
    return all(labels.get(name) for name in (LABEL_WORKLOAD, LABEL_CONTAINER, LABEL_REVISION))


def _container(row: dict[str, Any], labels: dict[str, str]) -> Container:
    names = row.get("Names") or [""]
    params = _params(labels.get(LABEL_UNIT, ""))
    return Container(
        id=row["Id"],
        name=names[0],
        workload=labels[LABEL_WORKLOAD],
        container=labels[LABEL_CONTAINER],
        revision=labels[LABEL_REVISION],
        image_id=row.get("ImageID") or "",
        image=(params.image if params else "") or row.get("Image") or "",
        state=row.get("State") or "unknown",
        exit_code=int(row.get("ExitCode") or 0),
        created_at=_timestamp(row.get("Created")),
        started_at=_timestamp(row.get("StartedAt")),
        exited_at=_timestamp(row.get("ExitedAt")),
        params=params,
        ports=tuple(_ports(row.get("Ports") or ())),
        pod=row.get("Pod") or "",
        pid=int(row.get("Pid") or 0),
    )


def _ports(mappings: Iterable[dict[str, Any]]) -> Iterator[tuple[str, int, str]]:
    """The host ports; Podman joins neighbours into a range, and protocols by commas."""
    for mapping in mappings:
        address = mapping.get("host_ip") or ""
        address = "" if address in ("0.0.0.0", "::") else address  # noqa: S104 - compared only
        for protocol in (mapping.get("protocol") or "tcp").split(","):
            for offset in range(mapping.get("range") or 1):
                yield address, int(mapping["host_port"]) + offset, protocol


def _timestamp(value: object) -> float:
    """Seconds since the epoch; Go's zero time lies before it and means never."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value).timestamp() if value[:4] > "1970" else 0
    return max(0.0, float(value)) if isinstance(value, int | float) else 0.0


@lru_cache(maxsize=4096)
def _params(label: str) -> UnitParams | None:
    """A label is parsed once, not in every pass."""
    return UnitParams.from_label(label)
