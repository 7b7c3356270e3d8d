"""What is shown of `podman inspect`: what is known to hold no secret, under Podman's own names."""

from collections.abc import Mapping
from typing import Any

# A key of the answer, and what of it is shown: all, or these keys.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "Id": (), "Name": (), "Created": (), "Image": (), "ImageName": (), "ImageDigest": (),
    "Pod": (), "RestartCount": (), "ConmonPidFile": (), "OCIRuntime": (), "Driver": (),
    "Rootfs": (), "EffectiveCaps": (),
    "State": ("Status", "Pid", "ConmonPid", "ExitCode", "OOMKilled", "Error", "StartedAt",
              "FinishedAt", "CgroupPath"),
    "Config": ("User", "WorkingDir", "Hostname", "StopSignal", "StopTimeout", "Labels"),
    "HostConfig": ("NetworkMode", "ReadonlyRootfs", "Privileged", "CapAdd", "CapDrop", "Memory",
                   "MemorySwap", "NanoCpus", "PidsLimit", "ShmSize", "UsernsMode", "PidMode",
                   "IpcMode", "Init", "AutoRemove", "LogConfig"),
    "NetworkSettings": ("Ports",),
}  # fmt: skip
_OF_MOUNT = ("Type", "Name", "Source", "Destination", "Options", "RW", "Propagation")
_OF_NETWORK = ("NetworkID", "IPAddress", "IPPrefixLen", "Gateway", "GlobalIPv6Address", "Aliases",
               "MacAddress")  # fmt: skip
# Labels may be the image's, and say anything: ours are those that tell what is whose.
_LABELS = ("io.workloadd.", "io.podman.")


def essentials(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of one container."""
    found: dict[str, Any] = {}
    for key, inner in _SHOWN.items():
        if key in answer:
            found[key] = _some(answer[key], inner) if inner else answer[key]
    labels = found.get("Config", {}).get("Labels") or {}
    if labels:
        ours = {name: value for name, value in labels.items() if name.startswith(_LABELS)}
        found["Config"]["Labels"] = ours
    networks = (answer.get("NetworkSettings") or {}).get("Networks") or {}
    found["Networks"] = {name: _some(one, _OF_NETWORK) for name, one in networks.items()}
    found["Mounts"] = [_some(one, _OF_MOUNT) for one in answer.get("Mounts") or ()]
    return found


def _some(of: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: of[key] for key in keys if key in of}
