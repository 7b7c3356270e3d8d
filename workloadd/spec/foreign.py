"""Keys that people bring from Compose, Quadlet or Kubernetes, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from workloadd.spec.problems import Path, Problem
from workloadd.spec.quadlet import SECTIONS, Why
from workloadd.spec.text import did_you_mean, key_name, one_of, quote

_ONE_FILE = "one file holds one workload: write its keys at the top level, without services:"
_FEW = 8
_GENERATED = "leave it out: the unit is generated"

_WORKLOAD: Mapping[str, str] = {
    # Compose
    "services": _ONE_FILE,
    "service": _ONE_FILE,
    "version": "leave it out: the format has no version key",
    "name": "leave it out: the file's name is the workload's name",
    "container_name": "leave it out: the file's name is the workload's name",
    "build": "build the image elsewhere and name it under image",
    "containers": "only a service can have several containers",
    "schedule": "write kind: job",
    "retries": "write kind: job, or restart: on-failure:N",
    "configs": "write files",
    "init": "write init_process",
    "security_opt": "write no_new_privileges, seccomp, apparmor, selinux, mask or unmask",
    "tmpfs": "write {type: tmpfs, target: /path} under volumes",
    "deploy": "write limits under resources",
    "cpus": "write resources: {cpus: …}",
    "cpu_shares": "write resources: {cpu_shares: …}",
    "cpuset": "write resources: {cpuset: …}",
    "cpu_quota": "write resources: {cpus: …}",
    "cpu_period": "write resources: {cpus: …}",
    "oom_score_adj": "leave it out: write resources: {memory: …} for what uses too much",
    "cgroup_parent": "leave it out: every workload has a group of its own in workloads.slice",
    "device_cgroup_rules": "name the devices under devices",
    "gpus": "write devices: [nvidia.com/gpu=all]",
    "volumes_from": "name the same volumes under volumes",
    "extends": "write drop-ins, or instances of one file",
    "profiles": "write when",
    "runtime": "leave it out: the OCI runtime is chosen in containers.conf",
    "mac_address": "write networks: {NAME: {mac_address: …}}",
    "restart_policy": "write restart",
    "mem_limit": "write resources: {memory: …}",
    "mem_reservation": "write resources: {memory_reservation: …}",
    "memswap_limit": "write resources: {memory_swap: …}",
    "memory": "write resources: {memory: …}",
    "blkio_config": "write resources: {io_weight: …}",
    "pids_limit": "write resources: {pids: …}",
    "pull_policy": "write pull",
    "stop_grace_period": "write stop_timeout",
    "notify": "leave it out: write probes: {readiness: …} for what tells that it is ready",
    "inhibit_reboot": "leave it out: only a job has it; services are stopped in order for a reboot",
    "livenessProbe": "write probes: {liveness: …}",
    "readinessProbe": "write probes: {readiness: …}",
    "startupProbe": "write probes: {startup: …}",
    "liveness": "write probes: {liveness: …}",
    "readiness": "write probes: {readiness: …}",
    "startup": "write probes: {startup: …}",
    "env": "write environment",
    "links": "leave it out: containers of one network reach each other by name",
    "dns_options": "write dns_opt",
    "<<": "YAML 1.2 has no merge keys: write the keys out",
    # Kubernetes
    "apiVersion": "write a workload file; Kubernetes manifests are not read",
    "args": "write command",
    "imagePullPolicy": "write pull",
    "securityContext": "write user, privileged, read_only, cap_add or cap_drop",
    "terminationGracePeriodSeconds": "write stop_timeout",
    "workingDir": "write working_dir",
    # Quadlet, where its table of keys says less
    "Tmpfs": "write {type: tmpfs, target: /path} under volumes",
    "AutoUpdate": "write pull: newer",
    "ContainerName": "leave it out: the file's name is the workload's name",
    "ServiceName": "leave it out: the file's name is the workload's name",
    "Container": "one file holds one workload: write its keys at the top level",
    "Unit": _GENERATED,
    "Service": _GENERATED,
    "Install": _GENERATED,
}

_JOB: Mapping[str, str] = {
    **_WORKLOAD,
    "containers": "write image: a job has one container",
    # systemd
    "OnCalendar": "write schedule",
    "Persistent": "write catch_up",
    "RandomizedDelaySec": "write randomized_delay",
    "RuntimeMaxSec": "write timeout",
    # Kubernetes
    "activeDeadlineSeconds": "write timeout",
    "backoffLimit": "write retries",
    "concurrencyPolicy": "write overlap",
    "timeZone": "write time_zone",
    "suspend": "write enabled: false",
}

_VOLUME: Mapping[str, str] = {
    "bind": "write propagation, selinux and create next to type",
    "volume": "write nocopy, reclaim … next to type",
    "tmpfs": "write size and mode next to type",
    "create_host_path": "write create",
    "destination": "write target",
    "dst": "write target",
    "src": "write source",
    "readonly": "write read_only",
    "ro": "write read_only",
    "consistency": "leave it out: it has no effect on Linux",
    "recursive": "write nonrecursive: true to leave out what is mounted below",
    "rw": "write writable",
}

_HEALTH: Mapping[str, str] = {
    "start_interval": "write startup: {test: …, interval: …}",
    "log": "leave it out: the status says how each probe went",
    "command": "write test",
    "cmd": "write test",
}

_PROBE: Mapping[str, str] = {
    # Kubernetes
    "httpGet": "write http: PORT/PATH",
    "tcpSocket": "write tcp: PORT",
    "grpc": "write tcp: PORT, or exec with grpc_health_probe",
    "periodSeconds": "write interval",
    "timeoutSeconds": "write timeout",
    "failureThreshold": "write failure_threshold",
    "successThreshold": "write success_threshold",
    "initialDelaySeconds": "write initial_delay",
    "terminationGracePeriodSeconds": "write stop_timeout beside probes",
    # Compose
    "test": "write exec",
    "command": "write exec",
    "retries": "write failure_threshold",
    "start_period": "write a startup probe",
    "url": "write http",
}
_PROBES: Mapping[str, str] = {
    "start": "write startup",
    "ready": "write readiness",
    "live": "write liveness",
    "health": "write readiness",
}
_HTTP: Mapping[str, str] = {
    "httpHeaders": "write headers: {NAME: VALUE}",
    "host": "write headers: {Host: …}: a probe asks its own container",
    "url": "write scheme, port and path",
    "method": "leave it out: it is always GET",
    "expect": "write status or body",
    "code": "write status",
}

_NETWORK: Mapping[str, str] = {
    # Compose
    "driver_opts": "write options",
    "enable_ipv6": "write ipv6",
    "ipam": "write subnets",
    "external": "leave it out: a network of its own file is shared by name",
    "attachable": "leave it out: it has no meaning on one host",
    "name": "leave it out: the file's name is the network's name",
    "subnet": "write subnets: […]",
    "gateway": "write subnets: [{subnet: …, gateway: …}]",
    "ip_range": "write subnets: [{subnet: …, ip_range: …}]",
}

_VOLUME_OPTIONS: Mapping[str, str] = {
    "driver_opts": "write fstype, device and options",
    "o": "write options",
    "type": "write fstype",
    "copy": "write nocopy",
    "user": "write uid",
    "group": "write gid",
    "name": "leave it out: the file's name is the volume's name",
    "VolumeName": "leave it out: the file's name is the volume's name",
    "external": "leave it out: a volume of its own file is shared by name",
}

_SECRET: Mapping[str, str] = {
    "source": "write file, variable or credential",
    "environment": "write variable, or env for one of the container",
    "external": "write file, variable or credential",
    "path": "write file",
    "type": "write env for a variable, target for a file",
    "content": "a secret is never written into a workload file: write file",
}

_FILE: Mapping[str, str] = {
    "file": "write source",
    "path": "write source",
    "target": "write it as the key: /PATH: {…}",
    "text": "write content",
    "read_only": "leave it out: files are always read-only",
}

_RESOURCES: Mapping[str, str] = {
    "limits": "write memory, cpus and pids directly under resources",
    "reservations": "write memory, cpus and pids directly under resources; they are limits",
    "cpu": "write cpus",
    "mem": "write memory",
    "mem_limit": "write memory",
    "mem_reservation": "write memory_reservation",
    "memswap_limit": "write memory_swap",
    "blkio_weight": "write io_weight",
    "pids_limit": "write pids",
}

_PORT: Mapping[str, str] = {
    "host_port": "write published",
    "hostPort": "write published",
    "hostIP": "write host_ip",
    "container_port": "write target",
    "containerPort": "write target",
    "mode": "leave it out: a port is always one of this host",
    "name": "leave it out: ports have no names",
    "app_protocol": "leave it out: nothing uses it",
}

# By the class name of the model in which the key was found.
_TABLES: Mapping[str, Mapping[str, str]] = {
    "ServiceSpec": _WORKLOAD,
    "PodSpec": _WORKLOAD,
    "JobSpec": _JOB,
    "PodContainer": _WORKLOAD,
    "PortEntry": _PORT,
    "Resources": _RESOURCES,
    "Healthcheck": _HEALTH,
    "Probes": _PROBES,
    "ProbeSpec": _PROBE,
    "HttpProbe": _HTTP,
    "BindVolume": _VOLUME,
    "NamedVolume": {**_VOLUME_OPTIONS, **_VOLUME},
    "NetworkSpec": _NETWORK,
    "Attachment": _NETWORK,
    "VolumeSpec": _VOLUME_OPTIONS,
    "Secret": _SECRET,
    "File": _FILE,
    "TmpfsVolume": _VOLUME,
    "ImageVolume": _VOLUME,
    "ArtifactVolume": _VOLUME,
    "DevptsVolume": _VOLUME,
}

_OF_A_WORKLOAD = ("Container", "Pod", "Kube", "Image", "Artifact")
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "ServiceSpec": _OF_A_WORKLOAD,
    "PodSpec": _OF_A_WORKLOAD,
    "JobSpec": _OF_A_WORKLOAD,
    "PodContainer": _OF_A_WORKLOAD,
    "NetworkSpec": ("Network",),
    "VolumeSpec": ("Volume",),
}


def unknown_key(path: Path, model: type[BaseModel]) -> Problem:
    """The problem of the key at the end of ``path`` that ``model`` has not, with the best hint."""
    key, known = str(path[-1]), tuple(model.model_fields)
    table = _TABLES.get(model.__name__, {})
    hint = table.get(key) or _of_quadlet(key, model) or did_you_mean(key_name(key), known)
    if not hint and len(known) <= _FEW:
        hint = f"known are {', '.join(known)}"
    return Problem("UnknownKey", f"there is no key {quote(key_name(key))}", hint, path, at_key=True)


def _of_quadlet(key: str, model: type[BaseModel]) -> str:
    """Where a key of Quadlet is among the fields of ``model``, or why it is nowhere."""
    for section in _SECTIONS.get(model.__name__, ()):
        match SECTIONS[section].get(key):
            case Why(reason):
                return f"leave it out: {reason}"
            case tuple(paths):
                return f"write {one_of([_written(path) for path in paths])}"
    return ""


def _written(path: str) -> str:
    """``resources: {memory: …}`` of ``resources.memory``."""
    first, *rest = path.removeprefix("containers.NAME.").split(".")
    if not rest:
        return first
    inner = "…"
    for key in reversed(rest):
        inner = f"{{{key}: {inner}}}"
    return f"{first}: {inner}"
