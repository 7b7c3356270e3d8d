"""Sockets of the fake systemd: what they listen on, and clients that connect to them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.manager import FakeUnit, Manager

SUFFIX = ".socket"


def _wanted(unit: "FakeUnit") -> set[str]:
    """What the file, as it was loaded, has it listen on."""
    return set(unit.file.words("ListenStream", "ListenDatagram"))


def switch(manager: "Manager", unit: "FakeUnit", kind: str) -> str:
    """What a job on a socket does; returns the job's result."""
    if kind == "stop":
        unit.listening = set()
        manager.enter(unit, "inactive", "dead")
        return "done"
    if unit.active_state == "active":
        return "done"
    service = manager.load(unit.file.value("Service"))
    if service.active_state not in ("inactive", "failed"):
        return "failed"  # "Socket service already active, refusing."
    unit.listening = _wanted(unit)
    unit.active_enter = manager.clock.now()
    manager.enter(unit, "active", "listening")
    return "done"


def reloaded(unit: "FakeUnit") -> None:
    """A reload closes what a socket's file no longer names, and opens nothing."""
    unit.listening &= _wanted(unit)


def connect(manager: "Manager", address: str) -> None:
    """A client connects, which starts what does not run.

    Raises:
        ConnectionRefusedError: nobody listens there.
    """
    for unit in manager.units.values():
        if address in unit.listening:
            service = manager.load(unit.file.value("Service"))
            if service.active_state in ("inactive", "failed") and not service.job:
                manager.dispatch("start", service.name)
            return
    raise ConnectionRefusedError(address)
