"""What the status is made from: one workload's part of a pass's knowledge, and its conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workloadd.core.actions import WorkloadPlan
from workloadd.core.dependencies import NOTHING, Waiting
from workloadd.core.deployment import Current
from workloadd.core.desired import Declared
from workloadd.core.hands import Hand
from workloadd.core.memory import Memory
from workloadd.core.observed import Container, Observed, Seen
from workloadd.core.resolve import Resolution


@dataclass(frozen=True, slots=True)
class View:
    """One workload's part of a pass's knowledge. `step` is what is being done for it just now."""

    name: str
    declared: Declared | None
    seen: Seen
    current: Current | None
    resolution: Resolution
    plan: WorkloadPlan
    memory: Memory
    step: str | None
    now: float
    waiting: Waiting = NOTHING
    observed: Observed | None = None

    @property
    def target(self) -> str:
        """The revision that is wanted, as far as it is known."""
        return self.resolution.revision.digest if self.resolution.revision else ""

    def hand(self, kind: str) -> Hand | None:
        """What people asked for of a kind, if they did."""
        return self.memory.hand(self.name, kind)

    @property
    def held(self) -> bool:
        """Whether what serves is what somebody had it held at."""
        hold = self.hand("hold")
        return bool(hold and self.current and self.current.revision == hold.revision)

    @property
    def container(self) -> Container | None:
        return self.current.container if self.current else None

    @property
    def up(self) -> bool:
        """Whether all of the current deployment does what it is there for."""
        return bool(self.current and self.current.up)

    @property
    def unproven(self) -> bool:
        """Whether something has yet to prove itself, in its place or beside what serves."""
        return bool(self.current and (self.current.unproven or self.current.trial))


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition as one pass finds it: since when it holds is for the status to say."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


# … of itself; what is not alive is started again before anyone else has to do something about it.
_ON_ITS_WAY = ("Pulling", "RollingOut", "NotAlive")


def trouble_of(findings: Mapping[str, Finding]) -> str:
    """What is wrong although something may be serving."""
    for kind in ("Loaded", "Deployed", "Pulled", "Reloaded", "Alive"):
        found = findings.get(kind)
        if found and found.status == "False" and found.reason not in _ON_ITS_WAY:
            return found.message
    return ""
