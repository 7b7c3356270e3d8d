"""Everything the planner knows of one workload."""

from collections.abc import Collection
from dataclasses import dataclass

from workloadd.core.dependencies import NOTHING, Waiting
from workloadd.core.deployment import Current
from workloadd.core.desired import Declared
from workloadd.core.hands import Hand
from workloadd.core.memory import Attempt, Bad, Memory, OpenRollout
from workloadd.core.observed import Container, Seen, UnitRecord
from workloadd.core.revision import Revision
from workloadd.core.rollout import Policy
from workloadd.core.runs import Run


@dataclass(frozen=True, slots=True)
class Case:
    """One declared workload, as it is and as it should be.

    `wanted` is the declared revision where it is known. `boot` is when the user manager started
    and `now` the time of the pass, both in seconds since the epoch. `waiting` is what has to be
    there before `wanted` can take its place, `holding` what `current` waits for to be started.
    """

    declared: Declared
    seen: Seen
    current: Current | None
    wanted: Revision | None
    memory: Memory
    policy: Policy
    boot: float
    now: float
    waiting: Waiting = NOTHING
    holding: Waiting = NOTHING

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.declared.name

    @property
    def rollout(self) -> OpenRollout | None:
        """The rollout that has begun and not ended."""
        return self.memory.rollouts.get(self.name)

    @property
    def record(self) -> UnitRecord | None:
        """The commit record, where the workload's own unit has one."""
        return self.seen.file.record if self.seen.file else None

    @property
    def runs(self) -> tuple[Run, ...]:
        """The last runs of a job, the newest first."""
        return self.memory.runs.get(self.name, ())

    def hand(self, kind: str) -> Hand | None:
        """What people asked for of a kind, if they did."""
        return self.memory.hand(self.name, kind)

    def bad(self, revision: str) -> Bad | None:
        """Why a revision is not tried again, if it is not."""
        return self.memory.bad.get((self.name, revision))

    def attempt(self, revision: str) -> Attempt | None:
        """The last failed try of a revision's steps."""
        attempt = self.memory.attempts.get(self.name)
        return attempt if attempt and attempt.revision == revision else None

    def retry_at(self, revision: str) -> float | None:
        """When a failed step of a revision may be tried again, if that is still to come."""
        attempt = self.attempt(revision)
        return attempt.next_at if attempt and self.now < attempt.next_at else None

    def others(self, kept: Collection[str]) -> tuple[Container, ...]:
        """The workload's containers but those with the IDs given."""
        return tuple(c for c in self.seen.containers if c.id not in kept)
