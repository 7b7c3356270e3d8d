"""Where every key of Quadlet is in the format, or why it has no place there.

The sections are those of podman-systemd.unit(5) but Build: images are built elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Why:
    """The reason for which a key has no field, with what to do in its place."""

    reason: str


Place: TypeAlias = tuple[str, ...] | Why
"""Fields by their path, as `workloadctl explain` takes it; or the reason for none."""

_NAME = Why("the file's name is the workload's name, and its containers and units are called by it")
_ARGUMENTS = Why(
    "arguments of the command line have no place where Podman is spoken to over its API: what they "
    "would say is a field, or not supported"
)
_CONFIGURATION = Why(
    "containers.conf is the user's, not a workload's: put a file in ~/.config/containers/"
    "containers.conf.d of the user whose workloads it is to hold for"
)
_CREDENTIALS = Why(
    "log in once as the user of the workloads: podman login --authfile "
    "~/.config/containers/auth.json REGISTRY"
)
_CERTIFICATES = Why("put the certificate in ~/.config/containers/certs.d/REGISTRY of the user")
_INSECURE = Why("say it of the registry: insecure = true in ~/.config/containers/registries.conf.d")
_ENCRYPTED = Why("encrypted images are not supported: Podman's API takes no keys to decrypt them")
_RETRIES = Why(
    "a pull that failed is tried again by itself, after [pull] backoff_base of the settings and "
    "ever longer; the old version runs on meanwhile"
)
_IMAGE_NAME = Why("an image is called by its full name, under which it is pulled")
_RANGES = Why(
    "rootless, a workload's IDs are the ranges of its user in /etc/subuid and /etc/subgid: give "
    "them to the user, and say under uid_map which of them are whose in the container"
)
_POD_END = Why(
    "the pod is there as long as the workload: each container's restart says when it ends"
)

_OUTPUT = Why(
    "what a probe's command prints is kept nowhere, as it may hold secrets: the status says how "
    "each probe went, and the history when that changed"
)

_USERS = ("userns_mode", "uid_map", "gid_map")
_REMAP = ("userns_mode",)

_COMMON: Mapping[str, Place] = {
    "ContainersConfModule": _CONFIGURATION,
    "GlobalArgs": _ARGUMENTS,
    "PodmanArgs": _ARGUMENTS,
    "ServiceName": _NAME,
}
_SANDBOX: Mapping[str, Place] = {
    "AddHost": ("extra_hosts",),
    "DNS": ("dns",),
    "DNSOption": ("dns_opt",),
    "DNSSearch": ("dns_search",),
    "GIDMap": ("gid_map",),
    "HostName": ("hostname",),
    "IP": ("networks.NAME.ipv4_address",),
    "IP6": ("networks.NAME.ipv6_address",),
    "Network": ("networks", "network_mode"),
    "NetworkAlias": ("networks.NAME.aliases",),
    "PublishPort": ("ports",),
    "RemapGid": _REMAP,
    "RemapUid": _REMAP,
    "RemapUidSize": _REMAP,
    "RemapUsers": _REMAP,
    "ShmSize": ("shm_size",),
    "SubGIDMap": _RANGES,
    "SubUIDMap": _RANGES,
    "UIDMap": ("uid_map",),
    "UserNS": _USERS,
}
_PULL: Mapping[str, Place] = {
    "AuthFile": _CREDENTIALS,
    "CertDir": _CERTIFICATES,
    "Creds": _CREDENTIALS,
    "DecryptionKey": _ENCRYPTED,
    "Retry": _RETRIES,
    "RetryDelay": _RETRIES,
    "TLSVerify": _INSECURE,
}

_CONTAINER: Mapping[str, Place] = {
    **_COMMON,
    **_SANDBOX,
    "AddCapability": ("cap_add",),
    "AddDevice": ("devices",),
    "Annotation": ("annotations",),
    "AppArmor": ("apparmor",),
    "AutoUpdate": ("pull",),
    "CgroupsMode": Why("it is always split: systemd supervises the container in its unit's group"),
    "ContainerName": _NAME,
    "DropCapability": ("cap_drop",),
    "Entrypoint": ("entrypoint",),
    "Environment": ("environment",),
    "EnvironmentFile": ("env_file",),
    "EnvironmentHost": Why(
        "the environment of Podman's service is nobody's choice, and another one on each host: "
        "name the variables under environment"
    ),
    "Exec": ("command",),
    "ExposeHostPort": ("expose",),
    "Group": ("user",),
    "GroupAdd": ("group_add",),
    "HealthCmd": ("healthcheck.test",),
    "HealthInterval": ("healthcheck.interval",),
    "HealthLogDestination": _OUTPUT,
    "HealthMaxLogCount": _OUTPUT,
    "HealthMaxLogSize": _OUTPUT,
    "HealthOnFailure": ("healthcheck.on_failure",),
    "HealthRetries": ("healthcheck.retries",),
    "HealthStartPeriod": ("healthcheck.start_period",),
    "HealthStartupCmd": ("healthcheck.startup.test",),
    "HealthStartupInterval": ("healthcheck.startup.interval",),
    "HealthStartupRetries": ("healthcheck.startup.retries",),
    "HealthStartupSuccess": ("healthcheck.startup.success",),
    "HealthStartupTimeout": ("healthcheck.startup.timeout",),
    "HealthTimeout": ("healthcheck.timeout",),
    "HttpProxy": ("http_proxy",),
    "Image": ("image",),
    "Label": ("labels",),
    "LogDriver": ("logging.driver",),
    "LogOpt": ("logging.options",),
    "Mask": ("mask",),
    "Memory": ("resources.memory",),
    "Mount": ("volumes",),
    "NoNewPrivileges": ("no_new_privileges",),
    "Notify": ("probes.readiness", "healthcheck"),
    "PidsLimit": ("resources.pids",),
    "Pod": ("containers",),
    "Pull": ("pull",),
    "ReadOnly": ("read_only",),
    "ReadOnlyTmpfs": ("read_only_tmpfs",),
    "ReloadCmd": ("reload.command",),
    "ReloadSignal": ("reload.signal",),
    "Retry": _RETRIES,
    "RetryDelay": _RETRIES,
    "Rootfs": Why(
        "a container is made from an image, whose digest names the version that runs: make one of "
        "the directory (tar -C DIRECTORY -c . | podman import - localhost/NAME:1), and pull: never"
    ),
    "RunInit": ("init_process",),
    "SeccompProfile": ("seccomp",),
    "Secret": ("secrets",),
    "SecurityLabelDisable": ("selinux.disable",),
    "SecurityLabelFileType": ("selinux.filetype",),
    "SecurityLabelLevel": ("selinux.level",),
    "SecurityLabelNested": ("selinux.nested",),
    "SecurityLabelType": ("selinux.type",),
    "StartWithPod": Why(
        "the containers of a pod always start with it; write init for those before"
    ),
    "StopSignal": ("stop_signal",),
    "StopTimeout": ("stop_timeout",),
    "Sysctl": ("sysctls",),
    "Timezone": ("timezone",),
    "Tmpfs": ("volumes",),
    "Ulimit": ("ulimits",),
    "Unmask": ("unmask",),
    "User": ("user",),
    "VolatileTmp": ("read_only_tmpfs", "volumes"),
    "Volume": ("volumes",),
    "WorkingDir": ("working_dir",),
}
_POD: Mapping[str, Place] = {
    **_COMMON,
    **_SANDBOX,
    "ExitPolicy": _POD_END,
    "Label": ("containers.NAME.labels",),
    "PodName": _NAME,
    "StopTimeout": ("containers.NAME.stop_timeout",),
    "Volume": ("containers.NAME.volumes",),
}
_VOLUME: Mapping[str, Place] = {
    **_COMMON,
    "Copy": ("nocopy",),
    "Device": ("device",),
    "Driver": ("driver",),
    "GID": ("gid",),
    "Group": ("gid",),
    "Image": ("image",),
    "Label": ("labels",),
    "Options": ("options",),
    "Type": ("fstype",),
    "UID": ("uid",),
    "User": ("uid",),
    "VolumeName": _NAME,
}
_NETWORK: Mapping[str, Place] = {
    **_COMMON,
    "DNS": ("dns",),
    "DisableDNS": ("disable_dns",),
    "Driver": ("driver",),
    "Gateway": ("subnets.gateway",),
    "IPAMDriver": ("ipam_driver",),
    "IPRange": ("subnets.ip_range",),
    "IPv6": ("ipv6",),
    "InterfaceName": ("interface_name",),
    "Internal": ("internal",),
    "Label": ("labels",),
    "NetworkDeleteOnStop": ("reclaim",),
    "NetworkName": _NAME,
    "Options": ("options",),
    "Subnet": ("subnets.subnet",),
}
_IMAGE: Mapping[str, Place] = {
    **_COMMON,
    **_PULL,
    "AllTags": Why("one image runs: name the tag that is meant under image"),
    "Arch": ("platform",),
    "Image": ("image",),
    "ImageTag": _IMAGE_NAME,
    "OS": ("platform",),
    "Policy": ("pull",),
    "Variant": ("platform",),
}
_ARTIFACT: Mapping[str, Place] = {
    **_COMMON,
    **_PULL,
    "Artifact": ("volumes.source",),
    "Quiet": Why("progress is in the status, and nowhere in the way"),
}
_KUBE: Mapping[str, Place] = {
    **_COMMON,
    "AutoUpdate": ("pull",),
    "ConfigMap": ("files", "environment"),
    "ExitCodePropagation": Why("each container has a unit of its own, which has its exit code"),
    "KubeDownForce": ("volumes.reclaim",),
    "LogDriver": ("logging.driver",),
    "LogOpt": ("logging.options",),
    "Network": ("networks", "network_mode"),
    "PublishPort": ("ports",),
    "RemapGid": _REMAP,
    "RemapUid": _REMAP,
    "RemapUidSize": _REMAP,
    "RemapUsers": _REMAP,
    "SetWorkingDirectory": Why("relative paths are always those beside the workload file"),
    "UserNS": _USERS,
    "Yaml": Why("Kubernetes manifests are not read: write the pod's containers under containers"),
}

SECTIONS: Mapping[str, Mapping[str, Place]] = {
    "Container": _CONTAINER,
    "Pod": _POD,
    "Volume": _VOLUME,
    "Network": _NETWORK,
    "Image": _IMAGE,
    "Artifact": _ARTIFACT,
    "Kube": _KUBE,
}
KINDS: Mapping[str, str] = {"Volume": "volume", "Network": "network"}
"""Sections whose fields are those of a kind of their own; the others' are a workload's."""
