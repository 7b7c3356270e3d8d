"""The composition root: makes the parts, wires them, runs them, and takes them down in order.

Any part that ends unexpectedly ends the daemon: systemd starts it again, no container notices.
"""

import asyncio
import logging
import random
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from workloadd.api.access import Access
from workloadd.api.app import application
from workloadd.api.exposition import families
from workloadd.api.inherited import Inherited
from workloadd.api.prune import pruned_status
from workloadd.api.server import Server, Shared
from workloadd.api.tokens import Token
from workloadd.board import Board
from workloadd.by_hand import ByHand
from workloadd.compare import Comparer
from workloadd.core.backoff import STEADY, delay
from workloadd.core.errors import Problem, Transient, WorkloaddError
from workloadd.core.image_uses import WorkloadImage, workload_images
from workloadd.core.rollout import Policy
from workloadd.core.status import HostConditionStatus, Status, summary
from workloadd.events import Events
from workloadd.execute import Executor, Limits
from workloadd.fleetlock import FleetLock
from workloadd.garbage import Aside
from workloadd.gather import Gatherer
from workloadd.history import History
from workloadd.host import notify
from workloadd.host.boot import boot_id
from workloadd.host.cgroups import processor_time
from workloadd.host.chown import Owners
from workloadd.host.connections import Connections
from workloadd.host.fates import FateFile
from workloadd.host.files import remove_drafts
from workloadd.host.filestore import FileStore
from workloadd.host.journal_logs import JournalLog
from workloadd.host.namespaces import Namespaces
from workloadd.host.passed import Passed, passed_sockets
from workloadd.host.podman import Podman
from workloadd.host.preflight import gather
from workloadd.host.probes import Probes, Reach
from workloadd.host.registry import Registry
from workloadd.host.secret_key import SecretKey
from workloadd.host.systemd import Systemd
from workloadd.host.units import UnitDirectory
from workloadd.host.upstream import Upstream
from workloadd.host.usage import UsageReader
from workloadd.host.usage_details import details
from workloadd.idleness import Idleness
from workloadd.logs import Logs
from workloadd.metrics import Metrics
from workloadd.observe import Observer
from workloadd.prepare import Preparation
from workloadd.prober import Prober
from workloadd.pruner import Pruner
from workloadd.pulls import Pulls
from workloadd.reconcile import Clock, Reconciler
from workloadd.requests import RunRequests
from workloadd.room import Room
from workloadd.settings import Paths, Settings
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.sources.secrets import SecretPlaces, Secrets
from workloadd.sources.token import read_token
from workloadd.sources.watch import Watcher
from workloadd.updates import Asker, Updates
from workloadd.upkeep import Keeper
from workloadd.usage import Usage
from workloadd.work import show_work

log = logging.getLogger(__name__)

# Seconds before a broken connection is made anew: the first time, and at the most.
_RECONNECT_BASE, _RECONNECT_CEILING = 0.2, 10.0
# Seconds between two looks at the host's own conditions.
_PREFLIGHT_INTERVAL = 60.0
_OWN_UNIT = "workloadd.service"


# Seconds after which a thread gives way to the loop, which has to wait for that after everything
# that it asks of the kernel: a request a few times.
_SWITCH = 0.0001
# Seconds between two signs of life of an idle loop, at the most.
_HEARTBEAT = 20.0


class _Stop(Exception):  # noqa: N818 - not an error
    """Ends the task group: somebody asked us to go."""


