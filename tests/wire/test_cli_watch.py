"""`workloadctl status --watch` beside the whole daemon: on a terminal, and into a pipe."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios

from tests.fakes.installed import Installed

COMMAND = [sys.executable, "-c", "from workloadd.cli.main import main; main()"]


BEGIN = "\x1b[?2026h"


def _take_terminal() -> None:
    """Ctrl-C is for who has this as its terminal, and does not ignore it as a job of a script."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The command on a terminal of so many lines."""

    def __init__(
        self,
        host: Installed,
        *arguments: str,
        lines: int = 20,
        command: tuple[str, ...] = ("status", "-w"),
    ) -> None:
        self.ours, theirs = pty.openpty()
        self.size(lines)
        self.attributes = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.said = ""
        self.news = asyncio.Event()
        self.process = subprocess.Popen(
            [*COMMAND, *command, *arguments, "--socket", str(host.paths.socket)],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "TERM": "xterm"},
            preexec_fn=_take_terminal,
        )  # fmt: skip
        asyncio.get_running_loop().add_reader(self.ours, self._read)

    def _read(self) -> None:
        self.said += os.read(self.ours, 65536).decode()
        self.news.set()

    def size(self, lines: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("4H", lines, 80, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    async def says(self, wanted: str) -> None:
        """Wait until it says so; what it drew before that is forgotten."""
        try:
            async with asyncio.timeout(20):
                while not re.search(wanted, self.said):
                    await self.news.wait()
                    self.news.clear()
        except TimeoutError:
            raise AssertionError(f"it does not say {wanted!r}, but {self.said[-2000:]!r}") from None
        self.said = self.said[max(0, self.said.rfind(BEGIN)) :]

    async def end(self) -> int:
        code = await asyncio.to_thread(self.process.wait, 20)
        await asyncio.sleep(0)
        asyncio.get_running_loop().remove_reader(self.ours)
        assert termios.tcgetattr(self._theirs) == self.attributes
        os.close(self.ours)
        os.close(self._theirs)
        return code


async def test_it_is_redrawn_also_over_a_restart(host: Installed) -> None:
    await host.start()
    for number in range(8):
        host.write(f"web{number}")
    for number in range(8):
        await host.settled(f"web{number}")
    terminal = Terminal(host)
    await terminal.says(r"all 8 workloads are as declared(.|\n)*web7 .*Ready")
    assert "\x1b[?1049h" not in terminal.said  # once, at the beginning
    host.write("web5", "image: [\n")
    await terminal.says(r"7 of 8 workloads(.|\n)*IMAGE(.|\n)*web5 .*Degraded(.|\n)*web0 ")
    terminal.size(10)
    await terminal.says(r"0 lines above, \d below")
    terminal.press("j")
    await terminal.says(r"1 lines above, \d below")
    await host.stop()
    await terminal.says("does not answer any more; asking again")
    host.remove("web5")
    await host.start()
    await terminal.says("all 7 workloads are as declared")
    terminal.press("\x03")
    await terminal.says(re.escape("\x1b[?1049l"))
    assert await terminal.end() == 130
    assert "Traceback" not in terminal.said


async def test_one_until_q(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    terminal = Terminal(host, "web")
    await terminal.says(r"web: .*Ready")
    host.write("web", "image: [\n")
    await terminal.says(r"web: .*Degraded")
    terminal.press("q")
    assert await terminal.end() == 0


async def test_a_line_for_each_change_where_there_is_no_terminal(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "status", "-w", "--socket", str(host.paths.socket), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(20):
        while not (line := await process.stdout.readline()).endswith(b"web: Ready\n"):
            assert b"\x1b" not in line
    process.terminate()
    await process.wait()
