"""Long work does not keep the loop: what is due in between has its turn."""

import asyncio
from collections.abc import Iterator

from tests.fakes.statuses import world
from workloadd.core.actions import Plan
from workloadd.core.assess import Knowledge, assess, assessments
from workloadd.core.memory import Memory
from workloadd.core.plan import plan, plans
from workloadd.core.rollout import Policy
from workloadd.core.world import World
from workloadd.slices import in_slices

FILES = {f"site-{n}": f"image: localhost/app:{n}\n" for n in range(6)}


async def test_others_have_turns_between_two_slices() -> None:
    done: list[str] = []

    async def request() -> None:
        await asyncio.sleep(0)
        done.append("answered")

    def work() -> Iterator[int]:
        for number in range(4):
            done.append(f"step {number}")
            yield number

    asking = asyncio.create_task(request())
    assert await in_slices(work(), length=0) == [0, 1, 2, 3]
    await asking
    assert done == ["step 0", "answered", "step 1", "step 2", "step 3"]


async def test_what_takes_no_time_is_made_in_one_go() -> None:
    turns: list[str] = []
    asyncio.get_running_loop().call_soon(turns.append, "another's")
    assert await in_slices(iter("ab"), length=3600) == ["a", "b"]
    assert turns == []


async def test_a_pass_in_slices_is_the_pass_in_one_go() -> None:
    desired, observed = world(FILES, dict(list(FILES.items())[::2]))
    whole, sliced = (World(desired, observed, Memory(), 2e9) for _ in range(2))
    planned = plan(whole, Policy())
    assert Plan(dict(await in_slices(plans(sliced, Policy()), length=0))) == planned
    statuses = await in_slices(assessments(Knowledge(sliced, planned, {}), {}), length=0)
    assert tuple(statuses) == assess(Knowledge(whole, planned, {}), {})
    assert [one.name for one in statuses] == list(FILES)
