"""A private dbus-daemon on a socket of a test's own."""

import asyncio
from pathlib import Path

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class BusDaemon:
    """dbus-daemon (of Debian's package of the same name) with a configuration of its own."""

    def __init__(self, directory: Path) -> None:
        self._config = directory / "bus.conf"
        self._socket = directory / "bus"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self._socket}"

    async def start(self) -> None:
        """Start it; it answers when this returns."""
        self._socket.unlink(missing_ok=True)
        self._config.write_text(_CONFIG.format(socket=self._socket))
        self._process = await asyncio.create_subprocess_exec(
            "dbus-daemon",
            f"--config-file={self._config}",
            "--nofork",
            "--nopidfile",
            "--print-address=1",
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        # It prints its address once it listens.
        assert await self._process.stdout.readline()

    async def stop(self) -> None:
        """Kill it, as a crash would: all connections break."""
        if self._process is not None:
            process, self._process = self._process, None
            if process.returncode is None:
                process.kill()
            await process.wait()
