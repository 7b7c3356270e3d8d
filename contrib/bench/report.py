"""The figures of a run as a table: medians, ratios, and the targets beside them."""

from collections.abc import Iterator
from statistics import median

# What the project aims at: at most these.
ALL_RATIO, ONE_RATIO = 0.7, 1.0
PASS_MS, RSS_MB, MORE_KB, IDLE_PERCENT = 50.0, 85.0, 40.0, 0.2

_Row = tuple[str, str, str, str, str]


def table(found: dict) -> str:
    """The whole report."""
    rows = [("", "workloadd", "Quadlet", "ratio", "target"), *_rows(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    host = found["host"]
    title = (
        f"{host['cores']} cores, Podman {host['podman']}, systemd {host['systemd']}, "
        f"Python {host['python']}, Linux {host['kernel']}; "
        f"load average {host['load_at_start']} before, {host['load_at_end']} at the end"
    )
    return "\n".join(["", title, "", *lines, ""])


def _cells(row: _Row, widths: list[int]) -> Iterator[str]:
    yield row[0].ljust(widths[0])
    for cell, width in zip(row[1:], widths[1:], strict=True):
        yield cell.rjust(width)


def _rows(found: dict) -> Iterator[_Row]:
    figures, count = found["figures"], found["count"]
    quadlet = median(figures["quadlet_all_active"])
    active = median(figures["workloadd_all_active"])
    yield _compared(f"{count} files to all running", active, quadlet, ALL_RATIO)
    cpu = (median(figures[f"{who}_all_cpu"]) for who in ("workloadd", "quadlet"))
    yield _compared("… CPU of the whole user meanwhile", *cpu)
    for kind, words in (("ready", "… to all Ready"), ("proven", "… to all proven (5 s soak)")):
        yield (words, _seconds(median(figures[f"workloadd_all_{kind}"])), "", "", "")
    one, quadlet_one = median(figures["workloadd_one"]), median(figures["quadlet_one"])
    yield _compared(f"one more among {count}", one, quadlet_one, ONE_RATIO)
    yield _alone(f"a pass over {count}, CPU", figures["pass_cpu_ms"], "ms", PASS_MS)
    yield _alone("… Podman's service for it", figures["pass_podman_cpu_ms"], "ms")
    yield from _memory(figures, count)
    yield _alone(f"idle with {count}, of a core", figures["idle_percent"], "%", IDLE_PERCENT)
    yield _alone("… Podman's service meanwhile", figures["idle_podman_percent"], "%")


def _memory(figures: dict, count: int) -> Iterator[_Row]:
    none, all_, twice = (figures[f"memory_{key}"] for key in ("0", "all", "twice"))
    yield _alone("RSS with none", none["rss_kb"] / 1024, "MB")
    yield _alone(f"RSS with {count}", all_["rss_kb"] / 1024, "MB", RSS_MB)
    yield _alone(f"PSS with {count}", all_["pss_kb"] / 1024, "MB")
    more = (twice["rss_kb"] - all_["rss_kb"]) / count
    yield _alone(f"RSS for each more, {count} to {2 * count}", more, "kB", MORE_KB)


def _compared(what: str, ours: float, theirs: float, target: float | None = None) -> _Row:
    aim = "" if target is None else f"≤ {target:g} ×"
    return (what, _seconds(ours), _seconds(theirs), f"{ours / theirs:.2f} ×", aim)


def _alone(what: str, value: float, unit: str, target: float | None = None) -> _Row:
    digits = 2 if unit == "%" else 1
    aim = "" if target is None else f"≤ {target:g} {unit}"
    return (what, f"{value:.{digits}f} {unit}", "", "", aim)


def _seconds(value: float) -> str:
    return f"{value:.2f} s"
