"""Revisions as tests need them."""

from workloadd.core.revision import EnvFile, Image, Inputs, Part, Revision, make_revision
from workloadd.spec.model import WorkloadSpec


def revised(
    workload: str,
    spec: WorkloadSpec,
    image_id: str = "id",
    image_digest: str = "sha256:one",
    env_files: tuple[EnvFile, ...] = (),
) -> Revision:
    """The revision of a spec whose images are all the same one."""
    containers = spec.containers_by_name
    image = Image(image_id, image_digest)
    images = dict.fromkeys((name for c in containers.values() for name in c.images), image)
    return make_revision(workload, spec, images, {n: Inputs(env_files) for n in containers})


def only(revision: Revision) -> Part:
    """The only part of a workload of one container."""
    (part,) = revision.parts
    return part
