"""A revision as the container specification that libpod reads."""

from typing import Any

import pytest

from tests.fakes.revisions import only, revised
from workloadd.core.revision import EnvFile, UnitParams
from workloadd.render.container import render_container
from workloadd.spec.load import load_workload
from workloadd.spec.model import WorkloadSpec

DIGEST = "sha256:" + 64 * "0"


def rendered(text: str, env_files: tuple[EnvFile, ...] = ()) -> dict[str, Any]:
    loaded = load_workload("web", f"image: r.example/app:1\n{text}".encode(), "web.yaml")
    assert loaded.spec, loaded.errors
    assert isinstance(loaded.spec, WorkloadSpec)
    revision = revised("web", loaded.spec, "id1", "sha256:one", env_files)
    return render_container(revision, only(revision), "workloads")


def test_it_is_named_for_its_revision_and_pinned_to_its_image() -> None:
    spec = rendered("")
    revision = spec["labels"]["io.workloadd.revision"]
    assert spec["name"] == f"web_{revision[:12]}"
    assert (spec["image"], spec["raw_image_name"]) == ("id1", "r.example/app:1")


def test_systemd_supervises_it() -> None:
    spec = rendered("restart: on-failure:3")
    assert spec["cgroups_mode"] == "split"
    assert spec["sdnotifyMode"] == "conmon"
    assert spec["healthconfig"] == {"Test": ["NONE"]}
    assert spec["restart_policy"] == "no"
    params = UnitParams.from_label(spec["labels"]["io.workloadd.unit"])
    assert params and (params.restart, params.max_retries) == ("on-failure", 3)


def test_the_file_outdoes_its_env_files_and_the_later_of_these_the_earlier() -> None:
    files = (EnvFile("/a", (("A", "1"), ("B", "1"))), EnvFile("/b", (("B", "2"), ("C", "2"))))
    assert rendered("environment: {C: 3}", files)["env"] == {"A": "1", "B": "2", "C": "3"}


def test_our_labels_stand_beside_the_file_s() -> None:
    labels = rendered("labels: {team: shop}")["labels"]
    assert labels["team"] == "shop"
    assert labels["io.workloadd.workload"] == "web"
    assert labels["io.workloadd.user"] == "workloads"


def test_what_the_file_leaves_out_is_left_to_the_image() -> None:
    absent = {
        "command", "entrypoint", "work_dir", "user", "stop_signal", "cap_add", "cap_drop", "init",
        "privileged", "umask", "httpproxy", "timezone", "r_limits", "devices", "groups",
        "netns", "userns", "idmappings", "shm_size",
        "sysctl", "dns_server", "hostadd", "expose", "portmappings",
        "annotations", "resource_limits", "read_only_filesystem", "read_write_tmpfs",
    }  # fmt: skip
    assert not absent & set(rendered(""))


