"""Volumes as Podman is to make them.

Field names are those of `entities.VolumeCreateOptions`, which `POST /libpod/volumes/create` reads.
"""

from collections.abc import Mapping
from typing import Any

from workloadd.spec.volume import VolumeOptions


def render_volume(name: str, spec: VolumeOptions, labels: Mapping[str, str]) -> dict[str, Any]:
    """The volume to create; `labels` are those by which it is known as ours."""
    return {
        "Name": name,
        "Driver": spec.driver,
        "Labels": {**spec.labels, **labels},
        "Options": _options(spec),
    }


def _options(spec: VolumeOptions) -> dict[str, str]:
    """Options as `podman volume create --opt` has them: those of the mount are one of them."""
    words = [f"{key}={value}" if value else key for key, value in spec.options.items()]
    owners = {"uid": spec.uid, "gid": spec.gid}
    own = {"type": spec.fstype, "device": spec.device, "image": spec.image}
    options = {key: value for key, value in own.items() if value}
    if spec.driver == "local":
        words += [f"{key}={value}" for key, value in owners.items() if value is not None]
        options |= {"o": ",".join(words)} if words else {}
    else:
        options |= dict(spec.options)
        options |= {key: str(value) for key, value in owners.items() if value is not None}
    if spec.nocopy:
        options["nocopy"] = ""
    return options
