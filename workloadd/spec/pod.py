"""The containers of a pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field, model_validator

from workloadd.spec.container import ContainerSpec
from workloadd.spec.dependencies import DependsOn
from workloadd.spec.names import check_name
from workloadd.spec.probes import Probes
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.sockets import Socket
from workloadd.spec.text import as_line, as_list, did_you_mean, kind, one_of, quote
from workloadd.spec.translate import validated
from workloadd.spec.volumes import NamedVolume, differing_option

MAX_CONTAINERS = 32
NAMESPACES = ("ipc", "pid")


class PodContainer(ContainerSpec):
    """One container of a pod."""

    init: bool = Field(
        default=False,
        description="Run it to its end before the containers that are no init containers start; "
        "several run one after the other, in the order of the file.",
        examples=[True],
    )
    depends_on: DependsOn = Field(
        default_factory=dict,
        description="Containers of the same pod that have to be there before it is started.",
        examples=[["web"], {"web": {"condition": "healthy", "restart": True}}],
    )

    @model_validator(mode="after")
    def _runs_to_its_end(self) -> PodContainer:
        asked = {"probes": self.probes != Probes(), "healthcheck": self.healthcheck is not None}
        problems = [
            Problem(
                "BadValue",
                "an init container runs to its end, which says how it went",
                "leave it out",
                (key,),
                at_key=True,
            )
            for key, given in asked.items()
            if given
        ]
        if self.init and problems:
            raise ProblemsError(*problems)
        return self


def parse_containers(value: object) -> Mapping[str, PodContainer]:
    """The value of ``containers``, in the order of the file."""
    if not isinstance(value, dict):
        hint = "write it as a mapping: NAME: {image: …}"
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", hint)
    if len(value) > MAX_CONTAINERS:
        raise reject("TooLarge", f"it has {len(value)} containers, more than {MAX_CONTAINERS}")
    parsed = dict(each(value.items(), lambda one: validated(PodContainer, one)))
    for name in parsed:
        if why := check_name(name):
            raise reject(
                "InvalidName", f"{quote(name)} cannot be its name: {why}", "", name, at_key=True
            )
    _check_volumes(parsed)
    if all(container.init for container in parsed.values()):
        raise reject("BadValue", "no container is left to serve: all of them are init containers")
    return parsed


def _check_volumes(containers: Mapping[str, PodContainer]) -> None:
    """A volume that several containers mount is made once: all of them say the same of it."""
    first: dict[str, tuple[str, NamedVolume]] = {}
    for name, container in containers.items():
        for volume in container.volumes:
            if not isinstance(volume, NamedVolume):
                continue
            other, before = first.setdefault(volume.source, (name, volume))
            if key := differing_option(before, volume):
                why = f"the volume {quote(volume.source)} has another {key} in {other}"
                hint = f"give both entries the same {key}"
                raise reject("BadValue", why, hint, name, "volumes")


def socket_problems(
    sockets: Sequence[Socket], containers: Mapping[str, PodContainer]
) -> Iterator[Problem]:
    """Sockets of a pod that no container gets."""
    serving = [name for name, container in containers.items() if not container.init]
    for index, socket in enumerate(sockets):
        if socket.container in serving or (not socket.container and len(serving) == 1):
            continue
        if not socket.container:
            why = "it has to say which container gets it"
            hint = f"write {{listen: {socket}, container: {serving[0]}}}"
            yield Problem("MissingField", why, hint, ("sockets", index))
        else:
            why = f"{quote(socket.container)} is not one of {one_of(serving)}"
            hint = did_you_mean(socket.container, serving)
            yield Problem("BadValue", why, hint, ("sockets", index, "container"))


def parse_share(value: object) -> tuple[str, ...]:
    """The value of ``share``, sorted."""
    words = [word for _, word in each(enumerate(as_list(value)), as_line)]
    for index, word in enumerate(words):
        if word not in NAMESPACES:
            why = f"{quote(word)} is not one of {one_of(NAMESPACES)}"
            raise reject("BadValue", why, did_you_mean(word, NAMESPACES), index)
    return tuple(sorted(set(words)))
