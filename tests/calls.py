"""Every call by which the daemon changes something that a later daemon goes by.

Tests that kill the daemon count them, with fakes as on the real host: between two of them a kill
finds the host as it finds it after the first.
"""

from collections.abc import Callable
from inspect import iscoroutinefunction
from operator import attrgetter
from typing import Any

# By the daemon's part.
CALLS = {
    "podman": ("create", "create_pod", "rename", "stop", "remove", "remove_pod"),
    "podman.objects": (
        "create_network", "create_volume", "create_secret",
        "remove_network", "remove_volume", "remove_secret",
    ),
    "podman.processes": ("tell",),
    "systemd": ("start", "stop", "restart", "reset_failed", "reload", "clean"),
    "units": ("write", "remove"),
    "files": ("draft", "keep", "begin_live", "replace_live", "note_applied", "remove"),
    "history": ("begin", "committed", "end", "mark_bad", "note", "clear_hand"),
    "history.runs": ("begin", "end"),
}  # fmt: skip


def tell(daemon: object, done: Callable[[str], None]) -> None:
    """Have `done` told of each call that a daemon has made, as `PART.CALL`."""
    for part, names in CALLS.items():
        adapter = attrgetter(part)(daemon)
        for name in names:
            setattr(adapter, name, _told(getattr(adapter, name), f"{part}.{name}", done))


def _told(call: Callable[..., Any], name: str, done: Callable[[str], None]) -> Callable[..., Any]:
    """The call, followed by `done`."""

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        result = await call(*args, **kwargs)
        done(name)
        return result

    def plain(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        done(name)
        return result

    return awaited if iscoroutinefunction(call) else plain
