"""All workloads as one pass knows them, and what follows from that alone."""

from dataclasses import dataclass, field

from workloadd.core.deployment import Current, current_deployment
from workloadd.core.desired import Desired
from workloadd.core.memory import Memory
from workloadd.core.observed import Observed, Seen
from workloadd.core.resolve import Resolution, resolve


@dataclass(frozen=True, slots=True)
class World:
    """All workloads, as they are declared, seen and remembered at a time (seconds since the epoch).

    A revision and a deployment are wanted many times in a pass, for the plan, for the status, and
    for what depends on a workload: what was found once is kept.
    """

    desired: Desired
    observed: Observed
    memory: Memory
    now: float
    _resolved: dict[str, Resolution] = field(default_factory=dict, repr=False, compare=False)
    _deployed: dict[str, Current | None] = field(default_factory=dict, repr=False, compare=False)

    def resolution(self, name: str) -> Resolution:
        """What a workload's file comes to."""
        if name not in self._resolved:
            declared = self.desired.workloads.get(name)
            self._resolved[name] = (
                resolve(declared, self.observed, self.memory, self.now)
                if declared
                else Resolution()
            )
        return self._resolved[name]

    def current(self, name: str) -> Current | None:
        """A workload's current deployment."""
        if name not in self._deployed:
            self._deployed[name] = current_deployment(name, self.seen(name))
        return self._deployed[name]

    def seen(self, name: str) -> Seen:
        """What was seen of a workload."""
        return self.observed.workloads.get(name, Seen())