class Daemon:
    """One daemon for one user. `run` returns when it was asked to stop."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        clock: Clock | None = None,
        registry: Asker | None = None,
        journal: Callable[[str], JournalLog] = JournalLog,
        passed: Sequence[Passed] = (),
    ) -> None:
        self._registry = registry
        self._paths = paths
        self._settings = settings
        self._clock = clock or Clock()
        self._stop = asyncio.Event()
        self.podman = Podman(paths.podman_socket, user=paths.user)
        self.systemd = Systemd(paths.bus_address, wake=self.wake)
        self.history = History(paths.history_file, keep=settings.history.keep)
        first = Status(version=version("workloadd"), user=paths.user, started=datetime.now(UTC))
        self.board = Board(first, self._clock.monotonic)
        self.events = Events(self.board, self._clock.monotonic)
        self.metrics = Metrics(lambda: families(self.board.status, self.usage.meters))
        self.units = UnitDirectory(
            paths.unit_dir, paths.unit_config_dir, paths.unit_sets, paths.unit_overrides
        )
        self.files = FileStore(paths.files_dir)
        self.keeper = self._make_keeper()
        namespaces = Namespaces() if settings.probes.namespaces else None
        self.reach = Reach(namespaces, paths.xdg_runtime_dir)
        self.prober = Prober(
            Probes(self.reach, self.podman.processes), self._clock.now, self.wake, self.metrics
        )
        self.observer = self._make_observer()
        self.requests = RunRequests(self.wake)
        self.locks = self._make_locks()
        self.executor = self._make_executor()
        self.pruner = self._make_pruner()
        self.pulls = self._make_pulls()
        self._told = False
        facts = Facts(paths.facts_roots)
        key = SecretKey(paths.secret_key)
        places = SecretPlaces.of_this_process()
        secrets = Secrets(places, key)
        self.source = Directories(paths.workload_roots, paths.home, facts, secrets)
        self.watcher = Watcher(
            paths.workload_roots, self.wake, self.units.directories, paths.facts_roots
        )
        self.updates = self._make_updates()
        self.gatherer = self._make_gatherer()
        self.reconciler = self._make_reconciler()
        show_work(self.metrics, self.executor, self.pulls, self.prober, self.history, self.keeper)
        self.comparer = Comparer(self.history.revisions, key, self.reconciler.wanted)
        self.by_hand = ByHand(
            self.history,
            self.reconciler.key_of,
            self.executor.forget_bad,
            self._clock.now,
            self.wake,
        )
        self.logs = Logs(self._clock.now, self.reconciler.log_drivers, journal)
        self.access = self._make_access(places)
        self.usage = Usage(
            UsageReader().read,
            self.reconciler.targets,
            self._clock.now,
            settings.usage.interval,
            details,
        )
        self.server = self._make_server(passed)

    def _make_keeper(self) -> Keeper:
        return Keeper(
            self.podman.objects,
            self.files,
            FateFile(self._paths.fates_file),
            user=self._paths.user,
            clock=self._clock.now,
            wake=self.wake,
            failed=partial(self.metrics.erred, "upkeep"),
        )

    def _make_observer(self) -> Observer:
        paths = self._paths
        idleness = Idleness(
            lambda: Connections(paths.xdg_runtime_dir, paths.home), processor_time, self._clock.now
        )
        return Observer(
            self.podman,
            self.systemd,
            self.units,
            self.keeper,
            idleness=idleness,
            unjoinable=lambda: self.reach.problem,
        )

    def _make_executor(self) -> Executor:
        return Executor(
            self.podman,
            self.systemd,
            self.units,
            self.history,
            Preparation(
                self.podman,
                self.keeper,
                self.files,
                Owners(self.systemd),
                self._paths.xdg_runtime_dir,
                self._paths.home,
            ),
            self.requests,
            lambda revision, at: self.comparer.keep(revision, at),
            user=self._paths.user,
            runtime_dir=self._paths.xdg_runtime_dir,
            limits=Limits(self._settings.reconcile.workers, self._settings.reconcile.jobs),
            clock=self._clock.now,
            wake=self.wake,
            metrics=self.metrics,
        )

    def _make_pruner(self) -> Pruner:
        return Pruner(
            self.podman,
            self.podman.local_images,
            self.history.images,
            self._settings.prune,
            needed=lambda: self.gatherer.needed_images,
            clock=self._clock.now,
            told=self._pruned,
        )

    def _make_gatherer(self) -> Gatherer:
        return Gatherer(
            self.source,
            self.observer,
            self.history,
            self.executor,
            self.requests,
            self.pulls,
            self.updates,
            self.locks,
            self.prober,
        )

    def _make_access(self, places: SecretPlaces) -> Access:
        settings = self._settings.api
        token = None
        if place := settings.token_file:
            token = Token(partial(read_token, place, places), self._clock.monotonic)
        return Access(token, settings.group)

    def _make_server(self, passed: Sequence[Passed]) -> Server:
        group = self._settings.api.group
        return Server(
            application(
                self.board,
                self.history,
                self._settings,
                self._clock.now,
                self.requests.ask,
                self.by_hand.actions,
                diff=self.comparer.diff,
                prune=self.pruner.prune,
                check=self.reconciler.outdated,
                locks=self.locks,
                events=self.events,
                metrics=self.metrics.text,
                logs=self.logs,
                images=self._images,
                spec=self.comparer.spec,
                access=self.access,
                usage=self.usage,
            ),
            socket=self._paths.socket,
            listen=self._settings.api.address,
            shared=Shared(self._paths.shared_socket, group) if group else None,
            inherited=Inherited(passed),
        )

    async def _images(self) -> tuple[WorkloadImage, ...]:
        """The images of workloads; before the first pass it is not known which these are."""
        local, ours, unused = await self.pruner.survey()
        if (world := self.reconciler.world) is None:
            raise Transient("NotSure", "cannot tell whose images these are: no pass is done yet")
        return workload_images(world, local, ours, unused)

    def _make_locks(self) -> FleetLock:
        settings = self._settings.fleetlock
        return FleetLock(
            self.history.reboot_lock,
            timeout=settings.timeout,
            boot=boot_id(),
            clock=self._clock.now,
            wake=self.wake,
            upstream=Upstream(settings.upstream) if settings.upstream else None,
            enabled=settings.enabled,
        )

    def _make_pulls(self) -> Pulls:
        settings = self._settings.pull
        room = Room(
            self.podman,
            self.podman.local_images,
            self.history.images,
            self.pruner,
            self._settings.disk.limit,
            clock=self._clock.now,
        )
        return Pulls(
            self.podman,
            room,
            parallel=settings.parallel,
            deadline=settings.deadline,
            base=settings.backoff_base,
            ceiling=settings.backoff_max,
            auth_file=Path(settings.auth_file) if settings.auth_file else None,
            clock=self._clock.now,
            wake=self._images_changed,
            show=self.wake,
            metrics=self.metrics,
        )

    def _make_updates(self) -> Updates:
        pull, settings = self._settings.pull, self._settings.updates
        auth_file = Path(pull.auth_file) if pull.auth_file else None
        return Updates(
            self._registry or Registry(self._paths.home, self._paths.xdg_runtime_dir, auth_file),
            interval=settings.interval,
            jitter=settings.jitter,
            clock=self._clock.now,
            wake=self.wake,
            metrics=self.metrics,
        )

    def _make_reconciler(self) -> Reconciler:
        rollout = self._settings.rollout
        watchdog = notify.watchdog_interval() or _HEARTBEAT
        return Reconciler(
            self.gatherer,
            self.executor,
            self.keeper,
            self.pulls,
            self.updates,
            self.history,
            self.locks,
            self.board,
            Policy(rollout.soak, rollout.deadline, rollout.restarts, keep=rollout.keep),
            self._settings.reconcile,
            self._clock,
            self.metrics,
            on_pass=self._tell,
            heartbeat=min(watchdog / 3, _HEARTBEAT),
            problems=self._problems,
        )

    def wake(self) -> None:
        """Have the loop look at the world soon."""
        self.reconciler.wake()

    def stop(self) -> None:
        """Have `run` return; containers are left as they are."""
        self._stop.set()

    async def run(self) -> None:
        """Run until `stop` is called.

        Raises:
            ExceptionGroup: a part ended unexpectedly.
        """
        problem = await self.history.open()
        if problem:
            log.error("%s", problem)
        await self.locks.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._wait_for_stop(), name="stop")
                tasks.create_task(self._serve(), name="api")
                tasks.create_task(self.events.run(), name="events")
                await self._connect_systemd()
                await self._check_host()
                await asyncio.to_thread(self._clean)
                tasks.create_task(self._keep_systemd(), name="systemd")
                tasks.create_task(self._follow_podman(), name="podman events")
                tasks.create_task(self._follow_files(), name="files")
                tasks.create_task(self._follow_host(), name="host")
                tasks.create_task(self.pruner.run(), name="prune")
                tasks.create_task(self.locks.keep(), name="fleetlock")
                tasks.create_task(self._outlive_restarts(), name="steady")
                tasks.create_task(self.usage.run(), name="usage")
                tasks.create_task(self.reconciler.run(tasks), name="reconcile")
        except* _Stop:
            log.info("stopping; containers go on")
        finally:
            notify.stopping()
            await self.prober.close()
            await self.reach.close()
            self.logs.close()
            await self.systemd.close()
            await self.podman.close()
            await self.history.close()

    def _clean(self) -> None:
        """Remove what a daemon that was killed had begun to write. Blocks."""
        with suppress(OSError):  # the next start tries again
            remove_drafts(self._paths.state_dir)
        self.files.clean()
        self.units.clean()

    async def _wait_for_stop(self) -> None:
        await self._stop.wait()
        raise _Stop

    async def _serve(self) -> None:
        await self.server.run()

    async def _connect_systemd(self) -> None:
        """Connect to the user manager, however long that takes."""
        attempt = 0
        while True:
            try:
                await self.systemd.connect()
                return
            except WorkloaddError as error:
                attempt += 1
                log.warning("%s", error.problem)
                await self._pause(attempt)

    async def _keep_systemd(self) -> None:
        while True:
            await self.systemd.wait_lost()
            log.warning("the connection to systemd was lost; connecting again")
            await self._connect_systemd()
            self.wake()

    async def _follow_podman(self) -> None:
        """Wake up by Podman's events, for ever, and look anew after every new connection."""
        attempt = 0
        while True:
            try:
                async for event in self.podman.events():
                    attempt = 0
                    if event.startswith(("image", "connected")):
                        self.observer.forget()
                    self.wake()
            except Transient as error:
                attempt += 1
                log.debug("%s", error.problem)
                await self._pause(attempt)

    async def _follow_files(self) -> None:
        await self.watcher.run()

    async def _follow_host(self) -> None:
        while True:
            await asyncio.sleep(_PREFLIGHT_INTERVAL)
            await self._check_host()

    async def _outlive_restarts(self) -> None:
        """Once steady, have systemd forget our own restarts: their delay grows with the number."""
        await asyncio.sleep(STEADY)
        try:
            await self.systemd.reset_failed(_OWN_UNIT)
        except WorkloaddError as error:
            log.debug("%s", error.problem)

    async def _check_host(self) -> None:
        await self.access.look()
        conditions = tuple(
            HostConditionStatus(
                type=c.name,
                status="Unknown" if c.status is None else "True" if c.status else "False",
                reason=c.reason,
                message=c.message,
                fix=c.fix,
                warning=c.warning,
            )
            for c in await gather(
                self.podman, self._paths, self._settings.disk.limit, self.reach.check
            )
        )
        self.board.publish(self.board.status.model_copy(update={"host": conditions}))

    def _pruned(self) -> None:
        """Show what was removed last."""
        update = {"pruned": pruned_status(self.pruner.last)}
        self.board.publish(self.board.status.model_copy(update=update))

    def _images_changed(self) -> None:
        self.observer.forget()
        self.wake()

    def _problems(self) -> tuple[Problem, ...]:
        """What the parts cannot do just now."""
        rest = (self.access.problem, self.watcher.problem)
        return (*self.server.problems, *(problem for problem in rest if problem))

    def _tell(self, status: Status) -> None:
        """After a pass: follow the files it read, tell systemd how we are and that we live."""
        self.watcher.set_extra(self.source.read_paths)
        notify.status(summary(status))
        notify.watchdog()
        if not self._told and status.passes.count:
            self._told = True
            notify.ready()

    async def _pause(self, attempt: int) -> None:
        await asyncio.sleep(
            delay(attempt, _RECONNECT_BASE, _RECONNECT_CEILING, random.random())  # noqa: S311
        )


async def run(paths: Paths, settings: Settings) -> None:
    """Run a daemon until SIGTERM or SIGINT."""
    await serve(Daemon(paths, settings, passed=passed_sockets()))


async def serve(daemon: Daemon) -> None:
    """Run a daemon that has the process to itself, until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.stop)
    sys.setswitchinterval(_SWITCH)
    aside = asyncio.create_task(Aside().follow(daemon.board), name="garbage")
    try:
        await daemon.run()
    finally:
        aside.cancel()
