"""Since when nobody has used a workload, from look to look."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from workloadd.core.observed import Container, Seen, UnitFile, UnitRecord, UnitState
from workloadd.core.revision import UnitParams
from workloadd.idleness import Idleness
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.sockets import Socket

PARAMS = UnitParams(sockets=("::8080",), idle_timeout=60.0)
CONTAINER = Container(
    id="1", name="web", workload="web", container=MAIN_CONTAINER, revision="r",
    image="i", image_id="i", state="running", params=PARAMS,
)  # fmt: skip
FILE = UnitFile(UnitRecord("web", "r", ((MAIN_CONTAINER, "1"),)), intact=True, enabled=True)
ACTIVE = UnitState(load_state="loaded", active_state="active", active_since=50.0)
SEEN = Seen((CONTAINER,), FILE, {"": ACTIVE})


@dataclass
class World:
    """A host of which one can say who is connected, and what that costs."""

    now: float = 100.0
    open: int = 0
    accepted: int = 0
    used: float = 0.0
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def count(self, sockets: Iterable[Socket]) -> int:
        assert [str(socket) for socket in sockets] == ["8080"]
        return self.open

    def connections(self) -> "World":
        if self.broken:
            raise PermissionError(13, "no")
        return self

    def processor_time(self, unit: str) -> float:
        self.asked.append(unit)
        if self.used < 0:
            raise FileNotFoundError(2, "gone")
        return self.used

    def watch(self) -> Idleness:
        return Idleness(self.connections, self.processor_time, lambda: self.now)


def test_it_is_idle_from_the_first_look_without_a_connection() -> None:
    world = World(open=1)
    idleness = world.watch()
    assert idleness.look({"web": SEEN}) == {}
    world.now, world.open = 110.0, 0
    assert idleness.look({"web": SEEN}) == {"web": 110.0}
    world.now = 120.0
    assert idleness.look({"web": SEEN}) == {"web": 110.0}
    world.now, world.accepted, world.used = 130.0, 1, 0.1
    assert idleness.look({"web": SEEN}) == {"web": 130.0}
    assert set(world.asked) == {"workload-web.service"}


def test_nothing_is_read_where_nothing_is_to_be_stopped() -> None:
    world = World(broken=True)
    for seen in (
        Seen(),
        replace(SEEN, units={"": replace(ACTIVE, active_state="inactive")}),
        replace(SEEN, containers=(replace(CONTAINER, state="exited"),)),
        replace(SEEN, containers=(replace(CONTAINER, params=UnitParams()),)),
        replace(SEEN, containers=(replace(CONTAINER, params=None),)),
    ):
        assert world.watch().look({"web": seen}) == {}


def test_what_cannot_be_told_is_not_idle() -> None:
    world = World(broken=True)
    idleness = world.watch()
    assert idleness.look({"web": SEEN}) == {}
    world.broken, world.used = False, -1.0
    assert idleness.look({"web": SEEN}) == {}


def test_one_that_stopped_meanwhile_begins_anew() -> None:
    world = World()
    idleness = world.watch()
    assert idleness.look({"web": SEEN}) == {"web": 100.0}
    assert idleness.look({"web": Seen()}) == {}
    world.now = 200.0
    assert idleness.look({"web": SEEN}) == {"web": 200.0}
