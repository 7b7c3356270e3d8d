"""What is mounted into a container, in its specification."""

from collections.abc import Iterable
from typing import Any

from workloadd.core.names import volume_name
from workloadd.spec.mounts import ArtifactVolume, DevptsVolume, HostMount, ImageVolume
from workloadd.spec.volumes import BindVolume, NamedVolume, TmpfsVolume, Volume


def render_storage(workload: str, volumes: Iterable[Volume]) -> dict[str, Any]:
    """The mounts of a container of `workload`, by the lists in which Podman has them."""
    rendered: dict[str, list[dict[str, Any]]] = {}
    for volume in volumes:
        kind, mount = _mount(workload, volume)
        rendered.setdefault(kind, []).append(mount)
    return dict(rendered)


def _mount(workload: str, volume: Volume) -> tuple[str, dict[str, Any]]:
    match volume:
        case BindVolume(overlay=True):
            return "overlay_volumes", _overlay(volume)
        case BindVolume():
            return "mounts", _bind(volume)
        case TmpfsVolume():
            return "mounts", _tmpfs(volume)
        case DevptsVolume():
            return "mounts", _devpts(volume)
        case ImageVolume():
            return "image_volumes", _image(volume)
        case ArtifactVolume():
            return "artifact_volumes", _artifact(volume)
    return "volumes", _named(workload, volume)


def _named(workload: str, volume: NamedVolume) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "Name": volume_name(workload, volume.source),
        "Dest": volume.target,
        "Options": _overlay_options(volume) if volume.overlay else _options(volume),
    }
    if volume.subpath:
        rendered["SubPath"] = f"/{volume.subpath}"
    return rendered


def _options(volume: BindVolume | NamedVolume) -> list[str]:
    flags = [("noexec", volume.noexec), ("nosuid", volume.nosuid), ("nodev", volume.nodev)]
    return [
        "ro" if volume.read_only else "rw",
        *([volume.selinux] if volume.selinux else []),
        *(flag for flag, wanted in flags if wanted),
        *(["U"] if volume.chown else []),
        *(["idmap"] if volume.idmap else []),
    ]


def _overlay_options(volume: HostMount) -> list[str]:
    return ["O", "U"] if volume.chown else ["O"]


def _overlay(volume: BindVolume) -> dict[str, Any]:
    return {
        "source": volume.source,
        "destination": volume.target,
        "options": _overlay_options(volume),
    }


def _bind(volume: BindVolume) -> dict[str, Any]:
    options = ["bind" if volume.nonrecursive else "rbind", *_options(volume)]
    if volume.propagation:
        options.append(volume.propagation)
    return {
        "type": "bind",
        "source": volume.source,
        "destination": volume.target,
        "options": options,
    }


def _tmpfs(volume: TmpfsVolume) -> dict[str, Any]:
    options = ["ro"] if volume.read_only else ["rw"]
    if volume.size is not None:
        options.append(f"size={volume.size}")
    if volume.mode is not None:
        options.append(f"mode={volume.mode:04o}")
    flags = [("noexec", volume.noexec), ("U", volume.chown), ("notmpcopyup", volume.nocopy)]
    return {
        "type": "tmpfs",
        "source": "tmpfs",
        "destination": volume.target,
        "options": [*options, "nosuid", "nodev", *(flag for flag, wanted in flags if wanted)],
    }


def _devpts(volume: DevptsVolume) -> dict[str, Any]:
    mode = None if volume.mode is None else f"{volume.mode:04o}"
    given = {"uid": volume.uid, "gid": volume.gid, "mode": mode, "max": volume.max}
    return {
        "type": "devpts",
        "source": "devpts",
        "destination": volume.target,
        "options": [f"{key}={value}" for key, value in given.items() if value is not None],
    }


def _image(volume: ImageVolume) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "Source": volume.source,
        "Destination": volume.target,
        "ReadWrite": volume.writable,
    }
    return rendered | ({"subPath": f"/{volume.subpath}"} if volume.subpath else {})


def _artifact(volume: ArtifactVolume) -> dict[str, Any]:
    chosen = {"title": volume.title, "digest": volume.digest, "name": volume.name}
    return {
        "source": volume.source,
        "destination": volume.target,
        **{key: value for key, value in chosen.items() if value},
    }
