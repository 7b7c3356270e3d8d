"""Advice on probes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workloadd.spec.advice.rule import ContainerView
from workloadd.spec.probes import ProbeSpec
from workloadd.spec.problems import Problem

_SECRET = re.compile(r"(?:proxy-)?authorization|cookie|.*(?:token|api-?key|secret).*", re.I)
# Seconds below which a process for each try is felt.
_OFTEN = 2.0


def restarted_when_busy(view: ContainerView) -> Iterator[Problem]:
    """What fails both at once is never left alone to catch up: it is started again."""
    probes = view.spec.probes
    ready, alive = probes.readiness, probes.liveness
    if ready and alive and _same(ready, alive) and _patience(alive) <= _patience(ready):
        why = "it asks what readiness does, with no more patience: what is only busy is restarted"
        hint = "ask for less, or give it a higher failure_threshold"
        yield Problem("ImpatientLiveness", why, hint, ("probes", "liveness"), at_key=True)


def _same(one: ProbeSpec, other: ProbeSpec) -> bool:
    return (one.http, one.tcp, one.exec) == (other.http, other.tcp, other.exec)


def _patience(probe: ProbeSpec) -> float:
    return probe.interval * probe.failure_threshold


def frequent_command(view: ContainerView) -> Iterator[Problem]:
    """A command takes Podman, the runtime and the program; a connection next to nothing."""
    for kind, probe in _probes(view):
        if probe.exec and probe.interval < _OFTEN:
            why = "every try starts processes, which costs more than most services do"
            hint = "write http or tcp where the container has a port, or a longer interval"
            yield Problem("FrequentCommand", why, hint, ("probes", kind), at_key=True)


def secret_header(view: ContainerView) -> Iterator[Problem]:
    """A probe is kept in a label of its container."""
    for kind, probe in _probes(view):
        for name in probe.http.headers if probe.http else ():
            if _SECRET.fullmatch(name):
                why = f"the header {name} looks like a secret, and podman inspect shows it"
                hint = "have the container answer a path of its own without it"
                yield Problem("LiteralSecret", why, hint, ("probes", kind, "http"), at_key=True)


def _probes(view: ContainerView) -> Iterator[tuple[str, ProbeSpec]]:
    for kind in ("startup", "readiness", "liveness"):
        probe = getattr(view.spec.probes, kind)
        if probe:
            yield kind, probe
