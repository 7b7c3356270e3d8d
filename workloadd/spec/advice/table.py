"""All rules, and what they find in a workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from workloadd.spec.advice.environment import literal_secret
from workloadd.spec.advice.health import frequent_command, restarted_when_busy, secret_header
from workloadd.spec.advice.images import unpinned
from workloadd.spec.advice.network import host_network, privileged_port, source_address_lost
from workloadd.spec.advice.rights import engine_socket, missing_controller, privileged, relabelled
from workloadd.spec.advice.rule import ContainerView, Rule, WorkloadView
from workloadd.spec.advice.waiting import never_completed
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.nodes import Node
from workloadd.spec.ports import HostPort
from workloadd.spec.problems import Path, Problem
from workloadd.spec.scope import Limits

_OF_CONTAINERS: tuple[Rule[ContainerView], ...] = (
    Rule("UnpinnedImage", "an image without a tag, or with the tag latest", unpinned),
    Rule("Privileged", "a privileged container", privileged),
    Rule("EngineSocket", "a mount of the socket of Podman, Docker or containerd", engine_socket),
    Rule("Relabelled", "`z` or `Z` on a directory that the host's services use", relabelled),
    Rule("LiteralSecret", "an environment variable that looks like a password", literal_secret),
    Rule("LiteralSecret", "a header of a probe that looks like a password", secret_header),
    Rule("ImpatientLiveness", "liveness that fails with readiness", restarted_when_busy),
    Rule("FrequentCommand", "a probe that runs a command all the time", frequent_command),
    Rule("MissingController", "a limit that this host cannot enforce", missing_controller),
)
_OF_WORKLOADS: tuple[Rule[WorkloadView], ...] = (
    Rule("HostNetwork", "`network_mode: host`", host_network),
    Rule("SourceAddressLost", "published ports that hide who connects", source_address_lost),
    Rule("PrivilegedPort", "a port of the host that only root may listen on", privileged_port),
    Rule("NeverCompleted", "waiting for the end of what is always started again", never_completed),
)
RULES: tuple[Rule[ContainerView] | Rule[WorkloadView], ...] = (*_OF_CONTAINERS, *_OF_WORKLOADS)


def advice(
    spec: WorkloadSpec, root: Node, host_paths: Mapping[HostPort, Path], limits: Limits
) -> Iterator[Problem]:
    """The warnings about ``spec``, which ``root`` says; ``host_paths`` is where its ports are."""
    view = WorkloadView(spec, root, limits, host_paths)
    for rule in _OF_WORKLOADS:
        yield from rule.check(view)
    named = root.child("containers")
    for name, container in spec.containers_by_name.items():
        path: Path = ("containers", name) if named else ()
        _, node = root.find(path)
        for one in _OF_CONTAINERS:
            for problem in one.check(ContainerView(container, node, limits)):
                yield replace(problem, path=(*path, *problem.path))
