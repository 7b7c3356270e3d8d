"""What a workload file says of one container.

Descriptions and examples of the fields are what documentation and the JSON schema are made from.
"""

from __future__ import annotations

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

    @model_validator(mode="after")
    def _somebody_checks(self) -> ContainerSpec:
        if self.notify == "healthy" and self.healthcheck and self.healthcheck.disable:
            why = "it would never be: healthcheck disables the check"
            raise ProblemsError(Problem("BadValue", why, "write another", ("notify",)))
        return self
