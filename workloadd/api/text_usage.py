"""What a workload uses, for people."""

from workloadd.core.room import size_text
from workloadd.core.usage import Meter


def uses(meter: Meter | None) -> str:
    """One line: 12 % of a core, 34.0 MiB of 64.0 MiB, 5 processes."""
    if meter is None:
        return ""
    cpu, total = meter.rate("cpu"), meter.total
    limit = f" of {size_text(total.limit)}" if total.limit else ""
    said = (
        "" if cpu is None else _processors(cpu),
        "" if total.memory is None else f"{size_text(total.memory)}{limit}",
        ""
        if total.pids is None
        else f"{total.pids} {'process' if total.pids == 1 else 'processes'}",
    )
    return ", ".join(filter(None, said))


def _processors(cpu: float) -> str:
    return f"{100 * cpu:.{0 if cpu >= 0.1 else 1}f} % of a core" if cpu < 1 else f"{cpu:.1f} cores"
