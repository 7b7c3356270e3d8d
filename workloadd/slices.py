"""Long work in slices: the loop answers in between, however many workloads there are.

A thread would do it no good: work in Python holds the interpreter, and the loop had to win it back
after everything that it asks of the kernel.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

SLICE = 0.0005
"""Seconds until others have their turn."""
# Turns of the loop between two slices: a request takes a few, and an idle loop needs no time.
_TURNS = 5


async def in_slices(work: Iterable[T], *, length: float = SLICE) -> list[T]:
    """What `work` yields, made bit by bit: it is only interrupted between two of them."""
    found: list[T] = []
    until = time.perf_counter() + length
    for one in work:
        found.append(one)
        if time.perf_counter() >= until:
            await breathe()
            until = time.perf_counter() + length
    return found


async def breathe() -> None:
    """Let others have their turn."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
