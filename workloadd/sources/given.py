"""What containers are given from elsewhere, read from where it is: variables, secrets, files."""

from collections.abc import Iterator

from workloadd.core.errors import Problem
from workloadd.core.given import GivenFile, GivenSecret
from workloadd.core.revision import EnvFile, Inputs
from workloadd.sources.absolute import BESIDE
from workloadd.sources.beside import Beside
from workloadd.sources.envfile import EnvFiles
from workloadd.sources.secrets import Secrets
from workloadd.spec.container import ContainerSpec


class Sources:
    """Reads it for one container after the other. Blocks."""

    def __init__(self, secrets: Secrets) -> None:
        self._env_files = EnvFiles()
        self._secrets = secrets
        self._beside = Beside()

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
        return Inputs(tuple(env_files), tuple(secrets), tuple(files)), tuple(problems)

    def sweep(self) -> None:
        """Forget what nobody asked for since the last sweep."""
        self._env_files.sweep()
        self._beside.sweep()


def paths_of(spec: ContainerSpec) -> Iterator[str]:
    """The files and directories that are read for a container, there or not."""
    yield from (entry.path for entry in spec.env_file)
    yield from (secret.file for secret in spec.secrets.values() if secret.file)
    yield from (f.source.replace(BESIDE, "/") for f in spec.files.values() if f.source)
