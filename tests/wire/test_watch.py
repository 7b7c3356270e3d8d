"""Watching directories, with the real inotify: no change may be missed, whatever replaces what."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from workloadd.sources import watch
from workloadd.sources.trail import concerns, make_plan, trail
from workloadd.sources.watch import Watcher

SECONDS = 10.0


class Watching:
    """A running watcher, and the wake-ups that it gave."""

    def __init__(self, roots: Iterable[Path], facts: Iterable[Path] = ()) -> None:
        self.wakes = 0
        self._woken = asyncio.Event()
        self.watcher = Watcher(roots, self._wake, facts=facts)

    def _wake(self) -> None:
        self.wakes += 1
        self._woken.set()

    async def armed(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.watcher.armed.wait()

    async def counted(self, wakes: int) -> None:
        """Wait for so many wake-ups in all."""
        async with asyncio.timeout(SECONDS):
            while self.wakes < wakes:
                self._woken.clear()
                await self._woken.wait()

    async def notices(self, change: Callable[[], object]) -> None:
        """Do `change` (sees no event of before it), and wait until it was noticed and followed."""
        self._woken.clear()
        change()
        async with asyncio.timeout(SECONDS):
            await self._woken.wait()
        await self.armed()


@asynccontextmanager
async def watching(*roots: Path, facts: Iterable[Path] = ()) -> AsyncIterator[Watching]:
    watched = Watching(roots, facts)
    task = asyncio.create_task(watched.watcher.run())
    try:
        await watched.armed()
        yield watched
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def no_blocking_in_the_loop() -> Iterable[None]:
    # What the tests themselves do to the files is done in this module, at their top level.
    with blockbuster_ctx(scanned_modules=["workloadd"]):
        yield


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "etc/workloadd/workloads.d"
    root.mkdir(parents=True)
    return root


def put(path: Path, text: str = "image: x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def replace(path: Path, text: str = "image: y") -> None:
    """Write a file as careful editors do: beside it, then renamed over it."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    draft.rename(path)


def relink(link: Path, target: Path | str) -> None:
    """Switch a link atomically."""
    draft = link.with_name(f".{link.name}.draft")
    draft.symlink_to(target)
    draft.rename(link)


def queue_limit() -> int:
    return int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


def watch_count() -> int:
    """Inotify watches of this process (proc_pid_fdinfo(5))."""
    count = 0
    for info in Path("/proc/self/fdinfo").iterdir():
        with suppress(FileNotFoundError):
            count += info.read_text().count("inotify wd:")
    return count


async def test_files_come_change_and_go(root: Path) -> None:
    async with watching(root) as watched:
        await watched.notices(lambda: put(root / "web.yaml"))
        await watched.notices(lambda: put(root / "web.yaml", "image: z"))
        await watched.notices(lambda: replace(root / "web.yaml"))
        await watched.notices(lambda: (root / "web.yaml").chmod(0o600))
        await watched.notices(lambda: (root / "web.yaml").rename(root / "other.yml"))
        await watched.notices(lambda: (root / "mask.yaml").symlink_to(os.devnull))
        await watched.notices((root / "other.yml").unlink)


async def test_what_is_no_workload_file_wakes_nobody(root: Path) -> None:
    async with watching(root) as watched:
        before = watched.wakes
        for name in (".web.yaml.swp", "web.yaml~", "4913", "notes.txt"):
            put(root / name)
        put(root.parent / "workloadd.toml")
        (root / "directory").mkdir()
        # Events come in order: once this one is here, so were those of the others.
        await watched.notices(lambda: (root / "notes.txt").rename(root / "web.yaml"))
        assert watched.wakes == before + 1


async def test_a_root_that_does_not_exist_yet(tmp_path: Path) -> None:
    root = tmp_path / "a/b/c"
    async with watching(root) as watched:
        await watched.notices((tmp_path / "a").mkdir)
        await watched.notices((tmp_path / "a/b").mkdir)
        await watched.notices(root.mkdir)
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_a_root_made_at_once_with_its_file(tmp_path: Path) -> None:
    root = tmp_path / "a/b/c"
    async with watching(root) as watched:
        await watched.notices(lambda: put(root / "web.yaml"))
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_a_root_deleted_and_made_again(root: Path) -> None:
    async with watching(root) as watched:
        for _ in range(3):
            await watched.notices(root.rmdir)
            await watched.notices(root.mkdir)
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_a_root_replaced_by_renames(root: Path, tmp_path: Path) -> None:
    def swap() -> None:
        put(tmp_path / "new/workloads.d/web.yaml")
        root.rename(tmp_path / "old")
        (tmp_path / "new/workloads.d").rename(root)

    async with watching(root) as watched:
        await watched.notices(swap)
        await watched.notices(lambda: put(root / "web.yaml"))
        before = watched.wakes
        put(tmp_path / "old/web.yaml")  # no longer ours
        await watched.notices((root / "web.yaml").unlink)
        assert watched.wakes == before + 1


