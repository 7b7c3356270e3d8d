"""Waiting for systemd's jobs: the end of a job is a signal, which may come before its name does."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workloadd.core.errors import Permanent, Transient, WorkloaddError

# What JobRemoved says (org.freedesktop.systemd1(5)), as reasons. A job that was cancelled or
# collected lost against another one: the next look at the unit tells what to do.
_REASONS: dict[str, tuple[type[WorkloaddError], str, str]] = {
    "canceled": (Transient, "JobCanceled", "another job took its place"),
    "collected": (Transient, "JobCanceled", "its unit was unloaded"),
    "timeout": (Permanent, "JobTimeout", "it took longer than its timeout"),
    "failed": (Permanent, "JobFailed", "it failed"),
    "dependency": (Permanent, "JobDependencyFailed", "a unit that it needs failed"),
    "skipped": (Permanent, "JobSkipped", "it does not apply to the state of the unit"),
    "invalid": (Permanent, "JobInvalid", "it does not apply to the unit"),
    "assert": (Permanent, "JobFailed", "an assertion of the unit failed"),
    "unsupported": (Permanent, "JobInvalid", "this system cannot run such a unit"),
    "once": (Permanent, "JobInvalid", "the unit can be started only once"),
    "frozen": (Transient, "JobCanceled", "the unit is frozen"),
}


def job_failed(doing: str, unit: str, result: "str | WorkloaddError") -> WorkloaddError | None:
    """The error for how a job ended, or None where it is done. `doing` completes "cannot …"."""
    if isinstance(result, WorkloaddError):
        return result
    if result == "done":
        return None
    kind, reason, words = _REASONS.get(result, (Transient, "JobFailed", f"its job ended {result}"))
    return kind(reason, f"cannot {doing}: {words}", f"systemctl --user status {unit}")


class Jobs:
    """The jobs that are waited for, by object path."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[str | WorkloaddError]] = {}
        self._early: dict[str, str] = {}
        self._dispatching = 0

    @contextmanager
    def dispatch(self) -> Iterator[Callable[[str], "asyncio.Future[str | WorkloaddError]"]]:
        """Around the call that makes a job; what it gives turns the job's path into a future.

        Jobs that end meanwhile are remembered: one of them may be the one whose path is not
        known yet. Jobs of one unit merge, so several may wait for one path: shield the future.
        """
        self._dispatching += 1
        try:
            yield self._dispatched
        finally:
            self._dispatching -= 1
            if not self._dispatching:
                self._early.clear()

    def ended(self, path: str, result: str) -> None:
        """A job ended: the signal JobRemoved."""
        if (future := self._waiting.pop(path, None)) is not None:
            future.set_result(result)
        elif self._dispatching:
            self._early[path] = result

    def fail_all(self, error: WorkloaddError) -> None:
        """No job's end will be told any more."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_result(error)

    def _dispatched(self, path: str) -> "asyncio.Future[str | WorkloaddError]":
        future = self._waiting.get(path)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            if (result := self._early.get(path)) is not None:
                future.set_result(result)
            else:
                self._waiting[path] = future
        return future
