"""A revision: a spec with everything that it refers to pinned, named by a digest of it all."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields

from workloadd.core.names import volume_name
from workloadd.spec.model import ServiceSpec

# How a file is fetched or whether it runs at all does not change what runs.
_NOT_IN_DIGEST = {"enabled", "pull"}


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An `env_file` as read: its path, and its variables in the order of the file.

    The values may be secrets: they are in no repr, log line, unit or status.
    """

    path: str
    variables: tuple[tuple[str, str], ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class UnitParams:
    """What a container's unit says besides its ID; kept in a label of the container.

    `stop_timeout` is in seconds; `max_retries` 0 means no bound; `reclaim` are the Podman volumes
    to delete when the workload's file goes. `image` is the reference in the file: Podman itself
    shows a container that was made by image ID under any of that image's names. `ports` are
    written as in a file.
    """

    description: str = ""
    restart: str = "always"
    max_retries: int = 0
    stop_timeout: float = 10.0
    reclaim: tuple[str, ...] = ()
    image: str = ""
    image_digest: str = ""
    ports: tuple[str, ...] = ()

    def to_label(self) -> str:
        """The label's text: compact JSON."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_label(cls, text: str) -> "UnitParams | None":
        """The parameters in a label's text, or None where they cannot be read.

        What a later version added is passed over.
        """
        try:
            raw = json.loads(text)
            known = {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
            lists = {key: tuple(raw.get(key, ())) for key in ("reclaim", "ports")}
            return cls(**{**known, **lists})
        except (ValueError, TypeError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class Revision:
    """An immutable resolved spec: the same revision on any host means the same thing runs."""

    workload: str
    spec: ServiceSpec = field(repr=False)
    image_id: str
    image_digest: str
    env_files: tuple[EnvFile, ...] = field(repr=False, default=())
    digest: str = ""

    @property
    def params(self) -> UnitParams:
        """What this revision's unit says."""
        spec = self.spec
        return UnitParams(
            description=spec.description,
            restart=spec.restart.policy,
            max_retries=spec.restart.max_retries or 0,
            stop_timeout=spec.stop_timeout,
            image=spec.image,
            image_digest=self.image_digest,
            ports=tuple(str(port) for port in spec.ports),
            reclaim=tuple(
                volume_name(self.workload, v.source)
                for v in spec.volumes
                if v.type == "volume" and v.reclaim == "delete"
            ),
        )


def make_revision(
    workload: str,
    spec: ServiceSpec,
    image_id: str,
    image_digest: str,
    env_files: tuple[EnvFile, ...] = (),
) -> Revision:
    """Pin `spec` to an image and to the content of its files, and name the result.

    Fields left at their default are not part of the digest, so that a field added by a later
    version does not replace every container on the day of its upgrade.
    """
    content = {
        "workload": workload,
        "spec": spec.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_IN_DIGEST),
        "image": image_digest,
        "env_files": [[f.path, f.variables] for f in env_files],
    }
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Revision(workload, spec, image_id, image_digest, env_files, digest)