async def test_a_parent_replaced_by_renames(root: Path, tmp_path: Path) -> None:
    def swap() -> None:
        (tmp_path / "etc").rename(tmp_path / "etc.old")
        put(root / "web.yaml")

    async with watching(root) as watched:
        await watched.notices(swap)
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_a_root_that_is_a_link_which_is_switched(tmp_path: Path) -> None:
    put(tmp_path / "one/web.yaml")
    put(tmp_path / "two/web.yaml")
    root = tmp_path / "current"
    root.symlink_to("one")
    async with watching(root) as watched:
        await watched.notices(lambda: put(tmp_path / "one/web.yaml"))
        await watched.notices(lambda: relink(root, "two"))
        await watched.notices(lambda: put(tmp_path / "two/web.yaml"))
        await watched.notices(root.unlink)
        await watched.notices(lambda: root.symlink_to(tmp_path / "one"))
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_files_that_are_links_through_a_link_as_kubernetes_mounts_them(root: Path) -> None:
    put(root / "..2026_01/web.yaml")
    put(root / "..2026_02/web.yaml")
    (root / "..data").symlink_to("..2026_01")
    (root / "web.yaml").symlink_to("..data/web.yaml")
    async with watching(root) as watched:
        await watched.notices(lambda: relink(root / "..data", "..2026_02"))
        await watched.notices(lambda: replace(root / "..2026_02/web.yaml"))


async def test_extra_files(root: Path, tmp_path: Path) -> None:
    env = tmp_path / "secrets/web.env"
    async with watching(root) as watched:
        # Naming a file wakes too: it may have changed since whoever names it has read it.
        await watched.notices(lambda: watched.watcher.set_extra([env]))
        await watched.notices(lambda: put(env, "A=1"))
        await watched.notices(lambda: replace(env, "A=2"))
        before = watched.wakes
        watched.watcher.set_extra([env])
        await watched.armed()
        assert watched.wakes == before
        await watched.notices(env.unlink)


async def test_extra_directories_with_all_that_is_in_them(root: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "inner").mkdir(parents=True)
    async with watching(root) as it:
        it.watcher.set_extra([site])
        await it.armed()
        await it.notices(partial(put, site / "index.html"))
        await it.notices(partial(put, site / "inner/a"))
        await it.notices((site / "new").mkdir)
        await it.notices(partial(put, site / "new/b"))
        await it.notices((site / "inner/a").unlink)


async def test_a_queue_that_overflows(root: Path, tmp_path: Path) -> None:
    limit = queue_limit()
    if limit > 100_000:
        pytest.skip("the queue is too long to fill it")
    names = [root / "a.yaml", root / "b.yaml"]

    def flood() -> None:
        for number in range(limit + 10):  # equal events in a row would become one
            os.utime(names[number % 2])
        root.rename(tmp_path / "old")  # the events of this are lost
        root.mkdir()

    async with watching(root) as watched:
        for name in names:
            await watched.notices(lambda name=name: put(name))  # type: ignore[misc]
        before = watched.wakes
        flood()
        await watched.counted(before + limit + 1)  # the queue's content, then that it overflowed
        await watched.armed()
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_what_changes_between_planning_and_watching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "workloads.d"

    def plan_too_early(*args: Any) -> Any:
        plan = make_plan(*args)
        root.mkdir(exist_ok=True)
        return plan

    monkeypatch.setattr(watch, "make_plan", plan_too_early)
    async with watching(root) as watched:
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_watches_do_not_pile_up(root: Path, tmp_path: Path) -> None:
    def swap(number: int) -> None:
        root.rename(tmp_path / f"old-{number}")
        root.mkdir()

    async with watching(root) as watched:
        before = watch_count()
        for number in range(5):
            await watched.notices(partial(swap, number))
            await watched.notices(lambda: put(root / "web.yaml"))
        assert watch_count() == before


async def test_drop_ins(root: Path, tmp_path: Path) -> None:
    dropins = root / "web.yaml.d"
    elsewhere = tmp_path / "elsewhere"
    async with watching(root) as watched:
        await watched.notices(dropins.mkdir)
        await watched.notices(lambda: put(dropins / "a.yaml"))
        await watched.notices(lambda: put(dropins / "a.yaml", "changed"))
        put(elsewhere / "b.yaml")
        await watched.notices(lambda: (dropins / "b.yaml").symlink_to(elsewhere / "b.yaml"))
        await watched.notices(lambda: put(elsewhere / "b.yaml", "changed"))
        await watched.notices(lambda: (dropins / "a.yaml").unlink())
        await watched.notices(lambda: dropins.rename(root / ".away"))
        await watched.notices(lambda: dropins.symlink_to(elsewhere))
        await watched.notices(lambda: put(elsewhere / "c.yaml"))


