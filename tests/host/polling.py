"""The one place where tests wait: for a condition, with a deadline, never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Seconds between two looks at a condition.
PAUSE = 0.1


def poll(look: Callable[[], T | None], timeout: float, pause: float = PAUSE) -> T | None:
    """What `look` returns as soon as that is true; None after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not (found := look()):
        if time.monotonic() > end:
            return None
        time.sleep(pause)
    return found
