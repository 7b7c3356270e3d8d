"""When a probe is tried: soon after the start, and then spread over its interval."""

from math import ceil

from workloadd.core.probes import Probe

# Seconds over which the first tries of containers that are there already are spread, at the most.
_SPREAD = 1.0
# Until it has been there for an interval, it is tried again when it is this part older.
_SOONER = 0.5
_SOONEST = 0.1


def first_try(probe: Probe, began: float, now: float, phase: float) -> float:
    """When to try first, of a run that began at `began`; `phase` in [0, 1) is the container's."""
    due = began + probe.initial_delay
    return due if due > now else now + phase * min(_SPREAD, probe.interval / 10)


def counts(probe: Probe, began: float, tried: float) -> bool:
    """Whether a failure of a try counts: while it is coming up, it is asked more often for that."""
    return tried >= began + probe.initial_delay + probe.interval


def next_try(probe: Probe, tried: float, now: float, phase: float) -> float:
    """When to try again what was tried at `tried`.

    Every container has its own moment in each interval. The first gap is from half of one to one
    and a half, and a try that took longer than its interval is followed by a pause.
    """
    interval = probe.interval
    earliest = max(tried + interval / 2, now + min(interval, 1.0) / 10)
    return (ceil(earliest / interval - phase) + phase) * interval


def sooner(probe: Probe, began: float, now: float) -> float:
    """When to try again what has just been started and did not succeed yet."""
    since = max(now - began - probe.initial_delay, 0.0)
    first = began + probe.initial_delay + probe.interval
    return min(now + max(_SOONEST, since * _SOONER), max(first, now + _SOONEST))
