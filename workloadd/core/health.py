"""How a container is by its probes: what each try comes to, by thresholds. Pure.

The startup probe holds the others back until it has succeeded; one that fails past its threshold
says that the container is not alive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workloadd.core.probes import Probe, ProbeKind


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try of a probe came to, at a time in seconds since the epoch.

    `reason` is a CamelCase word for machines, empty where it went well. Nothing that the container
    answered is in the message: it may be a secret.
    """

    ok: bool
    at: float
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """One probe as it stands.

    `ok`, `at`, `reason` and `message` are of the last try, `failures` and `successes` those in a
    row that count. `verdict` is what they come to by the thresholds, None before there is any, and
    `since` when it last changed.
    """

    kind: ProbeKind
    ok: bool | None = None
    at: float = 0.0
    reason: str = ""
    message: str = ""
    failures: int = 0
    successes: int = 0
    verdict: bool | None = None
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """How one run of a container is; None where there is no word yet.

    `began` is when the container was started, as Podman says: what is said of an earlier run says
    nothing of this one. Without a probe for it, each of the three is True.
    """

    started: bool | None = None
    ready: bool | None = None
    alive: bool | None = None
    results: tuple[ProbeStatus, ...] = ()
    began: float = 0.0

    def of(self, kind: ProbeKind) -> ProbeStatus | None:
        """The probe of a kind, where there is one."""
        return next((one for one in self.results if one.kind == kind), None)


def tried(status: ProbeStatus, probe: Probe, outcome: Outcome, began: float) -> ProbeStatus:
    """A probe after one more try, of a container that was started at `began`."""
    said = replace(
        status, ok=outcome.ok, at=outcome.at, reason=outcome.reason, message=outcome.message
    )
    if outcome.ok:
        said = replace(said, failures=0, successes=status.successes + 1)
        return _judged(said, True, said.successes >= probe.success_threshold)
    said = replace(said, successes=0)
    if status.verdict is None and outcome.at < began + probe.start_period:
        return replace(said, failures=0)
    said = replace(said, failures=status.failures + 1)
    return _judged(said, False, 0 < probe.failure_threshold <= said.failures)


def _judged(status: ProbeStatus, verdict: bool, reached: bool) -> ProbeStatus:
    if not reached or status.verdict is verdict:
        return status
    return replace(status, verdict=verdict, since=status.at)


@dataclass(frozen=True, slots=True)
class Watch:
    """All probes of one run of a container, with what they have said."""

    probes: tuple[Probe, ...]
    began: float
    statuses: Mapping[ProbeKind, ProbeStatus] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[Probe, ...]:
        """The probes that are to be tried: startup alone until it has succeeded, then the others.

        A liveness probe is tried on after it has failed, so that what recovers is seen.
        """
        if self.started is True:
            return tuple(probe for probe in self.probes if probe.kind != "startup")
        return tuple(probe for probe in self.probes if probe.kind == "startup")

    @property
    def started(self) -> bool | None:
        """Whether the startup probe has succeeded, or failed past its threshold."""
        return self._verdict("startup")

    def status(self, kind: ProbeKind) -> ProbeStatus:
        """A probe as it stands."""
        return self.statuses.get(kind, ProbeStatus(kind))

    def after(self, kind: ProbeKind, outcome: Outcome) -> "Watch":
        """The watch after one more try of a probe; of one that is not asked, nothing changes."""
        probe = next((one for one in self.asked if one.kind == kind), None)
        if probe is None:
            return self
        status = tried(self.status(kind), probe, outcome, self.began)
        return replace(self, statuses={**self.statuses, kind: status})

    @property
    def health(self) -> Health:
        """What the probes come to."""
        started = self.started
        return Health(
            started=started,
            ready=self._verdict("readiness") if started else started,
            alive=self._verdict("liveness") if started else started,
            results=tuple(self.status(probe.kind) for probe in self.probes),
            began=self.began,
        )

    def _verdict(self, kind: ProbeKind) -> bool | None:
        if not any(probe.kind == kind for probe in self.probes):
            return True
        return self.status(kind).verdict


def turned(before: Health | None, after: Health) -> bool:
    """Whether there is something new to say: a result alone is none, a verdict is."""
    if before is None or before.began != after.began:
        return True
    was = (before.started, before.ready, before.alive)
    return was != (after.started, after.ready, after.alive)
