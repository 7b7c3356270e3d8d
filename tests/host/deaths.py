"""The daemon on the host, killed at one boundary after the other of what it is made to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import calls
from tests.host import faults
from tests.host.host import Host
from tests.host.machine import remove

DROP_IN = "etc/systemd/user/workloadd.service.d/90-faults.conf"
PROGRAMS = "usr/local/lib/workloadd-faults"
CONFIGURATION = "etc/workloadd/workloadd.conf.d/60-deaths.toml"
# Started again at once, however often.
UNIT = f"""\
[Service]
ExecStart=
ExecStart=/usr/bin/python3 -I /{PROGRAMS}/{Path(faults.__file__).name}
RestartSec=0
RestartSteps=0
"""
# Nobody waits where there is nothing to wait for.
SETTINGS = """\
[rollout]
soak = "200ms"
[reconcile]
debounce = "10ms"
"""
# Seconds between two looks at what becomes of it: there are many ends to wait for.
PAUSE = 0.03


@contextmanager
def mortal(host: Host) -> Iterator[Host]:
    """Have the host's daemon be one that can be made to die."""
    try:
        for module in (faults, calls):
            path = Path(module.__file__)
            host.write(host.disk / PROGRAMS / path.name, path.read_text())
        host.write(host.disk / CONFIGURATION, SETTINGS)
        host.write(host.disk / DROP_IN, UNIT)
        _restart(host)
        yield host
    finally:
        for place in (DROP_IN, PROGRAMS, CONFIGURATION):
            remove(host.disk / place)
        for name in (faults.FAULT, faults.TRAIL):
            remove(host.runtime / name)
        _restart(host)


def _restart(host: Host) -> None:
    host.systemctl("daemon-reload")
    host.systemctl("restart", "workloadd.service")


class Deaths:
    """Something that the daemon does again and again, and dies of: at one boundary further each
    time.

    `boundaries` are those at which it died, `done` says that there are no more.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._fault, self._trail = host.runtime / faults.FAULT, host.runtime / faults.TRAIL
        self.boundaries: list[str] = []
        self.done = False

    def once(self, begin: Callable[[], None], look: Callable[[], object]) -> None:
        """Have it do so once more; returns at the end of that, which `look` tells."""
        if self.done:
            begin()
            self._wait(look)
            return
        self._trail.unlink(missing_ok=True)
        self._host.write(self._fault, str(len(self.boundaries) + 1), mine=True)
        begin()
        self._wait(look)
        if self._fault.exists():
            # It may have come to its end but for the last steps, and may yet die of those.
            with suppress(OSError):
                self._host.look_again()
        self._wait(look)
        passed = self._trail.read_text().splitlines()
        if self._fault.exists():
            self._fault.unlink()
            self.done = True
            assert passed == self.boundaries
        else:
            self.boundaries.append(passed[-1])

    def _wait(self, look: Callable[[], object]) -> None:
        def answered() -> bool:
            try:
                return bool(self._host.answers() and look())
            except OSError:
                return False  # it dies just now

        last = self.boundaries[-1] if self.boundaries else "none"
        self._host.wait_until(answered, f"its end (it dies next after {last})", pause=PAUSE)
