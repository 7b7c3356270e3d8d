"""Which model a workload file's content is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from workloadd.spec.job import JobSpec
from workloadd.spec.model import PodSpec, ServiceSpec
from workloadd.spec.network import RESERVED_NETWORKS, NetworkSpec
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.text import did_you_mean, kind, one_of, quote
from workloadd.spec.translate import validated
from workloadd.spec.volume import VolumeSpec

Spec: TypeAlias = ServiceSpec | PodSpec | JobSpec | NetworkSpec | VolumeSpec
"""What a document of a workload file can come to."""

SERVICE = "service"

_Model: TypeAlias = type[ServiceSpec] | type[JobSpec] | type[NetworkSpec] | type[VolumeSpec]
_MODELS: Mapping[str, _Model] = {
    SERVICE: ServiceSpec,
    "job": JobSpec,
    "network": NetworkSpec,
    "volume": VolumeSpec,
}


def kind_of(content: Mapping[str, object]) -> str:
    """What ``content``, valid or not, is meant to declare."""
    given = content.get("kind")
    return given if isinstance(given, str) and given in _MODELS else SERVICE


def spec_of(content: Mapping[str, object], name: str = "") -> Spec:
    """The spec of ``name`` that ``content`` declares.

    Raises :class:`~workloadd.spec.problems.ProblemsError` with everything that is wrong with it.
    """
    given = content.get("kind", SERVICE)
    if not isinstance(given, str) or given not in _MODELS:
        shown = quote(given) if isinstance(given, str) else kind(given)
        hint = did_you_mean(given, _MODELS) if isinstance(given, str) else ""
        raise reject("BadValue", f"{shown} is not one of {one_of(tuple(_MODELS))}", hint, "kind")
    if given == SERVICE and "containers" in content:
        return validated(PodSpec, content)
    spec = validated(_MODELS[given], content)
    if isinstance(spec, NetworkSpec) and name in RESERVED_NETWORKS:
        why = f"{quote(name)} means something else to Podman"
        raise ProblemsError(Problem("InvalidName", why, "give the file another name"))
    return spec
