"""What a container needs before it can be made: networks, volumes, secrets, files."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from workloadd.core.actions import ReplaceFiles
from workloadd.core.given import GivenFile, applied, live_name
from workloadd.core.names import secret_name
from workloadd.core.revision import Part, Revision, kept_as, owner_of
from workloadd.core.socket_units import from_texts
from workloadd.host.binds import prepare_binds
from workloadd.host.chown import Owners
from workloadd.host.filestore import FileStore, files_of
from workloadd.host.podman import Podman
from workloadd.host.socket_paths import check_socket_paths
from workloadd.spec.container import ContainerSpec
from workloadd.upkeep import Keeper

ROOT = (0, 0)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Sees to it, from the revision alone; what is there already is left as it is."""

    podman: Podman
    keeper: Keeper
    files: FileStore
    owners: Owners
    runtime_dir: Path
    home: Path

    async def prepare(self, revision: Revision, part: Part) -> dict[str, str]:
        """Prepare one container; return where the files are that it gets, by target.

        Raises:
            Permanent: something cannot be had, or is in the way.
            Transient: Podman or the disk did not do it this time.
        """
        await self.keeper.ensure(revision.needs)
        if part.spec is None:
            return {}
        await asyncio.to_thread(prepare_binds, part.spec.volumes)
        sockets = from_texts(part.params.sockets)
        await asyncio.to_thread(check_socket_paths, sockets, self.runtime_dir, self.home)
        for secret in part.inputs.secrets:
            name = secret_name(revision.workload, secret.name, secret.digest)
            await self.podman.objects.create_secret(name, revision.workload, secret.value)
        return {
            **await self._keep_files(revision, part, part.spec),
            **await self._begin_live(revision, part, part.spec),
        }

    async def _keep_files(
        self, revision: Revision, part: Part, spec: ContainerSpec
    ) -> dict[str, str]:
        """What never changes, kept once by its content."""
        paths: dict[str, str] = {}
        for given in part.inputs.files:
            file = spec.files[given.target]
            if not file.live:
                name, owner = kept_as(revision.spec, file, given), owner_of(revision.spec, file)
                paths[given.target] = str(await self._kept(name, given, file.mode, owner))
        return paths

    async def _kept(self, name: str, given: GivenFile, mode: int, owner: tuple[int, int]) -> Path:
        path = await asyncio.to_thread(self.files.find, name)
        if path is not None:
            return path
        draft = await asyncio.to_thread(self.files.draft, given, mode)
        if owner != ROOT:
            await self.owners.give(await asyncio.to_thread(files_of, draft), *owner)
        return await asyncio.to_thread(self.files.keep, draft, name)

    async def _begin_live(
        self, revision: Revision, part: Part, spec: ContainerSpec
    ) -> dict[str, str]:
        """What changes under the container, for this one alone."""
        live = {
            given.target: (given, spec.files[given.target].mode)
            for given in part.inputs.files
            if spec.files[given.target].live
        }
        if not live:
            return {}
        name = live_name(revision.workload, part.name, part.digest)
        made = await asyncio.to_thread(self.files.begin_live, name, live)
        return {target: str(path) for target, path in made.items()}

    async def replace(self, action: ReplaceFiles) -> None:
        """Give a container the contents that are declared now, and tell it so.

        That it was told is noted last: whatever interrupts this, it is told at least once.
        """
        part = action.revision.part(action.part)
        spec = part.spec
        if spec is None:
            return
        name = live_name(action.revision.workload, part.name, part.digest)
        changed = {
            given.target: (given, spec.files[given.target].mode)
            for given in part.inputs.files
            if given.target in action.changed
        }
        await asyncio.to_thread(self.files.replace_live, name, changed)
        told = any(spec.files[path].on_change == "reload" for path in action.changed)
        if action.tell and told and spec.reload:
            await self.podman.processes.tell(action.container, spec.reload)
        digests = applied(part.inputs.files, spec.files)
        await asyncio.to_thread(self.files.note_applied, name, digests)
