"""Telling the service manager how we are (sd_notify(3)). No-ops where nobody listens."""

import os
from contextlib import suppress

from systemd import daemon

_MICROSECONDS = 1_000_000


def ready() -> None:
    """The service is up."""
    _notify("READY=1")


def stopping() -> None:
    """The service goes down by itself."""
    _notify("STOPPING=1")


def status(text: str) -> None:
    """One line for people, shown by `systemctl status`."""
    _notify(f"STATUS={' '.join(text.split())}")


def watchdog() -> None:
    """The loop makes progress."""
    _notify("WATCHDOG=1")


def watchdog_interval() -> float | None:
    """Seconds after which the manager kills a silent service; None where it does not watch us.

    Feed it at half that time (sd_watchdog_enabled(3)).
    """
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        interval = int(os.environ["WATCHDOG_USEC"]) / _MICROSECONDS
    except (KeyError, ValueError):
        return None
    return interval if interval > 0 else None


def _notify(message: str) -> None:
    # A manager that does not hear us sees to that itself; for us it is no reason to end.
    with suppress(OSError):
        daemon.notify(message)
