"""No field of the format is without a test on the real host."""

import re
from pathlib import Path

from workloadd.spec.catalogue import models
from workloadd.spec.model import ServiceSpec

HERE = Path(__file__).parent

# Which module asserts on which fields of which models.
PROVEN: dict[str, dict[str, str]] = {
    "test_fields": {
        "ServiceSpec": "command entrypoint working_dir user environment env_file ports volumes "
        "hostname labels read_only cap_add cap_drop resources restart stop_signal stop_timeout "
        "description",
        "EnvFile": "path required",
        "PortEntry": "target published host_ip protocol",
        "BindVolume": "type source target create read_only",
        "NamedVolume": "type source target read_only",
        "TmpfsVolume": "type target size mode read_only",
        "Resources": "memory cpus pids",
    },
    "test_fields_process": {
        "ServiceSpec": "init_process tty timezone ulimits annotations http_proxy logging platform",
        "Ulimit": "soft hard",
        "Logging": "driver options",
    },
    "test_fields_security": {
        "ServiceSpec": "privileged no_new_privileges group_add read_only_tmpfs umask seccomp "
        "apparmor selinux mask unmask devices",
        "Selinux": "disable type level filetype",
    },
    "test_fields_sandbox": {
        "ServiceSpec": "dns dns_opt dns_search extra_hosts expose shm_size sysctls network_mode "
        "userns_mode uid_map gid_map",
    },
    "test_fields_storage": {
        "BindVolume": "noexec nosuid nodev chown idmap overlay nonrecursive",
        "NamedVolume": "noexec chown idmap overlay subpath",
        "TmpfsVolume": "chown noexec nocopy",
        "ImageVolume": "type source target subpath writable",
        "DevptsVolume": "type target uid gid mode max",
    },
    "test_fields_limits": {
        "Resources": "memory_reservation memory_swap cpu_shares cpuset cpuset_mems io_weight",
        "BindVolume": "selinux propagation",
        "NamedVolume": "selinux nosuid nodev",
    },
    "test_fields_health": {
        "ServiceSpec": "healthcheck probes",
        "Healthcheck": "test disable interval timeout retries start_period on_failure startup",
        "StartupCheck": "test interval timeout retries success",
        "Probes": "startup readiness liveness",
        "ProbeSpec": "http tcp exec interval timeout failure_threshold success_threshold "
        "initial_delay",
        "HttpProbe": "port path scheme headers status body",
    },
    "test_networks": {
        "ServiceSpec": "networks",
        "Attachment": "aliases ipv4_address ipv6_address mac_address interface_name driver subnets "
        "ipv6 internal dns disable_dns options ipam_driver labels",
        "NetworkSpec": "kind description driver subnets ipv6 internal dns disable_dns options "
        "ipam_driver labels interface_name reclaim",
        "Subnet": "subnet gateway ip_range",
    },
    "test_volumes": {
        "NamedVolume": "driver fstype device options image nocopy uid gid labels",
        "VolumeSpec": "kind description driver fstype device options image nocopy uid gid labels "
        "reclaim",
    },
    "test_removal": {"NamedVolume": "reclaim"},
    "test_secrets": {
        "ServiceSpec": "secrets",
        "Secret": "file variable credential target env uid gid mode",
    },
    "test_files": {
        "ServiceSpec": "files reload",
        "File": "content source mode uid gid on_change",
        "Reload": "signal command",
    },
    "test_jobs": {
        "ServiceSpec": "kind",
        "JobSpec": "schedule time_zone randomized_delay catch_up timeout retries retry_delay "
        "overlap",
    },
    "test_fleetlock": {"JobSpec": "inhibit_reboot"},
    "test_sockets": {
        "ServiceSpec": "sockets idle_timeout",
        "SocketEntry": "listen name mode container",
    },
    "test_pods": {"PodSpec": "containers share", "PodContainer": "init"},
    "test_variables": {"DocumentHead": "when"},
    "test_dropins": {"DocumentHead": "name instances"},
    "test_deploy": {"ServiceSpec": "image"},
    "test_registry": {"ServiceSpec": "pull"},
    "test_update": {"ServiceSpec": "enabled"},
    "test_rollback": {"ServiceSpec": "update", "Update": "soak deadline rollback"},
    "test_by_hand": {"Update": "keep"},
    "test_dependencies": {"ServiceSpec": "depends_on", "Dependency": "condition restart"},
    "test_start_first": {"Update": "order"},
    "test_image_updates": {"Update": "policy version window", "Window": "days hours time_zone"},
}
# What a host without SELinux, without controllers or with an older Podman cannot show, and the test
# of what is posted to Podman instead.
RENDERED: dict[str, str] = {
    "Selinux": "nested",
    "ArtifactVolume": "type source target title digest name",
    "DeviceEntry": "source target permissions",
}
# Models that have the fields of a service, and some of their own.
ALIKE = {"JobSpec", "PodSpec", "PodContainer"}


def listed(model: str) -> set[str]:
    tables = (*PROVEN.values(), RENDERED)
    return {name for table in tables for name in table.get(model, "").split()}


def test_no_field_is_forgotten() -> None:
    service = set(ServiceSpec.model_fields)
    for name, model in models().items():
        own = set(model.model_fields) - (service if name in ALIKE else set())
        assert own == listed(name), name


def test_each_is_in_the_test_that_is_said_to_prove_it() -> None:
    for module, table in PROVEN.items():
        text = (HERE / f"{module}.py").read_text()
        for model, names in table.items():
            missing = [name for name in names.split() if not re.search(rf"\b{name}\b", text)]
            # A short form says some without their names.
            short = {"source", "target", "type", "read_only", "published", "host_ip", "protocol"}
            flags = {"chown", "overlay", "propagation", "selinux"}
            assert set(missing) <= short | flags, f"{module}: {model}"


def test_what_is_only_rendered_is_tested_there() -> None:
    text = (HERE.parent / "unit/render/test_render_container.py").read_text()
    for model, names in RENDERED.items():
        for name in names.split():
            assert re.search(rf"\b{name}\b", text) or model in ("BindVolume", "DeviceEntry"), name
