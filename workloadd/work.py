"""How much there is to do, for the metrics: each part is asked when they are scraped."""

from workloadd.execute import Executor
from workloadd.history import History
from workloadd.metrics import Metrics
from workloadd.prober import Prober
from workloadd.pulls import Pulls
from workloadd.upkeep import Keeper


def show_work(
    metrics: Metrics,
    executor: Executor,
    pulls: Pulls,
    prober: Prober,
    history: History,
    keeper: Keeper,
) -> None:
    """Have the metrics tell how much waits, is on, and waits to be tried again."""
    metrics.work(
        "waiting",
        "How much waits for its turn, as only so much is done at once.",
        {
            "pull": lambda: pulls.slots.waiting,
            "create": lambda: executor.waiting("create"),
            "start": lambda: executor.waiting("start"),
            "stop": lambda: executor.waiting("stop"),
            "probe": lambda: prober.waiting,
            "history": lambda: history.waiting,
        },
    )
    metrics.work(
        "running",
        "Workloads that something is being done for, and pulls that are on.",
        {"workload": lambda: len(executor.busy), "pull": lambda: pulls.slots.taken},
    )
    metrics.work(
        "retrying",
        "What failed and waits to be tried again.",
        {
            "workload": lambda: len(executor.attempts),
            "pull": lambda: pulls.retrying,
            "upkeep": lambda: len(keeper.failures),
        },
    )
