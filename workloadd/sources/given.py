"""What containers are given from elsewhere, read from where it is: variables, secrets, files."""

from collections.abc import Iterator
from hashlib import sha256

from workloadd.core.errors import Problem
from workloadd.core.given import GivenFile, GivenSecret
from workloadd.core.revision import EnvFile, Inputs
from workloadd.sources.absolute import BESIDE
from workloadd.sources.beside import Beside
from workloadd.sources.envfile import EnvFiles
from workloadd.sources.files import FileCache, shown, why
from workloadd.sources.secrets import Secrets
from workloadd.spec.container import ContainerSpec
from workloadd.spec.security import UNCONFINED


class Sources:
    """Reads it for one container after the other. Blocks."""

    def __init__(self, secrets: Secrets) -> None:
        self._env_files = EnvFiles()
        self._secrets = secrets
        self._beside = Beside()
        self._profiles: FileCache[str] = FileCache(lambda _, data: sha256(data).hexdigest())

    def read(self, spec: ContainerSpec) -> tuple[Inputs, tuple[Problem, ...]]:
        """What there is, and what is wrong with the rest."""
        problems: list[Problem] = []
        env_files: list[EnvFile] = []
        for entry in spec.env_file:
            content = self._env_files.read(entry.path, required=entry.required)
            if content:
                env_files.append(EnvFile(entry.path, content.variables))
                problems += content.problems
        secrets: list[GivenSecret] = []
        for name, secret in spec.secrets.items():
            found = self._secrets.read(name, secret)
            problems.append(found) if isinstance(found, Problem) else secrets.append(found)
        files: list[GivenFile] = []
        for target, file in spec.files.items():
            given = self._beside.read(target, file)
            problems.append(given) if isinstance(given, Problem) else files.append(given)
        profile = self._profile(spec)
        if isinstance(profile, Problem):
            problems.append(profile)
            profile = ""
        inputs = Inputs(tuple(env_files), tuple(secrets), tuple(files), profile)
        return inputs, tuple(problems)

    def _profile(self, spec: ContainerSpec) -> str | Problem:
        """The digest of the seccomp profile, which Podman reads when it makes the container."""
        if spec.seccomp in (None, UNCONFINED):
            return ""
        try:
            return self._profiles.get(spec.seccomp)
        except OSError as error:
            said = f"cannot read the seccomp profile {shown(spec.seccomp)}: {why(error)}"
            hint = "put it there, readable by the user of the workloads"
            return Problem("SeccompUnreadable", said, hint)

    def sweep(self) -> None:
        """Forget what nobody asked for since the last sweep."""
        self._env_files.sweep()
        self._beside.sweep()
        self._profiles.sweep()


def paths_of(spec: ContainerSpec) -> Iterator[str]:
    """The files and directories that are read for a container, there or not."""
    yield from (entry.path for entry in spec.env_file)
    yield from (secret.file for secret in spec.secrets.values() if secret.file)
    if spec.seccomp not in (None, UNCONFINED):
        yield spec.seccomp
    yield from (f.source.replace(BESIDE, "/") for f in spec.files.values() if f.source)
