"""Pulling images: tracked tasks of their own, bounded, with a deadline, retries and backoff.

A pull never belongs to a pass. A pass asks for one, and a finished one (either way) wakes the
loop, which then finds the image, or the reason why there is none.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from workloadd.core.actions import PullImage
from workloadd.core.backoff import delay
from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.core.memory import Pull
from workloadd.host.auth import Credentials, credentials_for
from workloadd.metrics import Metrics
from workloadd.slots import Slots

log = logging.getLogger(__name__)


# Seconds before a pull that the registry refused is tried again for the first time.
_REFUSED_BASE = 20.0
# … and until the disk is looked at again, where there was too little room.
_LOW_PAUSE = 15.0
# Seconds until a pass shows how far pulls are: no more than one a second is only for that.
_SHOWN = 1.0


class Puller(Protocol):
    """What pulling needs of Podman."""

    async def pull(
        self,
        reference: str,
        policy: str,
        *,
        platform: str,
        credentials: Credentials | None,
        on_progress: Callable[[str], None],
    ) -> str: ...


class RoomView(Protocol):
    """Pulls while there is room on the disk."""

    async def pull(self, reference: str, pull: Callable[[], Awaitable[str]]) -> None: ...


class Pulls:
    """The pulls of this daemon, by image reference.

    `wake` is called when one has ended, `show` a moment after one got further. `deadline`, `base`
    and `ceiling` (of the backoff) are in seconds. A permanent refusal (no such image, no access) is
    tried again as well, as images get pushed and access given, but begins with a longer pause.
    """

    def __init__(
        self,
        podman: Puller,
        room: RoomView,
        *,
        parallel: int,
        deadline: float,
        base: float,
        ceiling: float,
        auth_file: Path | None,
        clock: Callable[[], float],
        wake: Callable[[], None],
        show: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._podman = podman
        self._room = room
        self.slots = Slots(parallel)
        self._deadline = deadline
        self._base, self._ceiling = base, ceiling
        self._auth_file = auth_file
        self._clock = clock
        self._wake = wake
        self._show = show
        self._showing: asyncio.TimerHandle | None = None
        self._metrics = metrics
        self._pulls: dict[str, Pull] = {}
        self._keys: dict[str, set[str]] = {}

    def view(self) -> dict[str, Pull]:
        """All pulls as they stand."""
        return dict(self._pulls)

    @property
    def retrying(self) -> int:
        """How many have failed and wait to be tried again."""
        return sum(1 for pull in [*self._pulls.values()] if pull.problem and not pull.running)

    def forget(self, references: AbstractSet[str]) -> None:
        """Drop what is known of images that no file names any more."""
        for reference in set(self._pulls) - references:
            if not self._pulls[reference].running:
                del self._pulls[reference]

    def request(self, wish: PullImage, tasks: asyncio.TaskGroup) -> None:
        """Begin a pull, unless one is on for the same reference.

        That one answers the wishes it was begun for; a later wish is asked for anew after it.
        """
        self._keys.setdefault(wish.reference, set()).add(wish.key)
        pull = self._pulls.get(wish.reference, Pull())
        if pull.running:
            return
        self._pulls[wish.reference] = replace(pull, running=True, progress="")
        tasks.create_task(self._pull(wish), name=f"pull {wish.reference}")

    async def _pull(self, wish: PullImage) -> None:
        log.info("pulling %s", wish.reference)
        keys = self._keys.pop(wish.reference, set())
        try:
            async with self.slots:
                with self._metrics.pulling():
                    await self._pull_once(wish)
        except WorkloaddError as error:
            self._failed(wish, error, keys)
        else:
            log.info("pulled %s", wish.reference)
            done = self._pulls[wish.reference].done_for | keys
            self._pulls[wish.reference] = Pull(done_for=done)
        self._wake()

    async def _pull_once(self, wish: PullImage) -> None:
        def on_progress(line: str) -> None:
            pull = self._pulls[wish.reference]
            self._pulls[wish.reference] = replace(pull, progress=line)
            self._show_soon()

        credentials = None
        if self._auth_file:
            credentials = await asyncio.to_thread(credentials_for, wish.reference, self._auth_file)
        try:
            async with asyncio.timeout(self._deadline):
                pull = partial(
                    self._podman.pull,
                    wish.reference,
                    wish.policy,
                    platform=wish.platform,
                    credentials=credentials,
                    on_progress=on_progress,
                )
                await self._room.pull(wish.reference, pull)
        except TimeoutError:
            raise Transient(
                "PullDeadlineExceeded",
                f"cannot pull {wish.reference}: not done after {self._deadline:.0f} s",
                "it is tried again; pull.deadline in workloadd.toml allows more",
            ) from None

    def _show_soon(self) -> None:
        """Have it shown how far pulls are; of many lines that come at once, the last."""

        def show() -> None:
            self._showing = None
            self._show()

        if self._showing is None:
            self._showing = asyncio.get_running_loop().call_later(_SHOWN, show)

    def _failed(self, wish: PullImage, error: WorkloaddError, keys: set[str]) -> None:
        pull = self._pulls[wish.reference]
        attempts = pull.attempts + 1
        self._metrics.erred("pull", error.problem)
        low = error.problem.reason == "DiskLow"
        if low:
            # Looking costs nothing, and room may be made at any time.
            attempts, pause = pull.attempts, min(_LOW_PAUSE, self._ceiling)
        else:
            base = min(_REFUSED_BASE, self._ceiling) if isinstance(error, Permanent) else self._base
            pause = delay(attempts, base, self._ceiling, random.random())  # noqa: S311 - jitter
        again = low and pull.problem is not None and pull.problem.reason == "DiskLow"
        log.log(
            logging.DEBUG if again else logging.WARNING,
            "%s (next try in %.0f s)", error.problem, pause,
        )  # fmt: skip
        self._pulls[wish.reference] = replace(
            pull,
            running=False,
            progress="",
            attempts=attempts,
            problem=error.problem,
            next_at=self._clock() + pause,
            failed_for=pull.failed_for | keys,
        )
