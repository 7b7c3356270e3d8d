"""Workloads that are changed while the daemon dies of it, again and again, and their state then."""

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.host.deaths import Deaths
from tests.host.host import Document, Host
from workloadd.core.names import LABEL_WORKLOAD

# Of a container that runs, nobody has to see for how long.
AT_ONCE = "update: {soak: 0s}"


@dataclass(frozen=True)
class Belongings:
    """What there is on the host besides the containers of a workload, by names without what differs
    each time."""

    paths: list[str]
    objects: list[str]
    containers: set[tuple[str, ...]]


@dataclass
class Victim:
    """A workload that is deployed, and changed again and again.

    `running` are the names of its containers that run between two changes, `kept` is the number
    of those that are kept besides.
    """

    host: Host
    name: str
    running: set[str]
    kept: int
    before: Belongings = field(init=False)
    revision: str = ""

    def __post_init__(self) -> None:
        self.before = self.belongings()

    def belongings(self) -> Belongings:
        """All that has to be there between two changes, and nothing else."""
        home = self.host.home
        places = (self.host.units, home / ".config/systemd/user", home / ".local/state/workloadd")
        paths = [str(path.relative_to(home)) for place in places for path in place.rglob("*")]
        varies = re.compile(r"[0-9a-f]{12,}|(?<=_)[ab](?=\.service)")
        kinds = (("pods", "Name"), ("volumes", "Name"), ("networks", "name"), ("secrets", "ID"))
        return Belongings(
            sorted(varies.sub("#", path) for path in paths if "/history." not in path),
            sorted(one[key] for kind, key in kinds for one in self.host.libpod(f"{kind}/json")),
            {
                (c["Id"], *c["Names"], c["State"], str(c["StartedAt"]))
                for c in self.host.libpod("containers/json?all=true")
                if c["Labels"].get(LABEL_WORKLOAD) != self.name
            },
        )

    def newest(self) -> Document:
        """The rollout that was begun last."""
        newest: Document = self.host.history(self.name)["rollouts"][0]
        return newest

    def rests(self, state: str) -> bool:
        """Whether it is in a state with nothing being done for it, and has its containers alone."""
        status = self.host.status(self.name)
        if status.get("state") != state or status["rollout"]:
            return False
        reasons = {c["type"]: c["reason"] for c in status["conditions"]}
        if reasons["Converged"] in ("Working", "Verifying"):
            return False
        found = self.host.libpod("containers/json?all=true")
        mine = [c for c in found if c["Labels"].get(LABEL_WORKLOAD) == self.name]
        running = [c["Names"][0] for c in mine if c["State"] == "running"]
        return set(running) == self.running and len(mine) == len(running) + self.kept

    def is_changed(self, outcome: str) -> bool:
        """Whether it rests after another rollout, which ended so."""
        if not self.rests("Ready" if outcome == "stable" else "Degraded"):
            return False
        newest = self.newest()
        return bool(newest["revision"] != self.revision and newest["outcome"] == outcome)

    def check(self) -> None:
        """Nothing is left over, all else is as it was, and the last rollout was one."""
        assert self.belongings() == self.before
        rollouts = self.host.history(self.name)["rollouts"]
        assert all(rollout["ended"] for rollout in rollouts)
        assert [r["revision"] for r in rollouts[:2]].count(rollouts[0]["revision"]) == 1


@dataclass(frozen=True)
class Deadly:
    """What came of a daemon that died of a change everywhere: in how many rounds, at which
    boundaries, and how often each container was started."""

    rounds: int
    boundaries: list[str]
    starts: Counter[str]


def died_of(
    victim: Victim,
    change: Callable[[int], object],
    outcome: str,
    serves: Callable[[int], bool],
) -> Deadly:
    """Have a workload changed until the daemon has died of it at every boundary.

    `change` and `serves` are told the number of the round.
    """
    began, deaths = time.time(), Deaths(victim.host)
    victim.before = victim.belongings()
    for number in itertools.count(1):
        victim.revision = victim.newest()["revision"]
        deaths.once(partial(change, number), partial(victim.is_changed, outcome))
        assert serves(number)
        victim.check()
        if deaths.done:
            break
    return Deadly(number, deaths.boundaries, starts(victim, began))


def starts(victim: Victim, since: float) -> Counter[str]:
    """How often each of its containers was started since then."""
    mine = (f"--filter=label={LABEL_WORKLOAD}={victim.name}", "--filter=event=start")
    only = ("--stream=false", f"--since={since:.3f}", *mine, "--format={{.ID}}")
    return Counter(victim.host.podman("events", *only).split())
