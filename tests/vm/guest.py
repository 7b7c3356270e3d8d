"""What the tests do with the virtual machine: as with the throwaway host, from farther away."""

import socket
import subprocess
from pathlib import Path

from tests.host.host import Host
from tests.host.machine import TOOLS, USER
from tests.host.namespace import Network

# How much longer than on the throwaway host things may take: no KVM, and a machine with other work.
SLOWER = 6


class Tunnel(Network):
    """The guest's network: each connection is a channel of the ssh connection there is."""

    def __init__(self, config: str) -> None:
        self._config = config
        self._channels: list[subprocess.Popen[bytes]] = []

    def connect(self, port: int, timeout: float = 2.0) -> socket.socket:
        """A connection to a loopback port of the guest; it ends at once where nobody listens."""
        self._channels = [channel for channel in self._channels if channel.poll() is None]
        ours, theirs = socket.socketpair()
        command = ["ssh", "-F", self._config, "-W", f"127.0.0.1:{port}", "guest"]
        with theirs:
            ours.settimeout(timeout * SLOWER)
            channel = subprocess.Popen(
                command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
            )
            self._channels.append(channel)
        return ours

    def close(self) -> None:
        """Wait for the channels, whose other ends are closed."""
        for channel in self._channels:
            channel.wait()


class Guest(Host):
    """The virtual machine with workloadd on it; its disk is reached by commands alone."""

    script = TOOLS / "vm"
    # Each look costs the guest some of the little that it can do.
    pause = 0.5
    slower = SLOWER

    def _find(self) -> None:
        self.disk = Path("/")
        self.home = self.disk / "home" / USER

    def _attach(self) -> None:
        self.net = Tunnel(self._manage("ssh-config").strip())

    def write(self, path: Path, text: str, *, mine: bool = False) -> None:
        """Put a file in place at once, as root or as the workloads' user."""
        new = path.with_name(f".{path.name}.new")
        script = f'mkdir -p "{path.parent}" && cat > "{new}" && mv "{new}" "{path}"'
        self.exec("sh", "-c", script, user=USER if mine else "root", stdin=text)

    def remove_workload(self, name: str) -> None:
        """Take a workload file away."""
        self.root("rm", "-f", str(self.files / f"{name}.yaml"))

    def clean(self) -> None:
        """Leave nothing of any workload, or of the daemon's memory."""
        self.systemctl("stop", "workloadd.service", "workload-*.service", check=False)
        self.root("sh", "-c", f"rm -rf {self.files}/* {self.settings}/*")
        for things in ("pod rm --all --force", "rm --all --force", "volume rm --all --force"):
            self.podman(*things.split())
        self.podman("rmi", "--all", "--force")
        state = self.home / ".local/state/workloadd"
        units = self.home / ".local/share/systemd/user/workload-*"
        self.exec(
            "sh", "-c", f"rm -rf {state} {units} {self.home}/.config/systemd/user/*/workload-*"
        )
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed")

    def cut_power(self) -> None:
        """End the guest between two of its instructions."""
        self.net.close()
        self._manage("power-cut")

    def boot(self) -> None:
        """Boot it after a power cut, and wait until the user manager runs."""
        self._manage("up")
        self._attach()

    def cgroup(self, container: str) -> dict[str, str]:
        """What the kernel has in some files of a container's own cgroup, by the file's name."""
        pid = self.inspect(container)["State"]["Pid"]
        script = (
            f"cd /sys/fs/cgroup$(sed -n s/^0:://p /proc/{pid}/cgroup) && "
            "for file in memory.* cpu.* pids.* cpuset.cpus cpuset.mems io.*; do "
            'echo "$file: $(tr "\\n" " " <"$file" 2>/dev/null)"; done'
        )
        lines = self.root("sh", "-c", script).stdout.splitlines()
        return {key: value.strip() for key, _, value in (line.partition(": ") for line in lines)}
