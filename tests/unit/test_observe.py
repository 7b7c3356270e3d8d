"""One look at the host, while others have it look anew."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from workloadd.core.objects import NO_OBJECTS
from workloadd.core.observed import NO_FILES
from workloadd.core.revision import Image
from workloadd.host.podman_parse import ContainerList
from workloadd.observe import Observer

IMAGES = {name: Image(name, f"sha256:{name}") for name in ("one", "two")}


class Podman:
    """A Podman with images, during whose answer something else may happen."""

    def __init__(self) -> None:
        self.meanwhile = lambda: None
        self.asked: list[list[str]] = []

    async def images(self, references: Collection[str]) -> dict[str, Image]:
        self.asked.append(sorted(references))
        self.meanwhile()
        return {name: IMAGES[name] for name in references}

    async def containers(self) -> ContainerList:
        return ContainerList((), frozenset())

    async def info(self) -> Any:
        return SimpleNamespace(version="5.4.2")

    async def runs(self, names: object) -> dict[str, Any]:
        return {}


async def _units() -> dict[str, Any]:
    return {}


async def _began() -> float:
    return 0.0


async def _look(*, needed: bool) -> Any:
    return NO_OBJECTS, NO_FILES, {}


def _observer(podman: Podman) -> Observer:
    systemd: Any = SimpleNamespace(units=_units, manager_started_at=_began)
    units: Any = SimpleNamespace(read=dict)
    keeper: Any = SimpleNamespace(look=_look)
    view: Any = podman
    return Observer(view, systemd, units, keeper, controllers=frozenset)


async def test_images_are_asked_for_once_until_they_are_forgotten() -> None:
    podman = Podman()
    observer = _observer(podman)
    assert (await observer.observe((), {"one"})).images == {"one": IMAGES["one"]}
    assert (await observer.observe((), {"one", "two"})).images == IMAGES
    observer.forget()
    await observer.observe((), {"one", "two"})
    assert podman.asked == [["one"], ["two"], ["one", "two"]]


async def test_images_that_are_forgotten_during_a_look_are_still_here() -> None:
    podman = Podman()
    observer = _observer(podman)
    await observer.observe((), {"one"})
    podman.meanwhile = observer.forget
    assert (await observer.observe((), {"one", "two"})).images == IMAGES
    await observer.observe((), {"one"})
    assert podman.asked[-1] == ["one"]
