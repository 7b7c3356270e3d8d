"""One daemon-reload for all that meet at the gate."""

import asyncio

import pytest

from workloadd.core.errors import Transient
from workloadd.reload import ReloadGate


class Reloads:
    """Counts reloads; the first `failures` of them fail."""

    def __init__(self, failures: int = 0) -> None:
        self.count = 0
        self.failures = failures

    async def __call__(self) -> None:
        self.count += 1
        if self.count <= self.failures:
            raise Transient("ReloadFailed", "cannot reload")


async def test_all_share_one() -> None:
    reloads = Reloads()
    gate = ReloadGate(reloads, expected=3)
    await asyncio.gather(*(gate.pass_through() for _ in range(3)))
    assert reloads.count == 1


async def test_nobody_waits_for_one_that_failed_before() -> None:
    reloads = Reloads()
    gate = ReloadGate(reloads, expected=3)
    waiting = [asyncio.create_task(gate.pass_through()) for _ in range(2)]
    await asyncio.sleep(0)
    assert reloads.count == 0
    gate.leave()
    await asyncio.gather(*waiting)
    assert reloads.count == 1


async def test_a_laggard_does_not_hold_the_others_for_ever() -> None:
    reloads = Reloads()
    gate = ReloadGate(reloads, expected=2, patience=0.0)
    await gate.pass_through()
    assert reloads.count == 1
    await gate.pass_through()
    assert reloads.count == 2


async def test_a_failure_reaches_everybody() -> None:
    gate = ReloadGate(Reloads(failures=1), expected=2)
    results = await asyncio.gather(gate.pass_through(), gate.pass_through(), return_exceptions=True)
    assert [type(r) for r in results] == [Transient, Transient]


async def test_one_that_is_cancelled_while_waiting_does_not_break_the_rest() -> None:
    reloads = Reloads()
    gate = ReloadGate(reloads, expected=2)
    first = asyncio.create_task(gate.pass_through())
    second = asyncio.create_task(gate.pass_through())
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.leave()
    await first
    assert reloads.count == 1