async def test_facts(root: Path, tmp_path: Path) -> None:
    directories = [tmp_path / "etc/facts.d", tmp_path / "run/facts.d"]
    async with watching(root, facts=directories) as watched:
        await watched.notices(lambda: directories[0].mkdir(parents=True))
        await watched.notices(lambda: put(directories[0] / "a.env"))
        await watched.notices(lambda: put(directories[0] / "a.env", "changed"))
        put(tmp_path / "real")
        await watched.notices(lambda: (directories[0] / "b.env").symlink_to(tmp_path / "real"))
        await watched.notices(lambda: put(tmp_path / "real", "changed"))
        await watched.notices(lambda: (directories[0] / "a.env").unlink())
        await watched.notices(lambda: put(directories[1] / "c.env"))


async def test_no_more_watches(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_watch = watch.Inotify.add_watch

    def refuse(self: Any, path: Path, mask: Any) -> Any:
        if path == root:
            raise OSError(errno.ENOSPC, "No space left on device")
        return add_watch(self, path, mask)

    monkeypatch.setattr(watch.Inotify, "add_watch", refuse)
    async with watching(root) as watched:
        assert watched.watcher.problem is not None
        assert watched.watcher.problem.reason == "WatchLimited"
        assert "max_user_watches" in watched.watcher.problem.hint
        monkeypatch.undo()
        await watched.notices(root.rmdir)  # the parent is watched
        await watched.notices(root.mkdir)
        assert watched.watcher.problem is None


async def test_a_directory_that_may_be_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_watch = watch.Inotify.add_watch

    def refuse(self: Any, path: Path, mask: Any) -> Any:
        if path == root:
            raise PermissionError(errno.EACCES, "Permission denied")
        return add_watch(self, path, mask)

    monkeypatch.setattr(watch.Inotify, "add_watch", refuse)
    async with watching(root) as watched:
        monkeypatch.undo()
        await watched.notices(lambda: root.chmod(0o755))
        await watched.notices(lambda: put(root / "web.yaml"))


async def test_no_inotify_at_all_is_tried_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inotify, refused = watch.Inotify, []

    def refuse_once(*args: Any, **options: Any) -> Any:
        if not refused:
            refused.append(watched.watcher)
            raise OSError(errno.EMFILE, "Too many open files")
        assert refused[0].problem is not None
        assert "max_user_instances" in refused[0].problem.hint
        return inotify(*args, **options)

    monkeypatch.setattr(watch, "Inotify", refuse_once)
    monkeypatch.setattr(watch, "RETRY", 0.0)
    watched = Watching([root])
    task = asyncio.create_task(watched.watcher.run())
    await watched.armed()
    assert watched.watcher.problem is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_trail_follows_every_kind_of_link(tmp_path: Path) -> None:
    (tmp_path / "real/deep").mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(tmp_path / "real")
    (tmp_path / "real/up").symlink_to("../absolute/./deep")
    lookups, leads_to = trail(tmp_path / "absolute/up")
    assert leads_to == tmp_path / "real/deep"
    assert lookups[0] == (Path("/"), tmp_path.parts[1])
    assert [pair for pair in lookups if pair[0].is_relative_to(tmp_path)] == [
        (tmp_path, "absolute"),
        (tmp_path, "real"),
        (tmp_path / "real", "up"),
        (tmp_path, "absolute"),
        (tmp_path, "real"),
        (tmp_path / "real", "deep"),
    ]


def test_a_trail_ends_where_it_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    assert trail(tmp_path / "loop")[1] is None
    assert trail(tmp_path / "no/thing") == (trail(tmp_path / "no")[0], None)
    assert trail(tmp_path / "file/below")[1] is None


def test_a_plan_names_only_what_matters(root: Path) -> None:
    plan = make_plan([root], [root / "x.env"])
    assert plan[root] == {"", "x.env"}
    assert plan[root.parent] == {"workloads.d"}
    assert concerns(plan[root], "web.yaml")
    assert concerns(plan[root], "x.env")
    assert not concerns(plan[root], "y.env")
    assert not concerns(plan[root.parent], "web.yaml")
    assert concerns(plan[root], "web.yaml.d")
    assert not concerns(plan[root], "web.d")
    facts = make_plan([], [], facts=[root])[root]
    assert concerns(facts, "y.env")
    assert not concerns(facts, "web.yaml")
