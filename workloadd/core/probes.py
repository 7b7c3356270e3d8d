"""Probes of a container: what asks it how it is, as kept in the container's label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from workloadd.spec.container import ContainerSpec
from workloadd.spec.health import NONE, SHELL, Healthcheck
from workloadd.spec.probe_http import HttpProbe
from workloadd.spec.probes import ProbeSpec

ProbeKind = Literal["startup", "readiness", "liveness"]
KINDS: tuple[ProbeKind, ...] = ("startup", "readiness", "liveness")

# What Podman and Docker take where an image's check leaves it out.
_INTERVAL = 30.0
_RETRIES = 3
_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A request to a port of the container, and the answer that is a good one.

    `status` are ranges, both ends included; `body` is a regular expression, empty for any. A
    header may be a secret: it is in no repr.
    """

    port: int
    path: str = "/"
    scheme: Literal["http", "https"] = "http"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    status: tuple[tuple[int, int], ...] = ((200, 399),)
    body: str = ""

    @classmethod
    def read(cls, raw: Any) -> "HttpCheck | None":
        """The check in a label's JSON, if there is one."""
        if raw is None:
            return None
        pairs = {
            key: tuple((a, b) for a, b in raw[key]) for key in ("headers", "status") if key in raw
        }
        return cls(**{**_known(cls, raw), **pairs})


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of a container; exactly one of `http`, `tcp` (a port) and `exec` is set.

    Times are in seconds. `failure_threshold` 0 never comes to a bad end. Failures within
    `start_period` do not count until it has succeeded once.
    """

    kind: ProbeKind
    http: HttpCheck | None = None
    tcp: int = 0
    exec: tuple[str, ...] = field(default=(), repr=False)
    interval: float = 10.0
    timeout: float = 1.0
    failure_threshold: int = 3
    success_threshold: int = 1
    initial_delay: float = 0.0
    start_period: float = 0.0

    @classmethod
    def read(cls, raw: Any) -> "Probe":
        """The probe in a label's JSON; what a later version added is passed over.

        Raises:
            TypeError, ValueError, AttributeError: it cannot be read.
        """
        http = HttpCheck.read(raw.get("http"))
        command = tuple(str(word) for word in raw.get("exec", ()))
        return cls(**{**_known(cls, raw), "http": http, "exec": command})

    @property
    def port(self) -> int:
        """The port of the container that it asks; 0 for a command."""
        return self.http.port if self.http else self.tcp

    @property
    def asks(self) -> str:
        """What it asks, in words: no command, header or query, which may hold secrets."""
        if self.http:
            return f"{self.http.scheme} {self.http.port}{self.http.path.partition('?')[0]}"
        return f"tcp {self.tcp}" if self.tcp else "exec"

    def __str__(self) -> str:
        return f"{self.kind} ({self.asks})"


def probes_of(spec: ContainerSpec, image: Probe | None = None) -> tuple[Probe, ...]:
    """The probes of a container, as they are asked: those of the file, and of `healthcheck`.

    The image's own check is the readiness probe where the file has none and says nothing else.
    """
    found = {probe.kind: probe for probe in _written(spec)}
    if image is not None and spec.healthcheck is None:
        found.setdefault("readiness", image)
    return tuple(found[kind] for kind in KINDS if kind in found)


def _written(spec: ContainerSpec) -> Iterator[Probe]:
    if spec.healthcheck:
        yield from _of_check(spec.healthcheck)
    for kind in KINDS:
        one: ProbeSpec | None = getattr(spec.probes, kind)
        if one:
            yield Probe(
                kind,
                http=_http(one.http) if one.http else None,
                tcp=one.tcp or 0,
                exec=one.exec or (),
                interval=one.interval,
                timeout=one.timeout,
                failure_threshold=one.failure_threshold,
                success_threshold=one.success_threshold,
                initial_delay=one.initial_delay,
            )


def _http(spec: HttpProbe) -> HttpCheck:
    ranges = [status.partition("-") for status in spec.status]
    return HttpCheck(
        spec.port,
        spec.path,
        spec.scheme,
        tuple(spec.headers.items()),
        tuple((int(first), int(last or first)) for first, _, last in ranges),
        spec.body,
    )


def _of_check(check: Healthcheck) -> Iterator[Probe]:
    """What `healthcheck` stands for."""
    if check.disable or check.test is None:
        return
    readiness = Probe(
        "readiness",
        exec=command_of(check.test),
        interval=check.interval,
        timeout=check.timeout,
        failure_threshold=check.retries,
        start_period=check.start_period,
    )
    yield readiness
    if check.on_failure == "restart":
        yield replace(readiness, kind="liveness")
    if one := check.startup:
        yield Probe(
            "startup",
            exec=command_of(one.test),
            interval=one.interval,
            timeout=one.timeout,
            failure_threshold=one.retries,
            success_threshold=one.success,
        )


def command_of(test: Sequence[str]) -> tuple[str, ...]:
    """The command of a check as Compose and images have it: CMD or CMD-SHELL come first."""
    words = tuple(test)
    return ("/bin/sh", "-c", " ".join(words[1:])) if words[0] == SHELL else words[1:]


def image_probe(check: Any) -> Probe | None:
    """The check that an image brings with it, in the words of its configuration."""
    test = [str(word) for word in (check or {}).get("Test") or ()]
    if len(test) < 2 or test[0] == NONE:
        return None
    return Probe(
        "readiness",
        exec=command_of(test),
        interval=(check.get("Interval") or 0) / _SECOND or _INTERVAL,
        timeout=(check.get("Timeout") or 0) / _SECOND or _INTERVAL,
        failure_threshold=check.get("Retries") or _RETRIES,
        start_period=(check.get("StartPeriod") or 0) / _SECOND,
    )


def _known(cls: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    return {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
