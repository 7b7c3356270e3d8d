"""Who was killed for memory: asked once for each end."""

from dataclasses import replace

import pytest

from workloadd.core.errors import Transient
from workloadd.core.observed import Container
from workloadd.core.runs import Ending
from workloadd.endings import Endings

RAN = Container(
    "c1", "web", "web", "main", "r1", "i1", "image", "exited", 137, 1.0, 2.0, exited_at=3.0
)


class Runs:
    """Podman, as far as it tells of ends."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.killed: set[str] = {"c1"}
        self.away = False

    async def ending(self, container: str) -> Ending:
        self.asked.append(container)
        if self.away:
            raise Transient("PodmanAway", "cannot look: it is away")
        return Ending(2.0, 3.0, 137, oom=container in self.killed)


async def marked(endings: Endings, *containers: Container) -> list[bool]:
    return [one.oom for one in await endings.mark(containers)]


async def test_each_end_is_asked_for_once() -> None:
    runs = Runs()
    endings = Endings(runs)
    other = replace(RAN, id="c2")
    assert await marked(endings, RAN, other) == [True, False]
    assert await marked(endings, RAN, other) == [True, False]
    assert runs.asked == ["c1", "c2"]
    assert await marked(endings, replace(RAN, exited_at=9.0)) == [True]
    assert runs.asked == ["c1", "c2", "c1"]


@pytest.mark.parametrize(
    "change", [{"state": "running"}, {"exit_code": 0}, {"exit_code": 143}, {"state": "created"}]
)
async def test_what_ended_well_or_runs_is_not_asked_for(change: dict[str, object]) -> None:
    runs = Runs()
    assert await marked(Endings(runs), replace(RAN, **change)) == [False]  # type: ignore[arg-type]
    assert runs.asked == []


async def test_while_podman_does_not_say_it_is_asked_again() -> None:
    runs = Runs()
    endings = Endings(runs)
    runs.away = True
    assert await marked(endings, RAN) == [False]
    runs.away = False
    assert await marked(endings, RAN) == [True]
