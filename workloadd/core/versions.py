"""Which tag of its image a container runs, where `update.version` gives it a range of them.

The file names the lowest. A newer one that was let in stays, by the container that runs it, until
the file's image or range rules it out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from workloadd.core.deployment import Current, current_deployment
from workloadd.core.memory import Latest, Question
from workloadd.core.observed import Observed, Seen
from workloadd.spec.model import PodSpec, WorkloadSpec
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.versions import is_in_range


@dataclass(frozen=True, slots=True)
class Tracked:
    """A container whose image may become newer.

    `served` is the image that it runs, or would without a newer one, `latest` what the registry
    said of that or of a newer one.
    """

    name: str
    served: str
    platform: str
    question: Question
    latest: Latest | None

    @property
    def reference(self) -> str:
        """The newest image as far as it is known."""
        return self.latest.reference if self.latest and self.latest.reference else self.served


def questions(spec: WorkloadSpec) -> dict[str, Question]:
    """What to ask registries about a workload's images, by container; nothing of an image that is
    named by its digest, or may not be pulled."""
    return {
        name: Question(one.image, spec.update.version.get(name, ""))
        for name, one in spec.containers_by_name.items()
        if "@" not in one.image and one.pull != "never"
    }


def tracked(
    spec: WorkloadSpec, current: Current | None, registry: Mapping[Question, Latest]
) -> list[Tracked]:
    """The containers of a file whose images may become newer."""
    served = as_served(spec, current).containers_by_name
    return [
        Tracked(
            name,
            served[name].image,
            served[name].platform or "",
            asked,
            _not_older(registry.get(asked), asked, served[name].image),
        )
        for name, asked in questions(spec).items()
    ]


def _not_older(latest: Latest | None, asked: Question, served: str) -> Latest | None:
    """What a registry said, but for a version below the one that serves: that one was withdrawn."""
    if latest is None or not asked.versions or not latest.reference:
        return latest
    if is_in_range(latest.reference, asked.versions, served):
        return latest
    return replace(latest, reference=served, digest="")


def as_served(spec: WorkloadSpec, current: Current | None) -> WorkloadSpec:
    """A file's spec with the versions that serve already, where its ranges hold them."""
    if not spec.update.version or current is None:
        return spec
    return _with_images(spec, dict(_served(spec, current)))


def _served(spec: WorkloadSpec, current: Current) -> Iterator[tuple[str, str]]:
    serving = current.by_part
    for name, wanted in spec.update.version.items():
        runs = serving.get(name)
        written = spec.containers_by_name[name].image
        if runs and runs.params and is_in_range(runs.params.image, wanted, written):
            yield name, runs.params.image


def as_newest(
    spec: WorkloadSpec,
    current: Current | None,
    observed: Observed,
    registry: Mapping[Question, Latest],
) -> WorkloadSpec:
    """A file's spec with the newest known versions, as far as their images are here."""
    if not spec.update.version:
        return spec
    known = tracked(spec, current, registry)
    newest = {
        one.name: one.reference if one.reference in observed.images else one.served
        for one in known
        if one.question.versions
    }
    return _with_images(spec, newest)


def references(
    specs: Mapping[str, WorkloadSpec], observed: Observed, registry: Mapping[Question, Latest]
) -> set[str]:
    """All images that matter: those that files name, and newer versions that serve, or may."""
    found = {i for s in specs.values() for c in s.containers_by_name.values() for i in c.images}
    for name, spec in specs.items():
        if spec.update.version:
            current = current_deployment(name, observed.workloads.get(name, Seen()))
            for one in tracked(spec, current, registry):
                found |= {one.served, one.reference}
    return found


def _with_images(spec: WorkloadSpec, images: Mapping[str, str]) -> WorkloadSpec:
    if all(spec.containers_by_name[name].image == image for name, image in images.items()):
        return spec
    if not isinstance(spec, PodSpec):
        return spec.model_copy(update={"image": images[MAIN_CONTAINER]})
    containers = {
        name: one.model_copy(update={"image": images.get(name, one.image)})
        for name, one in spec.containers.items()
    }
    return spec.model_copy(update={"containers": containers})
