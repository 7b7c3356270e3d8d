"""The same containers as Quadlet units, used as their manual says: daemon-reload, then start."""

import time
from pathlib import Path

from session import Usage, last_start, running_containers, systemctl

_DIRECTORY = Path.home() / ".config/containers/systemd"
# Without the default dependencies: they pull in podman-user-wait-network-online.service, which
# waits up to 90 s on a host where nothing else wants the network to be online.
_UNIT = """\
[Unit]
Description=Benchmark

[Container]
Image={image}
Exec={command}
StopSignal=SIGKILL
Pull=missing

[Service]
Restart=always
SuccessExitStatus=137

[Quadlet]
DefaultDependencies=false
"""


class Quadlet:
    """Deploys units `NAME.service` from files `NAME.container`."""

    def __init__(self, image: str, command: str) -> None:
        self._text = _UNIT.format(image=image, command=command)
        _DIRECTORY.mkdir(parents=True, exist_ok=True)

    def deploy(self, names: list[str]) -> dict[str, float]:
        """Seconds from dropping the files until the last unit is active, and of CPU meanwhile."""
        expected = running_containers() + len(names)
        units = [f"{name}.service" for name in names]
        usage, began = Usage(), time.monotonic()
        for name in names:
            (_DIRECTORY / f"{name}.container").write_text(self._text)
        systemctl("daemon-reload")
        systemctl("start", *units)
        took = {"active": last_start(units) - began, "cpu": usage.lap()}
        if running_containers() != expected:
            raise SystemExit("bench: not all of Quadlet's containers run")
        return took

    def remove(self, names: list[str]) -> None:
        """Stop the units and take their files away."""
        systemctl("stop", *(f"{name}.service" for name in names))
        for name in names:
            (_DIRECTORY / f"{name}.container").unlink()
        systemctl("daemon-reload")
        systemctl("reset-failed", check=False)

    def clean(self, names: list[str]) -> None:
        """Remove what an interrupted run left."""
        if left := [name for name in names if (_DIRECTORY / f"{name}.container").exists()]:
            self.remove(left)
