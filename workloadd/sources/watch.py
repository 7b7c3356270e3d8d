"""Wakes the daemon when something about the workload files changes; never says what.

Every directory on the way to a root is watched for the next entry of that way, so a root that does
not exist yet, is deleted, renamed, or reached through links that are switched (as Kubernetes and
OSTree do it) is noticed like a changed file. Watches are planned from what is there, laid, and
planned again until nothing changed in between: from then on no change can be missed.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from asyncinotify import Event, InitFlags, Inotify, Mask, Watch

from workloadd.core.errors import Problem
from workloadd.sources.trail import Plan, concerns, leads_on, make_plan

_log = logging.getLogger(__name__)

# MODIFY is left out: a file is read when its writer has closed it.
_LAYOUT = (
    Mask.CREATE
    | Mask.DELETE
    | Mask.MOVED_FROM
    | Mask.MOVED_TO
    | Mask.DELETE_SELF
    | Mask.MOVE_SELF
    | Mask.UNMOUNT
    | Mask.IGNORED
    | Mask.Q_OVERFLOW
)
_WATCHED = Mask.CLOSE_WRITE | Mask.ATTRIB | Mask.ONLYDIR | (_LAYOUT & ~Mask.IGNORED)
_WATCHED &= ~(Mask.UNMOUNT | Mask.Q_OVERFLOW)  # these come unasked
# The library's own NONBLOCK is the value of O_CLOEXEC.
_FLAGS = InitFlags(os.O_CLOEXEC | os.O_NONBLOCK)
# Seconds until inotify is tried again after the kernel refused it.
RETRY = 60.0


class Watcher:
    """Follows `roots` (directories), extra files, the units of workloads in `unit_directories`,
    and the directories `facts`; calls `wake` in the event loop.

    `problem` is set while the kernel's limits leave something unwatched: then changes there are
    seen by the periodic pass only.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        wake: Callable[[], None],
        unit_directories: Iterable[Path] = (),
        facts: Iterable[Path] = (),
    ) -> None:
        self._roots = tuple(roots)
        self._unit_directories = tuple(unit_directories)
        self._facts = tuple(facts)
        self._wake = wake
        self._extra: frozenset[Path] = frozenset()
        self._stale = asyncio.Event()
        self._names: dict[int, frozenset[str]] = {}
        self._watches: dict[int, Watch] = {}
        self.problem: Problem | None = None
        self.armed = asyncio.Event()
        """Set while every change is seen; cleared while watches are laid again."""

    def set_extra(self, paths: Iterable[Path]) -> None:
        """Follow these files too (env files, credentials); replaces those set before."""
        wanted = frozenset(paths)
        if wanted != self._extra:
            self._extra = wanted
            self._mark_stale()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                inotify = Inotify(_FLAGS, cache_size=64)
            except OSError as error:
                self._report(_limited("fs.inotify.max_user_instances", error))
            else:
                with inotify:
                    await self._follow(inotify)
            await asyncio.sleep(RETRY)

    async def _follow(self, inotify: Inotify) -> None:
        self._names, self._watches = {}, {}
        self._mark_stale()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_armed(inotify), name="watch-arm")
            tasks.create_task(self._read(inotify), name="watch-read")

    async def _read(self, inotify: Inotify) -> None:
        async for event in inotify:
            if not self._concerns(event):
                continue
            if _may_move(event) and self._moves_watches(event):
                self._mark_stale()
            self._wake()

    def _concerns(self, event: Event) -> bool:
        watch = event.watch
        if watch is None:  # queue overflow, or a watch that is gone already
            return bool(event.mask & Mask.Q_OVERFLOW)
        names = self._names.get(watch.wd)
        if names is None:
            return False
        return event.name is None or concerns(names, str(event.name))

    def _moves_watches(self, event: Event) -> bool:
        """Units come and go in directories that are watched anyway."""
        if event.watch is None or event.name is None:
            return True
        return leads_on(self._names.get(event.watch.wd, frozenset()), str(event.name))

    def _mark_stale(self) -> None:
        self.armed.clear()
        self._stale.set()

    async def _keep_armed(self, inotify: Inotify) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            plan = await asyncio.to_thread(self._plan)
            while True:
                if self._lay(inotify, plan):
                    self._wake()  # something may have changed before it was watched
                again = await asyncio.to_thread(self._plan)
                if again == plan:
                    break
                plan = again
            if not self._stale.is_set():
                self.armed.set()

    def _plan(self) -> Plan:
        return make_plan(self._roots, self._extra, self._unit_directories, self._facts)

    def _lay(self, inotify: Inotify, plan: Plan) -> bool:
        """Watch what is planned and nothing else; whether that is more than before."""
        names: dict[int, frozenset[str]] = {}
        watches: dict[int, Watch] = {}
        problem = None
        for directory, entries in plan.items():
            try:
                watch = inotify.add_watch(directory, _WATCHED)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    problem = _limited("fs.inotify.max_user_watches", error)
                # Else it is gone, which the planning after this one notices, or may not be read:
                # then its entries cannot be watched by anybody.
                continue
            # Two ways may lead to the same directory (a bind mount).
            names[watch.wd] = names.get(watch.wd, frozenset()) | entries
            watches[watch.wd] = watch
        for wd in self._watches.keys() - watches.keys():
            with suppress(OSError):  # the kernel dropped it with its directory
                inotify.rm_watch(self._watches[wd])
        before = self._names
        is_new = any(wd not in before or not names[wd] <= before[wd] for wd in names)
        self._names, self._watches = names, watches
        self._report(problem)
        return is_new

    def _report(self, problem: Problem | None) -> None:
        if problem and problem != self.problem:
            _log.warning("%s", problem)
        self.problem = problem


def _may_move(event: Event) -> bool:
    """Whether it changes what can be watched: a directory that may not be read cannot be."""
    permissions = Mask.ATTRIB | Mask.ISDIR
    return bool(event.mask & _LAYOUT) or event.mask & permissions == permissions


def _limited(setting: str, error: OSError) -> Problem:
    return Problem(
        "WatchLimited",
        f"cannot watch the workload files: {error.strerror}; changes are seen by the periodic pass",
        f"raise {setting} (sysctl)",
    )