def test_an_empty_command_clears_the_image_s() -> None:
    assert rendered("command: []")["command"] == []


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("command: sleep 1", "command", ["sleep", "1"]),
        ("entrypoint: [/bin/x]", "entrypoint", ["/bin/x"]),
        ("working_dir: /srv", "work_dir", "/srv"),
        ("user: 1000", "user", "1000"),
        ("hostname: Box", "hostname", "box"),
        ("", "hostname", "web"),
        ("stop_signal: QUIT", "stop_signal", 3),
        ("stop_timeout: 1500ms", "stop_timeout", 2),
        ("cap_add: [net_admin]", "cap_add", ["CAP_NET_ADMIN"]),
        ("cap_drop: [all]", "cap_drop", ["ALL"]),
        ("read_only: true", "read_only_filesystem", True),
        ("read_only: true", "read_write_tmpfs", True),
        ("privileged: true", "privileged", True),
        ("", "no_new_privileges", True),
        ("group_add: [audio, 5]", "groups", ["5", "audio"]),
        ("group_add: [keep-groups]", "annotations", {"run.oci.keep_original_groups": "1"}),
        ("annotations: {a: b}", "annotations", {"a": "b"}),
        ("umask: 0027", "umask", "0027"),
        ("seccomp: /etc/web.json", "seccomp_profile_path", "/etc/web.json"),
        ("seccomp: unconfined", "seccomp_profile_path", "unconfined"),
        ("apparmor: web", "apparmor_profile", "web"),
        ("selinux: {disable: true}", "selinux_opts", ["disable"]),
        (
            "selinux: {type: a_t, level: s0, filetype: b_t}",
            "selinux_opts",
            ["type:a_t", "level:s0", "filetype:b_t"],
        ),
        ("selinux: {nested: true}", "label_nested", True),
        ("mask: [/a]", "mask", ["/a"]),
        ("unmask: [ALL]", "unmask", ["ALL"]),
        (
            "devices: [/dev/fuse, /dev/a:/dev/b:r]",
            "devices",
            [
                {"path": "/dev/a:/dev/b:r"},
                {"path": "/dev/fuse"},
            ],
        ),
        ("init_process: true", "init", True),
        ("tty: true", "terminal", True),
        ("http_proxy: true", "httpproxy", True),
        ("timezone: local", "timezone", "local"),
        (
            "ulimits: {nofile: 5, core: {soft: 0, hard: -1}}",
            "r_limits",
            [
                {"type": "core", "soft": 0, "hard": 2**64 - 1},
                {"type": "nofile", "soft": 5, "hard": 5},
            ],
        ),
        ("", "log_configuration", {"driver": "journald", "options": {"tag": "web"}}),
        (
            "logging: {options: {tag: shop}}",
            "log_configuration",
            {"driver": "journald", "options": {"tag": "shop"}},
        ),
        (
            "logging: {driver: k8s-file, options: {max-size: 1m, path: /l}}",
            "log_configuration",
            {"driver": "k8s-file", "path": "/l", "size": 2**20},
        ),
        ("logging: {driver: none}", "log_configuration", {"driver": "none"}),
        (
            "resources: {memory: 1g, memory_reservation: 1m, memory_swap: 2g}",
            "resource_limits",
            {"memory": {"limit": 2**30, "reservation": 2**20, "swap": 2**31}},
        ),
        (
            "resources: {cpu_shares: 5, cpuset: 0-1, cpuset_mems: 0, io_weight: 10}",
            "resource_limits",
            {"cpu": {"shares": 5, "cpus": "0-1", "mems": "0"}, "blockIO": {"weight": 10}},
        ),
        (
            "resources: {memory: 64m, cpus: 0.5, pids: 10}",
            "resource_limits",
            {
                "memory": {"limit": 64 * 1024 * 1024},
                "cpu": {"quota": 50_000, "period": 100_000},
                "pids": {"limit": 10},
            },
        ),
        ("network_mode: host", "netns", {"nsmode": "host"}),
        ("network_mode: 'ns:/run/netns/x'", "netns", {"nsmode": "path", "value": "/run/netns/x"}),
        ("network_mode: 'pasta:-T,80'", "network_options", {"pasta": ["-T", "80"]}),
        ("userns_mode: keep-id", "userns", {"nsmode": "keep-id"}),
        (
            "userns_mode: 'keep-id:uid=5,gid=6'",
            "userns",
            {"nsmode": "keep-id", "value": "gid=6,uid=5"},
        ),
        ("userns_mode: nomap", "userns", {"nsmode": "no-map"}),
        (
            "userns_mode: 'auto:size=100,uidmapping=0:1:2'",
            "idmappings",
            {
                "AutoUserNs": True,
                "AutoUserNsOpts": {
                    "Size": 100,
                    "AdditionalUIDMappings": [{"container_id": 0, "host_id": 1, "size": 2}],
                    "AdditionalGIDMappings": [],
                },
            },
        ),
        ("uid_map: ['0:1:9']", "userns", {"nsmode": "private"}),
        (
            "uid_map: ['0:1:9']",
            "idmappings",
            {
                "UIDMap": [{"container_id": 0, "host_id": 1, "size": 9}],
                "GIDMap": [{"container_id": 0, "host_id": 1, "size": 9}],
            },
        ),
        ("shm_size: 1m", "shm_size", 2**20),
        ("sysctls: {net.core.somaxconn: 5}", "sysctl", {"net.core.somaxconn": "5"}),
        ("dns: 9.9.9.9", "dns_server", ["9.9.9.9"]),
        ("dns_opt: ndots:2", "dns_option", ["ndots:2"]),
        ("dns_search: a.b", "dns_search", ["a.b"]),
        ("extra_hosts: {a: 10.0.0.1}", "hostadd", ["a:10.0.0.1"]),
        ("expose: [80, 80/udp]", "expose", {"80": "tcp,udp"}),
        (
            "ports: ['127.0.0.1:5353:53/udp']",
            "portmappings",
            [
                {
                    "host_ip": "127.0.0.1",
                    "host_port": 5353,
                    "container_port": 53,
                    "protocol": "udp",
                }
            ],
        ),
        (
            "volumes: ['data:/data:ro']",
            "volumes",
            [{"Name": "web_data", "Dest": "/data", "Options": ["ro"]}],
        ),
        (
            "volumes: ['/srv/www:/srv:Z']",
            "mounts",
            [
                {
                    "type": "bind",
                    "source": "/srv/www",
                    "destination": "/srv",
                    "options": ["rbind", "rw", "Z"],
                }
            ],
        ),
        (
            "volumes: ['data:/data:U,noexec,nosuid,nodev']",
            "volumes",
            [
                {
                    "Name": "web_data",
                    "Dest": "/data",
                    "Options": ["rw", "noexec", "nosuid", "nodev", "U"],
                }
            ],
        ),
        (
            "volumes: [{type: volume, source: data, target: /data, subpath: a/b, idmap: true}]",
            "volumes",
            [
                {
                    "Name": "web_data",
                    "Dest": "/data",
                    "Options": ["rw", "idmap"],
                    "SubPath": "/a/b",
                }
            ],
        ),
        (
            "volumes: ['data:/data:O']",
            "volumes",
            [{"Name": "web_data", "Dest": "/data", "Options": ["O"]}],
        ),
        (
            "volumes: ['/srv:/srv:O,U']",
            "overlay_volumes",
            [{"source": "/srv", "destination": "/srv", "options": ["O", "U"]}],
        ),
        (
            "volumes: [{type: bind, source: /srv, target: /srv, nonrecursive: true}]",
            "mounts",
            [
                {
                    "type": "bind",
                    "source": "/srv",
                    "destination": "/srv",
                    "options": ["bind", "rw"],
                }
            ],
        ),
        (
            "volumes: [{type: image, source: 'r.example/a:1', target: /i, subpath: /usr}]",
            "image_volumes",
            [
                {
                    "Source": "r.example/a:1",
                    "Destination": "/i",
                    "ReadWrite": False,
                    "subPath": "/usr",
                }
            ],
        ),
        (
            "volumes: [{type: artifact, source: 'r.example/a:1', target: /a, title: t, name: n}]",
            "artifact_volumes",
            [{"source": "r.example/a:1", "destination": "/a", "title": "t", "name": "n"}],
        ),
        (
            f"volumes: [{{type: artifact, source: r.example/a, target: /a, digest: '{DIGEST}'}}]",
            "artifact_volumes",
            [{"source": "r.example/a:latest", "destination": "/a", "digest": DIGEST}],
        ),
        (
            "volumes: [{type: devpts, target: /p, gid: 5, mode: '0620', max: 3}]",
            "mounts",
            [
                {
                    "type": "devpts",
                    "source": "devpts",
                    "destination": "/p",
                    "options": ["gid=5", "mode=0620", "max=3"],
                }
            ],
        ),
        (
            "volumes: [{type: tmpfs, target: /t, chown: true, noexec: true, nocopy: true}]",
            "mounts",
            [
                {
                    "type": "tmpfs",
                    "source": "tmpfs",
                    "destination": "/t",
                    "options": ["rw", "nosuid", "nodev", "noexec", "U", "notmpcopyup"],
                }
            ],
        ),
        (
            "selinux: {nested: true}",
            "mounts",
            [{"type": "bind", "source": "/sys/fs/selinux", "destination": "/sys/fs/selinux"}],
        ),
        ("selinux: {nested: true}", "unmask", ["/sys/fs/selinux", "/proc"]),
        (
            "selinux: {type: a_t, level: s0}\nseccomp: /p\napparmor: x",
            "annotations",
            {
                "io.podman.annotations.label": "type:a_t,label=level:s0",
                "io.podman.annotations.seccomp": "/p",
                "io.podman.annotations.apparmor": "x",
            },
        ),
        (
            "volumes: [{type: tmpfs, target: /t, size: 1m, mode: '1777'}]",
            "mounts",
            [
                {
                    "type": "tmpfs",
                    "source": "tmpfs",
                    "destination": "/t",
                    "options": ["rw", "size=1048576", "mode=1777", "nosuid", "nodev"],
                }
            ],
        ),
    ],
)
def test_each_field_is_where_podman_reads_it(text: str, key: str, value: object) -> None:
    assert rendered(text)[key] == value


def test_a_read_only_root_may_do_without_writable_directories() -> None:
    assert "read_write_tmpfs" not in rendered("read_only: true\nread_only_tmpfs: false")
