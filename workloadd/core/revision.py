"""A revision: a spec with everything that it refers to pinned, named by a digest of it all."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from pydantic import BaseModel

from workloadd.core.given import GivenFile, GivenSecret, stored_name
from workloadd.core.names import secret_name, volume_name
from workloadd.core.objects import NO_NEEDS, Needs
from workloadd.core.probes import Probe, probes_of
from workloadd.core.schedule import JobParams
from workloadd.core.socket_units import to_texts
from workloadd.spec.container import ContainerSpec
from workloadd.spec.dependencies import Until
from workloadd.spec.files import File
from workloadd.spec.job import JobSpec
from workloadd.spec.model import PodSpec, WorkloadSpec
from workloadd.spec.names import INFRA_CONTAINER, MAIN_CONTAINER
from workloadd.spec.owners import outside
from workloadd.spec.pod import PodContainer
from workloadd.spec.ports import Port

# How a file is fetched, whether it runs at all, how it is replaced and what people call it do not
# change what runs.
_NOT_IN_DIGEST = {"enabled", "pull", "description", "update", "inhibit_reboot"}

_LISTS = ("reclaim", "ports", "secrets", "files", "sockets")
# How the container is told of changed files is not of the container.
_NOT_OF_CONTAINER = _NOT_IN_DIGEST | {"secrets", "files", "reload"}
_SOURCES = {"file", "variable", "credential", "content", "source"}

Role = Literal["main", "infra", "init", "member"]


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An `env_file` as read: its path, and its variables in the order of the file.

    The values may be secrets: they are in no repr, log line, unit or status.
    """

    path: str
    variables: tuple[tuple[str, str], ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a container is given from elsewhere: variables, secrets and files, as they were read.

    `seccomp` is the digest of its profile's content, empty where it has none of its own.
    """

    env_files: tuple[EnvFile, ...] = field(repr=False, default=())
    secrets: tuple[GivenSecret, ...] = field(repr=False, default=())
    files: tuple[GivenFile, ...] = field(repr=False, default=())
    seccomp: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image in local storage. `digest` is the manifest's, `id` the configuration's.

    `probe` is the check that it brings with it. `digests` are all by which registries know it: its
    manifest's, and that of the index through which it was pulled.
    """

    id: str
    digest: str
    probe: Probe | None = None
    digests: frozenset[str] = field(default=frozenset(), compare=False)

    def is_of(self, digest: str) -> bool:
        """Whether it is the image that a registry gives this digest."""
        return digest == self.digest or digest in self.digests


@dataclass(frozen=True, slots=True)
class Need:
    """Something to wait for before a start: a workload, or another container of the pod."""

    name: str
    condition: Until = "started"
    restart: bool = False

    @classmethod
    def read(cls, raw: Any) -> "Need":
        """The need in a label's JSON; raises what `UnitParams.from_label` catches."""
        return cls(str(raw["name"]), raw["condition"], bool(raw["restart"]))

    @property
    def gates(self) -> bool:
        """Whether only the daemon can tell when it is met."""
        return self.condition != "started"


@dataclass(frozen=True, slots=True)
class UnitParams:
    """What a container's unit says besides its ID; kept in a label of the container.

    `role` is what the container is to its workload: its only one, a pod's infra container, one
    that runs to its end first, or another member of a pod. `stop_timeout` is in seconds,
    `max_retries` 0 means no bound; `reclaim` are the Podman volumes to delete when the workload's
    file goes. `image` is the reference in the file: Podman itself shows a container that was made
    by image ID under any of that image's names. `ports` are written as in a file. `secrets` are
    the Podman secrets and `files` the kept files that the container refers to. `sockets` are those
    that systemd hands it (see `socket_units`), `idle_timeout` is in seconds, 0 for never. `probes`
    are those that the daemon asks the container with, `depends_on` what is there before it starts:
    workloads, or for a member of a pod other members.
    """

    role: Role = "main"
    restart: str = "always"
    max_retries: int = 0
    stop_timeout: float = 10.0
    reclaim: tuple[str, ...] = ()
    image: str = ""
    image_digest: str = ""
    ports: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    job: JobParams | None = None
    sockets: tuple[str, ...] = ()
    idle_timeout: float = 0.0
    probes: tuple[Probe, ...] = ()
    depends_on: tuple[Need, ...] = ()

    def to_label(self) -> str:
        """The label's text: compact JSON."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_label(cls, text: str) -> "UnitParams | None":
        """The parameters in a label's text, or None where they cannot be read.

        What a later version added is passed over.
        """
        try:
            raw = json.loads(text)
            known = {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
            lists = {key: tuple(raw.get(key, ())) for key in _LISTS}
            job = JobParams.read(raw.get("job"))
            probes = tuple(Probe.read(one) for one in raw.get("probes", ()))
            needs = tuple(Need.read(one) for one in raw.get("depends_on", ()))
            more = {"job": job, "probes": probes, "depends_on": needs}
            return cls(**{**known, **lists, **more})
        except (ValueError, TypeError, AttributeError, KeyError):
            return None


def gated(params: Mapping[str, UnitParams]) -> frozenset[str]:
    """The members of a pod that systemd is not to start along with it, by part: those that wait
    for more than a start, and those that wait for one of these."""
    found: set[str] = set()
    members = {name: one.depends_on for name, one in params.items() if one.role == "member"}
    while more := {
        name
        for name, needs in members.items()
        if name not in found and any(need.gates or need.name in found for need in needs)
    }:
        found |= more
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Part:
    """One container of a revision. `spec` and `image` are None for a pod's infra container.

    A part's digest covers all that the container is made from, so the same digest means that a
    container can stay while others of its pod are replaced.
    """

    name: str
    digest: str
    params: UnitParams
    spec: ContainerSpec | None = field(repr=False, default=None)
    image: Image | None = None
    inputs: Inputs = field(repr=False, default=Inputs())


@dataclass(frozen=True, slots=True)
class Revision:
    """An immutable resolved spec: the same revision on any host means the same thing runs.

    `parts` come in the order in which they start: a pod's infra container first, then what runs
    to its end, then the others. `needs` are the networks and volumes that have to be there first;
    what a shared one is like is no part of the revision.
    """

    workload: str
    spec: WorkloadSpec = field(repr=False)
    parts: tuple[Part, ...]
    needs: Needs = NO_NEEDS

    @property
    def digest(self) -> str:
        """Names the revision."""
        return combined_digest(self.made_of)

    @property
    def made_of(self) -> tuple[tuple[str, str], ...]:
        """The names and digests of its parts."""
        return tuple((part.name, part.digest) for part in self.parts)

    @property
    def is_pod(self) -> bool:
        """Whether its containers are those of a pod."""
        return self.parts[0].name == INFRA_CONTAINER

    @property
    def reclaim(self) -> tuple[str, ...]:
        """The Podman volumes to delete when the workload's file goes."""
        return tuple(sorted({name for part in self.parts for name in part.params.reclaim}))

    def part(self, name: str) -> Part:
        """The part of this name; raises `KeyError`."""
        return {part.name: part for part in self.parts}[name]


def spec_key(spec: WorkloadSpec) -> str:
    """Names what a file says of what runs, whatever its images and other files hold."""
    return _digest(_dump(spec, _NOT_IN_DIGEST))


def combined_digest(parts: Iterable[tuple[str, str]]) -> str:
    """A revision's digest from the names and digests of its parts: that of an only one is its."""
    pairs = sorted(parts)
    return pairs[0][1] if len(pairs) == 1 else _digest(pairs)


def make_revision(
    workload: str,
    spec: WorkloadSpec,
    images: Mapping[str, Image],
    inputs: Mapping[str, Inputs] | None = None,
    needs: Needs = NO_NEEDS,
    kept: Mapping[str, Image] | None = None,
) -> Revision:
    """Pin `spec` to images (by reference) and to the content of files (by container).

    `kept` are images by container, in place of those that their references stand for.

    Fields left at their default are not part of a digest, so that a field added by a later
    version does not replace every container on the day of its upgrade.
    """
    pins = _Pins(workload, spec, images, inputs or {}, kept or {})
    if not isinstance(spec, PodSpec):
        container = spec.containers_by_name[MAIN_CONTAINER]
        main = pins.part(MAIN_CONTAINER, container, "main", {"workload": workload})
        return Revision(workload, spec, (_on_demand(main, spec),), needs)
    infra = _infra(workload, spec)
    parts = [infra]
    for name, member in start_order(spec.containers):
        belongs_to: dict[str, object] = {"pod": infra.digest, "container": name}
        if member.init:
            # When it runs is a part of what it is for.
            belongs_to["after"] = [part.name for part in parts]
        part = pins.part(name, member, "init" if member.init else "member", belongs_to)
        parts.append(_on_demand(part, spec))
    return Revision(workload, spec, tuple(parts), needs)


def start_order(containers: Mapping[str, PodContainer]) -> list[tuple[str, PodContainer]]:
    """A pod's containers as they start: what runs to its end comes first, else as in the file."""
    return sorted(containers.items(), key=lambda item: not item[1].init)


def _on_demand(part: Part, spec: WorkloadSpec) -> Part:
    """The part with the sockets that it is handed; in a pod with one container to serve, all."""
    serving = [name for name, c in spec.containers_by_name.items() if not getattr(c, "init", False)]
    sockets = [s for s in spec.sockets if (s.container or serving[0]) == part.name]
    if not sockets:
        return part
    timeout = spec.idle_timeout or 0.0
    return replace(
        part, params=replace(part.params, sockets=to_texts(sockets), idle_timeout=timeout)
    )


def _infra(workload: str, spec: PodSpec) -> Part:
    surroundings = _dump(spec, _NOT_IN_DIGEST | {"containers"})
    ports = tuple(str(port) for port in spec.ports)
    params = UnitParams(role="infra", ports=ports, depends_on=_needs(spec))
    return Part(INFRA_CONTAINER, _digest({"workload": workload, "spec": surroundings}), params)


@dataclass(frozen=True, slots=True)
class _Pins:
    """What containers of a workload are pinned to."""

    workload: str
    whole: WorkloadSpec
    images: Mapping[str, Image]
    inputs: Mapping[str, Inputs]
    kept: Mapping[str, Image]

    def part(
        self, name: str, spec: ContainerSpec, role: Role, belongs_to: Mapping[str, object]
    ) -> Part:
        """A container, pinned; what `belongs_to` says is in its digest."""
        image = self.kept.get(name) or self.images[spec.image]
        inputs = self.inputs.get(name, Inputs())
        content = {
            **belongs_to,
            "spec": _dump(spec, _NOT_OF_CONTAINER),
            "image": image.digest,
            "env_files": [[f.path, f.variables] for f in inputs.env_files],
            **self._mounted(spec),
            **_given(spec, inputs),
        }
        params = replace(
            _params(self.workload, spec, role, image),
            secrets=_secrets(self.workload, inputs),
            files=_files(self.whole, spec, inputs),
        )
        return Part(name, _digest(content), params, spec, image, inputs)

    def _mounted(self, spec: ContainerSpec) -> dict[str, Any]:
        """The images whose content is mounted."""
        digests = {name: self.images[name].digest for name in spec.mounted_images}
        return {"mounted": digests} if digests else {}


def _given(spec: ContainerSpec, read: Inputs) -> dict[str, Any]:
    """How secrets and files are given, and of what content; where they come from is no matter.

    What changes under the container is there without its content.
    """
    secrets = {
        one.name: [_dump(spec.secrets[one.name], _SOURCES), one.digest] for one in read.secrets
    }
    files = {one.target: _given_file(spec.files[one.target], one) for one in read.files}
    given = {"secrets": secrets, "files": files, "seccomp": read.seccomp}
    return {key: value for key, value in given.items() if value}


def _given_file(spec: File, given: GivenFile) -> list[Any]:
    content = given.is_directory if spec.live else given.digest
    return [_dump(spec, _SOURCES), content]


def _secrets(workload: str, read: Inputs) -> tuple[str, ...]:
    return tuple(secret_name(workload, one.name, one.digest) for one in read.secrets)


def _files(whole: WorkloadSpec, spec: ContainerSpec, read: Inputs) -> tuple[str, ...]:
    """The kept files that never change; several may be the same one."""
    kept = [one for one in read.files if not spec.files[one.target].live]
    return tuple(sorted({kept_as(whole, spec.files[one.target], one) for one in kept}))


def kept_as(whole: WorkloadSpec, spec: File, given: GivenFile) -> str:
    """The name under which a file is kept for the containers of a workload."""
    return stored_name(given, spec.mode, owner_of(whole, spec))


def owner_of(whole: WorkloadSpec, spec: File) -> tuple[int, int]:
    """Who a file belongs to, by the IDs of the user namespace that Podman makes."""
    owner = outside(whole, spec.uid, spec.gid) if spec.uid or spec.gid else (0, 0)
    if owner is None:
        raise ValueError("such a file is refused when it is read")
    return owner


def _params(workload: str, spec: ContainerSpec, role: Role, image: Image) -> UnitParams:
    ports: tuple[Port, ...] = spec.ports if isinstance(spec, WorkloadSpec) else ()
    policy = spec.restart.policy
    return UnitParams(
        role=role,
        # What has to run to its end is tried again only where it failed.
        restart="on-failure" if role == "init" and policy == "always" else policy,
        max_retries=spec.restart.max_retries or 0,
        stop_timeout=spec.stop_timeout,
        image=spec.image,
        image_digest=image.digest,
        ports=tuple(str(port) for port in ports),
        reclaim=tuple(
            volume_name(workload, v.source)
            for v in spec.volumes
            if v.type == "volume" and v.reclaim == "delete"
        ),
        job=JobParams.of(spec) if isinstance(spec, JobSpec) else None,
        # What runs to its end is asked nothing: its end says how it went.
        probes=() if role == "init" or isinstance(spec, JobSpec) else probes_of(spec, image.probe),
        depends_on=_needs(spec),
    )


def _needs(spec: object) -> tuple[Need, ...]:
    """What a workload, or a container of a pod, waits for."""
    if not isinstance(spec, WorkloadSpec | PodContainer):
        return ()
    return tuple(Need(n, one.condition, one.restart) for n, one in spec.depends_on.items())


def _dump(spec: BaseModel, exclude: set[str]) -> Any:
    return spec.model_dump(mode="json", exclude_defaults=True, exclude=exclude)


def _digest(content: object) -> str:
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
