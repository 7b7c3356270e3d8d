"""Advice on images."""

from __future__ import annotations

from collections.abc import Iterator

from workloadd.spec.advice.rule import ContainerView
from workloadd.spec.images import image_reference
from workloadd.spec.problems import Problem
from workloadd.spec.text import quote


def unpinned(view: ContainerView) -> Iterator[Problem]:
    """Which version runs depends on when the host pulled it, and no file says so."""
    image = image_reference(view.spec.image)
    if image.tag == "latest" and image.digest is None:
        why = f"{quote(view.spec.image)} is whatever was pushed last"
        yield Problem("UnpinnedImage", why, "name a version by its tag or digest", ("image",))
