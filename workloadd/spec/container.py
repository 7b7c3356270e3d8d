"""What a workload file says of one container.

Descriptions and examples of the fields are what documentation and the JSON schema are made from.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from workloadd.spec.devices import DevicesSpec
from workloadd.spec.execution import ExecutionSpec, ImageSpec
from workloadd.spec.health import HealthSpec
from workloadd.spec.lifecycle import LifecycleSpec
from workloadd.spec.logging import LoggingSpec
from workloadd.spec.problems import Problem, ProblemsError
from workloadd.spec.resources import ResourcesSpec
from workloadd.spec.security import SecuritySpec
from workloadd.spec.storage import StorageSpec
from workloadd.spec.text import quote


class ContainerSpec(
    HealthSpec,
    LifecycleSpec,
    LoggingSpec,
    ResourcesSpec,
    DevicesSpec,
    SecuritySpec,
    StorageSpec,
    ExecutionSpec,
    ImageSpec,
):
    """One container: what it runs, with what storage, rights and limits, and how it ends."""

    @property
    def images(self) -> tuple[str, ...]:
        """All images that have to be there: its own first, then those whose content it mounts."""
        return tuple(dict.fromkeys((self.image, *self.mounted_images, *self.volume_images)))

    @model_validator(mode="after")
    def _parts_agree(self) -> ContainerSpec:
        problems = (*self.asked_twice(), *self._variables_set_twice(), *self._nobody_told())
        if problems:
            raise ProblemsError(*problems)
        return self

    def _variables_set_twice(self) -> Iterator[Problem]:
        for name, secret in self.secrets.items():
            if secret.env and secret.env in self.environment:
                why = f"environment sets {quote(secret.env)} too"
                yield Problem("DuplicateTarget", why, "", ("secrets", name, "env"))

    def _nobody_told(self) -> Iterator[Problem]:
        for path, file in self.files.items():
            if file.on_change == "reload" and self.reload is None:
                hint = "write for example reload: {signal: SIGHUP} beside files"
                why = "nothing says how the container is told"
                yield Problem("MissingField", why, hint, ("files", path, "on_change"))
