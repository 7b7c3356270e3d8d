"""How containers ended whose end is not to be read off a list: which were killed for memory."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from workloadd.core.errors import Permanent, Transient
from workloadd.core.observed import Container
from workloadd.core.runs import Ending

# What a stop makes of a container that minds its signal.
_STOPPED = 143


class RunsView(Protocol):
    """What this needs of Podman."""

    async def ending(self, container: str) -> Ending: ...


class Endings:
    """Asks once for each end; what is remembered is only of containers that are still here."""

    def __init__(self, runs: RunsView) -> None:
        self._runs = runs
        self._killed: dict[tuple[str, float], bool] = {}

    async def mark(self, containers: Iterable[Container]) -> tuple[Container, ...]:
        """The containers, those marked that were killed for memory."""
        found = tuple(containers)
        ended = [c for c in found if c.state == "exited" and c.exit_code not in (0, _STOPPED)]
        known = {key: self._killed[key] for c in ended if (key := _key(c)) in self._killed}
        for container in ended:
            if _key(container) not in known and (said := await self._ask(container)) is not None:
                known[_key(container)] = said
        self._killed = known
        return tuple(replace(c, oom=True) if known.get(_key(c)) else c for c in found)

    async def _ask(self, container: Container) -> bool | None:
        """Whether it was; None where Podman does not say, so that it is asked again."""
        try:
            return (await self._runs.ending(container.id)).oom
        except (Transient, Permanent):
            return None


def _key(container: Container) -> tuple[str, float]:
    return container.id, container.exited_at
