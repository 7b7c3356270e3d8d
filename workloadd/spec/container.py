"""What a workload file says of one container.

Descriptions and examples of the fields are what documentation and the JSON schema are made from.
"""

from __future__ import annotations

from workloadd.spec.devices import DevicesSpec
from workloadd.spec.execution import ExecutionSpec, ImageSpec
from workloadd.spec.lifecycle import LifecycleSpec
from workloadd.spec.logging import LoggingSpec
from workloadd.spec.resources import ResourcesSpec
from workloadd.spec.security import SecuritySpec
from workloadd.spec.storage import StorageSpec


class ContainerSpec(
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
