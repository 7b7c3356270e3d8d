"""A container's secrets and files, in its specification."""

from collections.abc import Iterable, Mapping
from typing import Any

from workloadd.core.given import GivenSecret
from workloadd.core.names import secret_name
from workloadd.spec.files import File
from workloadd.spec.secrets import Secret, secret_place


def render_secrets(
    workload: str, secrets: Mapping[str, Secret], given: Iterable[GivenSecret]
) -> dict[str, Any]:
    """The Podman secrets that the container gets; their values are not in it."""
    files: list[dict[str, Any]] = []
    variables: dict[str, str] = {}
    for one in given:
        secret, source = secrets[one.name], secret_name(workload, one.name, one.digest)
        if secret.env:
            variables[secret.env] = source
            continue
        files.append(
            {
                "Source": source,
                "Target": secret_place(one.name, secret),
                "UID": secret.uid,
                "GID": secret.gid,
                "Mode": secret.mode,
            }
        )
    rendered = {"secrets": files, "secret_env": variables}
    return {key: value for key, value in rendered.items() if value}


def render_files(files: Mapping[str, File], sources: Mapping[str, str]) -> list[dict[str, Any]]:
    """The mounts of files; `sources` says where on the host each of them is, by target."""
    return [
        {
            "type": "bind",
            "source": sources[target],
            "destination": target,
            # Labelled for all containers: contents are kept once for all of them.
            "options": ["rbind", "ro", "nosuid", "nodev", "z"],
        }
        for target in files
    ]
