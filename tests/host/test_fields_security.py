"""Rights, confinement and devices reach the container, as Podman and the container itself tell."""

import json

from tests.host.host import Host
from tests.host.workloads import idle

NO_MKDIR = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
}


def test_confined(host: Host, name: str) -> None:
    host.write(host.files / "no-mkdir.json", json.dumps(NO_MKDIR))
    text = idle(
        "group_add: [4711]",
        "umask: 0027",
        "seccomp: ./no-mkdir.json",
        "read_only: true",
        "read_only_tmpfs: false",
        "mask: [/proc/version]",
        "unmask: [/proc/bus]",
        "cap_drop: [ALL]",
        "cap_add: [NET_ADMIN, chown]",
        "devices: ['/dev/fuse:/dev/other:r', /dev/net/tun]",
        "volumes: [{type: tmpfs, target: /scratch}]",
    )
    host.deploy(name, text)
    assert "NoNewPrivs:\t1" in host.inside(name, "cat /proc/self/status")
    assert host.inside(name, "id -G; umask").split() == ["0", "4711", "0027"]
    assert host.inside(name, "mkdir /scratch/x 2>&1 || true").endswith("Operation not permitted")
    assert host.inside(name, "touch /tmp/x 2>&1 || true").endswith("Read-only file system")
    assert host.inside(name, "cat /proc/version") == ""
    mounts = host.inside(name, "cat /proc/mounts")
    assert " /proc/irq " in mounts
    assert " /proc/bus " not in mounts
    assert host.inside(name, "test -c /dev/other && test -c /dev/net/tun && echo both") == "both"
    container = host.inspect(name)
    assert set(container["EffectiveCaps"]) == {"CAP_NET_ADMIN", "CAP_CHOWN"}
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["HostConfig"]["GroupAdd"] == ["4711"]
    profile = f"seccomp={host.named(host.files / 'no-mkdir.json')}"
    assert {"no-new-privileges", profile} <= set(container["HostConfig"]["SecurityOpt"])


def test_trusted(host: Host, name: str) -> None:
    text = idle(
        "privileged: true",
        "no_new_privileges: false",
        "group_add: [keep-groups]",
        "seccomp: unconfined",
        "apparmor: unconfined",
        "selinux: {type: spc_t, level: 's0:c1,c2', filetype: container_file_t}",
        "unmask: [ALL]",
    )
    host.deploy(name, text)
    status = dict(
        line.split(":\t", 1) for line in host.inside(name, "cat /proc/self/status").splitlines()
    )
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("0", "0")
    assert int(status["CapEff"], 16) & 1 << 21  # CAP_SYS_ADMIN
    container = host.inspect(name)
    assert container["HostConfig"]["Privileged"]
    assert container["Config"]["Annotations"]["run.oci.keep_original_groups"] == "1"
    options = set(container["HostConfig"]["SecurityOpt"])
    assert {"seccomp=unconfined", "apparmor=unconfined", "unmask=all"} <= options
    labels = "label=type:spc_t,label=level:s0:c1,c2,label=filetype:container_file_t"
    assert labels in options
    assert "no-new-privileges" not in options


def test_selinux_off(host: Host, name: str) -> None:
    host.deploy(name, idle("selinux: {disable: true}"))
    assert "label=disable" in host.inspect(name)["HostConfig"]["SecurityOpt"]


def test_what_the_host_has_not_is_an_error_before_anything_is_stopped(
    host: Host, name: str
) -> None:
    host.deploy(name, idle())
    started = host.inspect(name)["State"]["StartedAt"]
    host.write_workload(name, idle("apparmor: no-such-profile"))
    host.wait_until(lambda: "apparmor" in _message(host, name), "AppArmor to be missed")
    host.write_workload(name, idle("seccomp: /no/such.json"))
    host.wait_until(lambda: "/no/such.json" in _message(host, name), "the profile to be missed")
    host.write_workload(name, idle("devices: [/dev/no-such]"))
    host.wait_until(lambda: "/dev/no-such" in _message(host, name), "the device to be missed")
    assert host.inspect(name)["State"]["StartedAt"] == started


def _message(host: Host, name: str) -> str:
    return str(host.status(name)["message"])
