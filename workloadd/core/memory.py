"""What was tried before, and what goes on now: the part of the world that cannot be observed.

`bad` and `rollouts` come from the history on disk, `pulls`, `attempts` and `health` from the
running daemon (after a restart of it they are empty, and what they stood for is simply tried
again).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.core.errors import Problem
from workloadd.core.fleetlock import NO_LOCK, Lock
from workloadd.core.hands import Hand, Hands
from workloadd.core.health import Health
from workloadd.core.runs import Run


@dataclass(frozen=True, slots=True)
class Bad:
    """A revision that failed, was undone, and is not tried again."""

    revision: str
    problem: Problem
    at: float


@dataclass(frozen=True, slots=True)
class OpenRollout:
    """A rollout begun and not ended. `committed_at` is 0.0 before its commit point."""

    id: int
    workload: str
    revision: str
    cause: str
    started_at: float
    committed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A plan with a step that failed, and when it may be tried again (seconds since the epoch).

    `kind` is the plan's (`WorkloadPlan.kind`): another one, such as a rollback, need not wait.
    """

    revision: str
    count: int
    problem: Problem
    next_at: float
    kind: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pull:
    """The pull of one image reference: going on, failed, or done.

    `done_for` are the requests (see `resolve.pull_key`) that a finished pull answers,
    `failed_for` those that the last failure was for: another one need not wait until `next_at`.
    """

    running: bool = False
    progress: str = ""
    attempts: int = 0
    problem: Problem | None = None
    next_at: float = 0.0
    done_for: frozenset[str] = frozenset()
    failed_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """What a registry is asked: what a tag stands for; with a range of `versions` (see
    `update.version`) which is the newest tag in it, and what that one stands for."""

    reference: str
    versions: str = ""


@dataclass(frozen=True, slots=True)
class Latest:
    """What a registry says: the newest image of those that were asked about, and the digest that it
    stands for, of a manifest or of an index of several.

    Times are seconds since the epoch. `problem` is why the last question had no answer; the image
    is then that of the one before.
    """

    reference: str = ""
    digest: str = ""
    checked_at: float = 0.0
    problem: Problem | None = None
    next_at: float = 0.0


@dataclass(frozen=True, slots=True)
class LastRollout:
    """How the newest ended rollout of a workload ended."""

    revision: str
    outcome: str
    problem: Problem | None
    ended_at: float
    cause: str = ""
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything remembered. `bad` is by (workload, revision), the others by workload or image.

    `runs` are the last ones of each job, the newest first, `run_now` the jobs that people asked
    to have run, `hands` what they asked for by hand. `health` is by full container ID; `relapses`
    are the times of the last restarts of what was not alive, the newest first. `registry` is by
    what was asked. `lock` says whether all is to be stopped for a reboot of the host.
    """

    bad: Mapping[tuple[str, str], Bad] = field(default_factory=dict)
    rollouts: Mapping[str, OpenRollout] = field(default_factory=dict)
    last: Mapping[str, LastRollout] = field(default_factory=dict)
    pulls: Mapping[str, Pull] = field(default_factory=dict)
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    runs: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)
    run_now: frozenset[str] = frozenset()
    health: Mapping[str, Health] = field(default_factory=dict)
    relapses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    hands: Hands = field(default_factory=dict)
    registry: Mapping[Question, Latest] = field(default_factory=dict)
    lock: Lock = NO_LOCK

    def hand(self, workload: str, kind: str) -> Hand | None:
        """What was asked for of a kind, if anything is."""
        return self.hands.get(workload, {}).get(kind)
