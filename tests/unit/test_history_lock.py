"""The lock for reboots on disk."""

import sqlite3
from pathlib import Path

from workloadd.core.fleetlock import NO_LOCK, Client, Lock, Stage
from workloadd.history import History

GRANTED = Lock(Stage.GRANTED, Client("zincati", "edge"), 1.5, 2.5, "boot", "why", owed=True)


async def test_it_is_kept(file: Path) -> None:
    history = History(file)
    await history.open()
    assert await history.reboot_lock.read() == NO_LOCK
    for lock in (Lock(Stage.DRAINING, Client("other", "default")), GRANTED):
        await history.reboot_lock.keep(lock)
        assert await history.reboot_lock.read() == lock
    await history.close()
    again = History(file)
    await again.open()
    assert await again.reboot_lock.read() == GRANTED
    await again.close()


async def test_an_unknown_stage_is_none(file: Path) -> None:
    history = History(file)
    await history.open()
    await history.reboot_lock.keep(GRANTED)
    await history.close()
    with sqlite3.connect(file) as later:
        later.execute("UPDATE reboot_lock SET stage='LATER'")
    later.close()
    again = History(file)
    await again.open()
    assert await again.reboot_lock.read() == NO_LOCK
    await again.close()
