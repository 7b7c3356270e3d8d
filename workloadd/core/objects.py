"""Networks, volumes and secrets of ours on the host, as one look found them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.core.names import LABEL_MADE_OF, LABEL_USER, LABEL_WORKLOAD
from workloadd.spec.network import NetworkOptions
from workloadd.spec.volume import VolumeOptions

_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Network:
    """A network of Podman's. `workload` is whose it is, empty for a shared one, None where it is
    not ours; `made_of` is what it was made of, empty for the defaults."""

    name: str
    workload: str | None = None
    made_of: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of Podman's, likewise."""

    name: str
    workload: str | None = None
    made_of: str = ""


@dataclass(frozen=True, slots=True)
class Objects:
    """What there is besides containers: networks and volumes by name, the secrets of ours.

    `users` are the names of the containers in each network, whoever they belong to.
    """

    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NeededNetwork:
    """A network as it has to be. `owner` is the workload, empty for a shared one."""

    name: str
    owner: str
    spec: NetworkOptions = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeededVolume:
    """A volume as it has to be, likewise."""

    name: str
    owner: str
    spec: VolumeOptions = field(repr=False)


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be there before a workload's containers are."""

    networks: tuple[NeededNetwork, ...] = ()
    volumes: tuple[NeededVolume, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """The images whose content volumes show: without them those cannot be made."""
        return tuple(dict.fromkeys(v.spec.image for v in self.volumes if v.spec.image))


NO_NEEDS = Needs()
NO_OBJECTS = Objects()


def made_of(spec: NetworkOptions | VolumeOptions) -> str:
    """A digest of what cannot be changed later; empty where all of it is as by default.

    So what an older version made without saying of what is taken for the default.
    """
    content = spec.made_of()
    if not content:
        return ""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def object_labels(user: str, workload: str, spec: NetworkOptions | VolumeOptions) -> dict[str, str]:
    """The labels by which a network or volume is known as ours; `workload` is empty for a shared
    one."""
    labels = {LABEL_USER: user, LABEL_WORKLOAD: workload, LABEL_MADE_OF: made_of(spec)}
    return {key: value for key, value in labels.items() if value or key == LABEL_WORKLOAD}


def owner_of(labels: Mapping[str, str], user: str) -> str | None:
    """The workload that an object with these labels belongs to, empty for a shared one, None where
    it is not ours."""
    return labels.get(LABEL_WORKLOAD) if labels.get(LABEL_USER) == user else None
