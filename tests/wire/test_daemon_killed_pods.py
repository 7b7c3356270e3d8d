"""The daemon is killed after every single thing it does to a pod, and another one carries on."""

import itertools
from dataclasses import dataclass, field

import pytest

from tests.fakes.installed import Installed
from tests.wire.test_daemon_killed import carried_on, kill_after
from workloadd.core.names import unit_name
from workloadd.render.record import parse_record
from workloadd.spec.names import INFRA_CONTAINER, MAIN_CONTAINER


@dataclass(frozen=True)
class Scenario:
    """A settled workload that becomes another; an empty text is no file.

    In the end `images` run, by part; `stays` are the parts that were not started anew, `older`
    those of which a former container is kept. `state` is that of the workload.
    """

    before: str
    after: str
    images: dict[str, str]
    stays: set[str] = field(default_factory=set)
    older: set[str] = field(default_factory=set)
    state: str = "Ready"


def pod(web: str = "1", side: str = "1", *, hostname: str = "one", init: str = "") -> str:
    """A workload file of a pod, with what runs to its end first where `init` is its image."""
    first = f"  setup: {{image: 'localhost/app:{init}', init: true}}\n" if init else ""
    return (
        f"hostname: {hostname}\ncontainers:\n{first}"
        f"  web: {{image: 'localhost/app:{web}'}}\n  side: {{image: 'localhost/app:{side}'}}\n"
    )


SINGLE = "image: localhost/app:1\n"
POD = {"web": "1", "side": "1"}
WHOLE_POD = {INFRA_CONTAINER, "web", "side"}
SCENARIOS = {
    "deploy": Scenario("", pod(), POD),
    "init": Scenario("", pod(init="done"), POD),
    "update": Scenario(
        pod(), pod(side="2"), {**POD, "side": "2"}, {INFRA_CONTAINER, "web"}, WHOLE_POD
    ),
    "bad": Scenario(pod(), pod(side="bad"), POD, {INFRA_CONTAINER, "web"}, state="Degraded"),
    "pod": Scenario(pod(), pod(side="2", hostname="two"), {**POD, "side": "2"}, older=WHOLE_POD),
    "to a pod": Scenario(SINGLE, pod(), POD, older={MAIN_CONTAINER}),
    "to a single": Scenario(pod(), SINGLE, {MAIN_CONTAINER: "1"}, older=WHOLE_POD),
    "remove": Scenario(pod(), "", {}),
}


def started(host: Installed, name: str) -> dict[str, tuple[str, float]]:
    """Which container runs as each part of a workload, and since when."""
    found = host.world.podman.containers.values()
    return {
        c.labels["io.workloadd.container"]: (c.id, c.started)
        for c in found
        if c.running and c.labels.get("io.workloadd.workload") == name
    }


def is_finished(host: Installed, name: str, scenario: Scenario) -> bool:
    """Whether a scenario has come to its end."""
    if not scenario.after:
        return host.status(name) is None and host.is_idle(name)
    status = host.status(name)
    converged = status.condition("Converged") if status else None
    if not converged or host.daemon.board.status.passes.problem or not host.is_idle(name):
        return False
    done = "True" if scenario.state == "Ready" else "False"
    running = {p: c for p, c in started(host, name).items() if p != INFRA_CONTAINER}
    images = {p: host.world.podman.containers[c].image_name for p, (c, _) in running.items()}
    wanted = {part: f"localhost/app:{tag}" for part, tag in scenario.images.items()}
    return host.is_in(scenario.state, name) and converged.status == done and images == wanted


async def deployed(host: Installed, name: str, text: str) -> dict[str, tuple[str, float]]:
    """Have a file's workload settle; what runs then."""
    host.write(name, text)
    await host.until(
        lambda: (
            host.is_in("Ready", name)
            and bool(
                (status := host.status(name))
                and (converged := status.condition("Converged"))
                and converged.status == "True"
            )
            and host.is_idle(name)
        )
    )
    return started(host, name)


def check(
    host: Installed, name: str, scenario: Scenario, before: dict[str, tuple[str, float]]
) -> None:
    """What a scenario is to end in, and nothing else."""
    now = started(host, name)
    assert {part for part in now if now[part] == before.get(part)} == scenario.stays
    found = host.world.podman.containers.values()
    every = {c.id for c in found if c.labels.get("io.workloadd.workload") == name}
    if not scenario.after:
        assert not every and not list(host.paths.unit_dir.glob(f"workload-{name}*"))
        return
    record = parse_record(host.unit_file(name).read_text())
    assert record
    current, previous = dict(record.containers), dict(record.previous)
    assert {part for part in previous if part not in scenario.older} <= scenario.stays
    assert every == {*current.values(), *previous.values()}, "nothing is left behind"
    assert {p.id for p in host.world.podman.pods.values()} == {c.pod for c in found if c.pod}
    for part in current:
        unit = host.world.manager.units[unit_name(name, part)]
        assert (unit.active_state, host.world.manager.needs_reload(unit)) == ("active", False)
        assert part not in now or unit.main == now[part][0] == current[part]


async def one_run(
    host: Installed, scenario: Scenario, name: str, count: int
) -> tuple[list[str], dict[str, tuple[str, float]]]:
    """The scenario with a daemon that dies after `count` calls; the calls, what ran before."""
    before = await deployed(host, name, scenario.before) if scenario.before else {}
    made = kill_after(host.daemon, count)
    if scenario.after:
        host.write(name, scenario.after)
    else:
        host.remove(name)
    await carried_on(host, lambda: is_finished(host, name, scenario))
    return made, before


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
async def test_killed_after_every_call(host: Installed, scenario: Scenario) -> None:
    host.world.podman.add_image("localhost/app:done", exits=0)
    await host.start()
    for count in itertools.count(1):
        name = f"w{count}"
        made, before = await one_run(host, scenario, name, count)
        check(host, name, scenario, before)
        if scenario.after:
            host.remove(name)
            await host.gone(name)
        if len(made) < count:
            break
    assert count > 5
    assert host.unit_files() == set()
    assert not host.world.podman.containers and not host.world.podman.pods
    assert not list(host.world.wants.iterdir())
