"""One look at the host and the plan that follows from it, with the daemon's own code."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from workloadd.core.actions import WorkloadPlan
from workloadd.core.desired import Desired
from workloadd.core.errors import Transient
from workloadd.core.memory import Memory, Pull
from workloadd.core.names import SHORT
from workloadd.core.observed import Observed
from workloadd.core.plan import plan
from workloadd.core.resolve import pull_key
from workloadd.core.revision import Image
from workloadd.core.rollout import Policy
from workloadd.core.world import World
from workloadd.gather import files_of, port_holders
from workloadd.history import History
from workloadd.host.fates import FateFile
from workloadd.host.filestore import FileStore
from workloadd.host.podman import Podman
from workloadd.host.systemd import Systemd
from workloadd.host.units import UnitDirectory
from workloadd.observe import Observer
from workloadd.settings import Paths, Settings
from workloadd.sources.directories import Directories
from workloadd.spec.container import ContainerSpec
from workloadd.upkeep import Keeper

# Stands for what a pull will bring.
_UNKNOWN = Image("sha256:" + "0" * 64, "sha256:" + "0" * 64)
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class WorkloadPreview:
    """One workload's plan in words. `idle` is what to say where there are no steps."""

    name: str
    why: str
    steps: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def idle(self) -> str:
        """Why nothing is done."""
        return f"nothing to do ({self.why})" if self.why else "nothing to do"


@dataclass(frozen=True, slots=True)
class Preview:
    """The plans of all workloads, and what stood in the way of making them."""

    workloads: tuple[WorkloadPreview, ...]
    problems: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


async def preview(paths: Paths, settings: Settings, source: Directories) -> Preview:
    """Look and plan.

    Raises:
        WorkloaddError: systemd, Podman or the history cannot be asked.
    """
    podman = Podman(paths.podman_socket, user=paths.user)
    systemd = Systemd(paths.bus_address)
    history = History(paths.history_file)
    problem = await history.open(readonly=True)
    try:
        await systemd.connect()
        bad, rollouts, last = await history.memory()
        runs = await history.runs.recent()
        hands = await history.hands.all()
        units = UnitDirectory(
            paths.unit_dir, paths.unit_config_dir, paths.unit_sets, paths.unit_overrides
        )
        keeper = Keeper(
            podman.objects,
            FileStore(paths.files_dir),
            FateFile(paths.fates_file),
            user=paths.user,
            clock=time.time,
            wake=lambda: None,
        )
        observer = Observer(podman, systemd, units, keeper)
        desired, observed = await _look(observer, source)
    finally:
        await systemd.close()
        await podman.close()
        await history.close()
    rollout = settings.rollout
    policy = Policy(rollout.soak, rollout.deadline, rollout.restarts, keep=rollout.keep)
    memory = Memory(bad, rollouts, last, runs=runs, hands=hands)
    steps = steps_of(desired, observed, memory, policy, time.time())
    missing = problem and problem.reason != "HistoryMissing"
    problems = (*([problem] if problem and missing else []), *desired.unreadable, *desired.problems)
    return Preview(steps, tuple(map(str, problems)))


async def _look(observer: Observer, source: Directories) -> tuple[Desired, Observed]:
    try:
        async with asyncio.timeout(_SECONDS):
            return await _load_and_observe(observer, source)
    except TimeoutError:
        message = f"cannot look at the host: no answer within {_SECONDS:.0f} s"
        hint = "see systemctl --user status podman.socket"
        raise Transient("HostSilent", message, hint) from None


async def _load_and_observe(observer: Observer, source: Directories) -> tuple[Desired, Observed]:
    before = await observer.observe((), ())
    desired = await asyncio.to_thread(source.load, port_holders(before), files_of(before))
    references = {image for _, _, one in _containers(desired) for image in one.images}
    return desired, await observer.observe(desired.workloads, references)


def steps_of(
    desired: Desired, observed: Observed, memory: Memory, policy: Policy, now: float
) -> tuple[WorkloadPreview, ...]:
    """The plan in words, of every workload, as far as it can be foreseen.

    What was pulled when is known to the running daemon only. So images that are here count as
    pulled, and one that is not is planned for as if it had come already.
    """
    pulled = replace(observed, images={**_expected(desired), **observed.images})
    known = replace(memory, pulls=_pulls(desired))
    world = World(desired, pulled, known, now)
    planned = plan(world, policy)
    return tuple(_step(name, one, world) for name, one in planned.workloads.items())


def _expected(desired: Desired) -> dict[str, Image]:
    """What would be here after all pulls."""
    found = (c for _, _, c in _containers(desired) if c.pull != "never")
    return {image: _UNKNOWN for c in found for image in c.images}


def _pulls(desired: Desired) -> Mapping[str, Pull]:
    keys: dict[str, set[str]] = {}
    for workload, name, container in _containers(desired):
        for image in container.images:
            keys.setdefault(image, set()).add(pull_key(workload, name, container))
    return {image: Pull(done_for=frozenset(of)) for image, of in keys.items()}


def _containers(desired: Desired) -> Iterator[tuple[str, str, ContainerSpec]]:
    """Every container of every workload that is to run, with the workload's name and its own."""
    for workload, declared in desired.workloads.items():
        if declared.spec and declared.spec.enabled:
            for name, container in declared.spec.containers_by_name.items():
                yield workload, name, container


def _step(name: str, planned: WorkloadPlan, world: World) -> WorkloadPreview:
    declared, pulled = world.desired.workloads.get(name), world.observed
    errors = tuple(str(error) for error in declared.errors) if declared else ()
    if errors:
        return WorkloadPreview(name, "its file is invalid: what runs stays as it is", errors=errors)
    texts = [planned.why, *map(str, planned.actions)]
    containers = declared.spec.containers_by_name.values() if declared and declared.spec else ()
    if declared and any(pulled.images.get(i) == _UNKNOWN for c in containers for i in c.images):
        revision = world.resolution(name).revision
        digests = [revision.digest, *(p.digest for p in revision.parts)] if revision else []
        texts = [_unforeseen(text, digests) for text in texts]
    why, *steps = texts
    if steps:
        wishes = dict.fromkeys(
            f"pull {image} ({c.pull})"
            for c in containers
            for image in c.images
            if _pulls_first(c.pull, pulled.images.get(image))
        )
        steps = [*wishes, *steps]
    return WorkloadPreview(name, why, tuple(steps))


def _pulls_first(policy: str, image: Image | None) -> bool:
    return image == _UNKNOWN or policy in ("always", "newer")


def _unforeseen(text: str, digests: Iterable[str]) -> str:
    """`text` without the digests that only the pull will tell."""
    for digest in digests:
        text = text.replace(digest, "the new revision").replace(digest[:SHORT], "the new revision")
    return text.replace(_UNKNOWN.digest, "what the pull brings")
