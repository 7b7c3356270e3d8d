"""Probes of a container: what asks it how it is, as kept in the container's label."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

ProbeKind = Literal["startup", "readiness", "liveness"]


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

    def __str__(self) -> str:
        if self.http:
            return f"{self.kind} ({self.http.scheme} {self.http.port}{self.http.path})"
        return f"{self.kind} (tcp {self.tcp})" if self.tcp else f"{self.kind} (exec)"


def _known(cls: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    return {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
