"""Python's search for garbage, kept from what stays.

Now and then it goes through all objects there are, which nothing can interrupt: with 500 workloads
the loop stood still for 60 ms. What lasts, most of all the modules and the specs of all files, is
put aside once it is there; what comes and goes with every pass takes less than a quarter of that.
"""

import gc

from workloadd.board import Board
from workloadd.core.status import Status

# Workloads there have to be for each that was put aside, and besides: what is put aside is never
# searched again, so that may be done only a few times.
_GROWTH, _MORE = 1.25, 20
# Objects more than there were for a search among the youngest, and of these searches for one among
# the older: a pass makes ten thousands, of which none are garbage as this search means it.
_THRESHOLDS = 1000, 10, 50


class Aside:
    """What there is is put aside after the first pass, and when much is new and has settled."""

    def __init__(self) -> None:
        self._workloads = -1

    async def follow(self, board: Board) -> None:
        """Look at every new status, for ever; and search less often from now on."""
        gc.set_threshold(*_THRESHOLDS)
        while True:
            self.look(await board.changed())

    def look(self, status: Status) -> bool:
        """Put aside what there is where it is time to; returns whether it was."""
        count, first = len(status.workloads), self._workloads < 0
        if not status.passes.count or (not first and count <= self._workloads * _GROWTH + _MORE):
            return False
        if not first and any(one.rollout for one in status.workloads):
            return False
        self._workloads = count
        # Everything is searched at the start, when nobody asks yet; then only what is new.
        gc.collect(2 if first else 1)
        gc.freeze()
        return True
