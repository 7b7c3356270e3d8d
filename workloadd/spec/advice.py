"""What is allowed in a workload file, and better said otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from workloadd.spec.images import image_reference
from workloadd.spec.model import ServiceSpec
from workloadd.spec.problems import Problem
from workloadd.spec.text import quote


def advice(spec: ServiceSpec) -> Iterator[Problem]:
    """The warnings about ``spec``."""
    image = image_reference(spec.image)
    if image.tag == "latest" and image.digest is None:
        why = f"{quote(spec.image)} is whatever was pushed last"
        yield Problem("UnpinnedImage", why, "name a version by its tag or digest", ("image",))
