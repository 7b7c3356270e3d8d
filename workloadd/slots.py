"""A bound on what is done at the same time, which tells how many wait for their turn."""

import asyncio
from typing import Literal


class Slots(asyncio.Semaphore):
    """A semaphore; `waiting` is how many wait for it, `taken` how many have it."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.waiting = 0
        self.taken = 0

    async def acquire(self) -> Literal[True]:
        """Wait for a slot and take it."""
        self.waiting += 1
        try:
            await super().acquire()
        finally:
            self.waiting -= 1
        self.taken += 1
        return True

    def release(self) -> None:
        """Give a slot back."""
        self.taken -= 1
        super().release()
