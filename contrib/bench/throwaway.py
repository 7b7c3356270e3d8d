"""A throwaway host for a benchmark, and the drivers that run in it."""

import io
import subprocess
import tarfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_HOST = _HERE.parent / "host" / "host"
_USER = "workloads"
# Where the drivers lie inside; a tmpfs.
INSIDE = "/tmp/workloadd-bench"  # noqa: S108


class Host:
    """A throwaway host by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def verb(self, *words: str, **options) -> subprocess.CompletedProcess:
        """`contrib/host/host --name NAME …`; ends the run where it fails."""
        done = subprocess.run([_HOST, "--name", self._name, *words], **options)
        if done.returncode:
            raise SystemExit(f"bench: contrib/host/host {words[0]} ended with {done.returncode}")
        return done

    def prepare(self) -> None:
        """Put the driver in, and let its user drop workload files where an operator would."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(_HERE / "inside", arcname=".")
        script = f'mkdir -p "{INSIDE}"; tar -xC "{INSIDE}" --no-same-owner; chown {_USER} "$1"'
        self.verb(
            *("exec", "--", "sh", "-ec", script, "-", "/etc/workloadd/workloads.d"),
            input=archive.getvalue(),
        )

    def put(self, directory: Path, name: str) -> None:
        """Put a directory beside the drivers."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(directory, arcname=name)
        script = f'tar -xC "{INSIDE}" --no-same-owner'
        self.verb("exec", "--", "sh", "-ec", script, input=archive.getvalue())

    def run(self, *words: str) -> str:
        """A driver's standard output; its progress goes to standard error."""
        driver = ["python3", "-B", *words]
        done = self.verb("exec", "--user", _USER, "--", *driver, stdout=subprocess.PIPE)
        return done.stdout.decode()
