"""Timers of the fake systemd: started and stopped as any unit, and elapsing when a test says so."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.manager import FakeUnit, Manager

SUFFIX = ".timer"
_TRIGGER = "_trigger.service"
# Far enough ahead that no test sees it come.
NEXT = 86_400.0


def switch(manager: "Manager", unit: "FakeUnit", kind: str) -> None:
    """What a job on a timer does."""
    if kind == "stop":
        manager.enter(unit, "inactive", "dead")
    else:
        unit.next_elapse = manager.clock.now() + NEXT
        manager.enter(unit, "active", "waiting")


def elapse(manager: "Manager", name: str) -> None:
    """A timer's time has come: it starts its unit, or what a trigger between them starts."""
    timer = manager.units[name]
    assert timer.active_state == "active", f"{name} is not started"
    timer.last_trigger = manager.clock.now()
    target = timer.file.value("Unit")
    kind = "start"
    if target.endswith(_TRIGGER):
        trigger = manager.load(target)
        kind = "restart" if "restart" in trigger.file.value("ExecStart") else "start"
        target = trigger.file.value("ExecStart").split()[-1]
        if manager.load(target).active_state == "failed":
            manager.reset_failed(target)
    manager.changed(timer)
    manager.dispatch(kind, target)
