"""What the planner makes of a workload that waits for connections."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.sim import Host, declared
from workloadd.core.actions import Action, Note, RestartUnit, StartSockets, StopSockets, StopUnit
from workloadd.core.case import Case
from workloadd.core.converge import converge
from workloadd.core.deployment import Current, current_deployment
from workloadd.core.desired import Declared
from workloadd.core.memory import Memory, OpenRollout
from workloadd.core.names import WHOLE, candidate_name
from workloadd.core.observed import Container, Seen, UnitFile, UnitRecord, UnitState
from workloadd.core.on_demand import release_sockets, stop_sockets
from workloadd.core.revision import Image, UnitParams
from workloadd.core.rollout import Policy
from workloadd.spec.names import MAIN_CONTAINER

BOOT, NOW = 1_000.0, 2_000.0
PATH = "/etc/workloadd/workloads.d/web.yaml"
SOCKET, MORE = "workload-web.socket", "workload-web_more.socket"
PARAMS = UnitParams(sockets=("::8080", "more::8081"), idle_timeout=60.0)
LISTENS = UnitState(load_state="loaded", active_state="active", sub_state="listening")
RUNS = UnitState(
    load_state="loaded", active_state="active", sub_state="running", active_since=1_500.0
)
DOWN = UnitState(load_state="loaded", active_state="inactive", sub_state="dead")
FAILED = UnitState(load_state="loaded", active_state="failed", result="resources")


def container(**changes: Any) -> Container:
    running = Container(
        id="1",
        name="web",
        workload="web",
        container=MAIN_CONTAINER,
        revision="r" * 64,
        image="i",
        image_id="i",
        state="running",
        created_at=1_400.0,
        started_at=1_500.0,
        params=PARAMS,
    )
    return replace(running, **changes)


ASLEEP = container(state="exited", exit_code=0, exited_at=1_600.0)


def seen(
    one: Container,
    unit: UnitState,
    sockets: UnitState = LISTENS,
    *,
    disabled: bool = False,
    idle_since: float | None = None,
) -> Seen:
    record = UnitRecord("web", "r" * 64, ((MAIN_CONTAINER, "1"),), (), PATH, disabled=disabled)
    file = UnitFile(record, intact=True, enabled=True)
    listening = {SOCKET: sockets, MORE: LISTENS}
    return Seen((one,), file, {WHOLE: unit}, sockets=listening, idle_since=idle_since)


def plan(look: Seen, memory: Memory | None = None) -> tuple[tuple[Action, ...], float | None]:
    deployed = current(look)
    case = Case(
        declared=Declared("web", PATH),
        seen=look,
        current=deployed,
        wanted=None,
        memory=memory or Memory(),
        policy=Policy(),
        boot=BOOT,
        now=NOW,
    )
    planned = converge(case, None)
    return planned.actions, planned.wake_at


def current(look: Seen) -> Current:
    found = current_deployment("web", look)
    assert found
    return found


def test_asleep_it_is_left_alone() -> None:
    look = seen(ASLEEP, DOWN)
    assert plan(look) == ((), None)
    assert current(look).asleep and current(look).up


def test_one_that_was_never_started_in_this_boot_as_well() -> None:
    assert plan(seen(container(state="exited", started_at=900.0, exited_at=950.0), DOWN)) == (
        (),
        None,
    )


@pytest.mark.parametrize("state", [DOWN, FAILED])
def test_a_socket_that_does_not_listen_is_started(state: UnitState) -> None:
    look = seen(ASLEEP, DOWN, state)
    actions, _ = plan(look)
    assert actions == (Note("drift", "its socket was stopped"), StartSockets((SOCKET,)))
    assert not current(look).up


def test_after_a_boot_that_is_no_drift() -> None:
    before = container(state="exited", started_at=900.0, exited_at=950.0)
    assert plan(seen(before, DOWN, DOWN))[0] == (StartSockets((SOCKET,)),)


def test_for_a_service_that_runs_systemd_does_not_begin_to_listen() -> None:
    actions, _ = plan(seen(container(), RUNS, DOWN))
    assert actions == (Note("drift", "its socket was stopped"), RestartUnit())


def test_what_systemd_is_about_to_do_is_waited_for() -> None:
    starting = replace(DOWN, job="start")
    assert plan(seen(ASLEEP, DOWN, starting)) == ((), None)
    stopping = replace(DOWN, active_state="deactivating")
    assert plan(seen(container(), stopping, DOWN)) == ((), None)


def test_to_prove_itself_it_is_started() -> None:
    fresh = container(
        name=candidate_name("web", MAIN_CONTAINER, "r" * 64), state="created", started_at=0.0
    )
    (action,), _ = plan(seen(fresh, DOWN))
    assert str(action) == "start the unit"


def test_having_ended_well_it_has_proved_itself() -> None:
    name = candidate_name("web", MAIN_CONTAINER, "r" * 64)
    rollout = OpenRollout(1, "web", "r" * 64, "new workload", 1_450.0, committed_at=1_490.0)
    actions, _ = plan(seen(replace(ASLEEP, name=name), DOWN), Memory(rollouts={"web": rollout}))
    assert [type(action).__name__ for action in actions] == ["RenameContainer", "EndRollout"]


def test_idle_for_long_enough_it_is_stopped() -> None:
    assert plan(seen(container(), RUNS, idle_since=NOW - 60)) == ((StopUnit(),), None)
    assert plan(seen(container(), RUNS, idle_since=NOW - 50)) == ((), NOW + 10)
    assert plan(seen(container(), RUNS, idle_since=NOW - 10)) == ((), NOW + 15)
    assert plan(seen(container(), RUNS)) == ((), NOW + 15)


def test_not_before_it_has_proved_itself() -> None:
    name = candidate_name("web", MAIN_CONTAINER, "r" * 64)
    young = replace(RUNS, active_since=NOW - 1)
    actions, _ = plan(seen(container(name=name), young, idle_since=NOW - 60))
    assert actions == ()


def test_what_runs_outside_its_unit_is_stopped_and_it_sleeps_again() -> None:
    actions, _ = plan(seen(container(), DOWN))
    assert [type(action).__name__ for action in actions] == ["Note", "StopContainer"]
    # Between our two looks a connection may have started it.
    assert plan(seen(container(started_at=NOW - 1), DOWN)) == ((), None)


def test_sockets_that_change_are_closed_before_the_units_are_written() -> None:
    look = seen(container(), RUNS)
    deployed = current(look)
    assert release_sockets(look, deployed, {MAIN_CONTAINER: PARAMS}) == []
    closed = [StopSockets((SOCKET, MORE))]
    other = replace(PARAMS, sockets=("::8082",))
    assert release_sockets(look, deployed, {MAIN_CONTAINER: other}) == closed
    assert release_sockets(look, deployed, {MAIN_CONTAINER: UnitParams()}) == closed
    assert release_sockets(Seen(), None, {MAIN_CONTAINER: PARAMS}) == []


def test_only_what_listens_is_closed() -> None:
    assert stop_sockets(seen(ASLEEP, DOWN, FAILED)) == [StopSockets((MORE,))]
    assert stop_sockets(Seen()) == []


IMAGE = "localhost:5000/nginx:1"
FILES = [
    declared("web", f"image: {IMAGE}\nhostname: h{number}\n{text}\n")
    for number, text in enumerate(
        ["sockets: [8080]", "sockets: [8081]", "sockets: [8080, {listen: 8082, name: a}]", ""]
    )
]


def fresh() -> Host:
    return Host(images={IMAGE: Image("img1", "sha256:one")})


@given(
    files=st.lists(st.sampled_from(FILES), min_size=1, max_size=4),
    steps=st.lists(st.integers(0, 12), min_size=4, max_size=4),
)
def test_wherever_the_daemon_ends_it_listens_on_what_the_file_says(
    files: list[Declared], steps: list[int]
) -> None:
    host = fresh()
    for file, count in zip(files, steps, strict=False):
        host.carry_out(host.plan(file).actions, count)
    host.settle(files[-1])
    assert host.listening == host.to_listen()
    assert files[-1].spec
    assert len(host.listening) == len({s.name for s in files[-1].spec.sockets})
    assert host.serving().name == "web"


def test_a_bad_version_is_undone_together_with_its_sockets() -> None:
    host = fresh()
    host.settle(FILES[0])
    good = host.serving()
    planned = host.plan(FILES[1])
    host.crashing.add(planned.revision)
    host.settle(FILES[1])
    assert host.serving().id == good.id
    assert host.listening == host.to_listen() == {SOCKET: ("::8080",)}


def test_it_sleeps_and_is_woken_without_the_daemon() -> None:
    host = fresh()
    host.settle(FILES[0])
    host.stop()
    assert host.plan(FILES[0]).actions == ()
    host.connect()
    assert host.serving().name == "web"
    assert host.plan(FILES[0]).actions == ()


def test_disabled_or_removed_it_does_not_listen() -> None:
    host = fresh()
    host.settle(FILES[0])
    disabled = declared("web", f"image: {IMAGE}\nsockets: [8080]\nenabled: false\n")
    host.settle(disabled)
    assert (host.listening, host.unit().active_state) == ({}, "inactive")
    host.settle(FILES[0])
    assert host.listening == {SOCKET: ("::8080",)}
    host.settle()
    assert (host.listening, host.containers, host.file) == ({}, {}, None)
