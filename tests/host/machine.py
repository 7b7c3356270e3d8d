"""The throwaway host as a machine: commands, files, the network, reboots."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.host.namespace import Network

TOOLS = Path(__file__).parents[2] / "contrib/host"
USER = "workloads"


class Machine:
    """One instance of contrib/host, running."""

    script = TOOLS / "host"

    def __init__(self, name: str) -> None:
        self.name = name
        self._manage("up")
        # What runs is what an earlier run installed; it is started when this one is in place.
        self.systemctl("stop", "workloadd.service", check=False)
        self._manage("install")
        self._find()
        self._attach()

    def _find(self) -> None:
        self.disk = Path(self._manage("root").strip())
        self.home = self.disk / "home" / USER
        self._uid, self._gid = self.home.stat().st_uid, self.home.stat().st_gid

    def _manage(self, *arguments: str) -> str:
        command = [str(self.script), "--name", self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"host {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def _attach(self) -> None:
        found = re.search(r"init is process (\d+)", self._manage("status"))
        assert found, f"host {self.name} does not run"
        self.init = int(found[1])
        self.net = Network(self.init)

    def forward(self, here: int, port: int) -> None:
        """Bring a port of its loopback to one of this machine's, for as long as it runs."""
        self._manage("forward", f"{here}:{port}")

    @property
    def live(self) -> Path:
        """The running host's own root, with what is mounted in it (/run above all)."""
        return Path(f"/proc/{self.init}/root")

    @property
    def runtime(self) -> Path:
        """The user's $XDG_RUNTIME_DIR."""
        return self.live / "run/user" / str(self._uid)

    def exec(
        self, *arguments: str, user: str = USER, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the host, as the workloads' user unless told otherwise."""
        command = self._command(user, *arguments)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if check:
            said = f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
            assert done.returncode == 0, f"{' '.join(arguments)}: {said}"
        return done

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command in the host, of the workloads' user, whose output is read as it comes."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(self._command(USER, *arguments), stdout=pipe, text=True)
        with process:
            try:
                yield process
            finally:
                process.kill()

    def _command(self, user: str, *arguments: str) -> list[str]:
        return [str(self.script), "--name", self.name, "exec", "--user", user, "--", *arguments]

    def root(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the host as root."""
        return self.exec(*arguments, user="root", check=check)

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        """`systemctl --user …`; its output."""
        return self.exec("systemctl", "--user", *arguments, check=check).stdout.strip()

    def podman(self, *arguments: str, check: bool = True) -> str:
        """`podman …` of the workloads' user; its output."""
        return self.exec("podman", *arguments, check=check).stdout.strip()

    def write(self, path: Path, text: str, *, mine: bool = False) -> None:
        """Put a file in place at once, as an editor or a deployment tool does.

        `mine` makes it, and directories that are made for it, the workloads' user's.
        """
        missing = [p for p in path.parents if not p.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_text(text)
        if mine:
            for one in (new, *missing):
                self.give(one)
        new.rename(path)

    def give(self, path: Path) -> None:
        """Make a file the workloads' user's."""
        os.chown(path, self._uid, self._gid)

    def reboot(self) -> None:
        """Reboot, and wait until the user manager runs."""
        self.net.close()
        self._manage("reboot")
        self._attach()

    def purge(self) -> None:
        """End the host and remove its files."""
        self.net.close()
        self._manage("down", "--purge")


def remove(path: Path) -> None:
    """Delete a file or a directory."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
