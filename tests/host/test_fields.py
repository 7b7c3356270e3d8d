"""Every field of the format reaches the container, as Podman and the container itself tell."""

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, idle, serving


def inside(host: Host, name: str, *command: str) -> str:
    """What a command in the container prints."""
    return host.podman("exec", name, *command)


def mounts(host: Host, name: str) -> dict[str, Document]:
    return {mount["Destination"]: mount for mount in host.inspect(name)["Mounts"]}


def test_the_process(host: Host, name: str) -> None:
    text = f"""\
image: {BUSYBOX}
entrypoint: [sh, -c]
command: ["exec sleep 4711"]
working_dir: /tmp
user: "1000:1001"
hostname: some-name
stop_signal: SIGUSR1
stop_timeout: 1500ms
description: A test of the process
"""
    host.deploy(name, text)
    container = host.inspect(name)
    assert container["Config"]["Entrypoint"] == ["sh", "-c"]
    assert container["Config"]["Cmd"] == ["exec sleep 4711"]
    assert container["Config"]["StopTimeout"] == 2  # whole seconds, never less than was asked
    assert container["Config"]["StopSignal"] == "SIGUSR1"
    assert inside(host, name, "pwd") == "/tmp"
    assert inside(host, name, "sh", "-c", "id -u; id -g") == "1000\n1001"
    assert inside(host, name, "hostname") == "some-name"
    assert inside(host, name, "cat", "/proc/1/cmdline").split("\0")[:2] == ["sleep", "4711"]
    assert host.unit(name, "Description")["Description"] == "A test of the process"
    assert host.status(name)["description"] == "A test of the process"


def test_what_is_left_out_is_the_images(host: Host, name: str) -> None:
    host.deploy(name, idle())
    container = host.inspect(name)
    assert container["Config"]["Hostname"] == name
    assert not container["Config"]["Entrypoint"]
    assert "PATH=/bin" in container["Config"]["Env"]
    assert not container["HostConfig"]["ReadonlyRootfs"]


def test_environment_and_files(host: Host, name: str) -> None:
    file = host.files / "fields.env"
    host.write(file, "FROM_FILE=file\nBOTH=file\n# a comment\n")
    text = idle(
        "env_file: [fields.env, {path: missing.env, required: false}]",
        "environment: {BOTH: own, ODD: 'a b=$$c'}",
    )
    host.deploy(name, text)
    environment = inside(host, name, "env").splitlines()
    assert {"FROM_FILE=file", "BOTH=own", "ODD=a b=$c"} <= set(environment)

    before = host.status(name)["current"]["revision"]
    host.write(file, "FROM_FILE=changed\n")
    host.wait_until(
        lambda: (host.status(name)["current"] or {"revision": before})["revision"] != before,
        "a changed env_file to be rolled out",
    )
    host.wait_for(name, "Ready")
    assert "FROM_FILE=changed" in inside(host, name, "env").splitlines()


def test_ports_of_each_form(host: Host, name: str, port: int) -> None:
    listen = "httpd -p 80 -h /www; httpd -p 81 -h /www; exec sleep infinity"
    text = f"""\
image: {BUSYBOX}
command: [sh, -c, "{listen}"]
ports:
  - "{port}:80"
  - "127.0.0.1:{port + 1}:81/tcp"
  - "{port + 2}:53/udp"
  - "{port + 3}-{port + 4}:80-81"
stop_signal: SIGKILL
"""
    host.deploy(name, text)
    for tcp in (port, port + 1, port + 3, port + 4):
        assert host.http(tcp) == "busybox 1\n", tcp
    published = host.inspect(name)["NetworkSettings"]["Ports"]
    assert (str(port + 1), "127.0.0.1") in {
        (p["HostPort"], p["HostIp"]) for p in published["81/tcp"]
    }
    assert {one["HostPort"] for one in published["80/tcp"]} == {str(port), str(port + 3)}
    assert published["53/udp"][0]["HostPort"] == str(port + 2)
    assert host.root("ss", "-Huln", "sport", "=", f":{port + 2}").stdout


def test_volumes_of_each_kind(host: Host, name: str) -> None:
    host.write(host.files / "site/index.html", "from the host\n")
    text = idle(
        "volumes:",
        "  - ./site:/www:ro",
        "  - data:/data",
        "  - {type: tmpfs, target: /scratch, size: 64k, mode: 0o1777}",
        "  - {type: bind, source: ~/made, target: /made, create: true}",
    )
    host.deploy(name, text)
    found = mounts(host, name)
    assert found["/www"]["Type"] == "bind"
    assert not found["/www"]["RW"]
    assert found["/data"]["Name"] == f"{name}_data"
    assert inside(host, name, "cat", "/www/index.html") == "from the host"
    assert inside(host, name, "stat", "-c", "%a", "/scratch") == "1777"
    size = inside(host, name, "sh", "-c", "df -k /scratch | awk 'NR==2 {print $2}'")
    assert size == "64"
    inside(host, name, "sh", "-c", "echo kept > /data/file; touch /made/file")
    assert (host.home / "made/file").exists()


def test_labels_beside_ours(host: Host, name: str) -> None:
    host.deploy(name, idle("labels: {org.example.team: shop, org.example.empty: ''}"))
    labels = host.inspect(name)["Config"]["Labels"]
    assert labels["org.example.team"] == "shop"
    assert labels["org.example.empty"] == ""
    assert labels["io.workloadd.workload"] == name


def test_read_only_leaves_tmp_writable(host: Host, name: str) -> None:
    host.deploy(name, idle("read_only: true"))
    assert host.inspect(name)["HostConfig"]["ReadonlyRootfs"]
    said = inside(host, name, "sh", "-c", "touch /file 2>/dev/null || echo no; touch /tmp/file")
    assert said == "no"


def test_capabilities(host: Host, name: str) -> None:
    host.deploy(name, idle("cap_drop: [ALL]", "cap_add: [NET_ADMIN, chown]"))
    assert set(host.inspect(name)["EffectiveCaps"]) == {"CAP_NET_ADMIN", "CAP_CHOWN"}


def test_a_job_that_ends_well_stays_completed(host: Host, name: str) -> None:
    host.write_workload(name, f"image: {BUSYBOX}\ncommand: 'true'\nrestart: no\n")
    status = host.wait_for(name, "Completed")
    started = host.inspect(name)["State"]["StartedAt"]
    host.look_again()
    assert host.inspect(name)["State"]["StartedAt"] == started
    assert status["current"]["exit_code"] == 0
    assert host.condition(name, "Ready")["reason"] == "Completed"
    assert host.unit(name, "Restart")["Restart"] == "no"


def test_on_failure_gives_up_after_so_many_tries(host: Host, name: str) -> None:
    # Proven first, so that it is the restart policy that is seen and not the rollout's judgement.
    run = "echo run >> /data/runs; while test ! -e /data/fail; do sleep 0.1; done; exit 7"
    text = f"command: [sh, -c, '{run}']\nrestart: on-failure:2\nvolumes: [data:/data]\n"
    host.deploy(name, f"image: {BUSYBOX}\n{text}stop_signal: SIGKILL\n")
    inside(host, name, "touch", "/data/fail")

    def given_up() -> bool:
        return host.unit(name, "ActiveState")["ActiveState"] == "failed"

    host.wait_until(given_up, "systemd to give it up")
    host.look_again()
    assert given_up()
    volumes = host.home / ".local/share/containers/storage/volumes"
    assert (volumes / f"{name}_data/_data/runs").read_text() == 3 * "run\n"
    status = host.status(name)
    assert (status["state"], status["current"]["exit_code"]) == ("Failed", 7)


def test_always_means_after_a_good_end_too(host: Host, name: str) -> None:
    text = f"image: {BUSYBOX}\ncommand: [sh, -c, 'sleep 1.5']\n"
    host.deploy(name, text)
    host.wait_until(lambda: host.status(name)["restarts"] > 0, "a restart after exit code 0")


def test_limits_hold_or_the_user_is_told_why_not(host: Host, name: str, port: int) -> None:
    conditions = {c["type"]: c for c in host.api("/v1/status")["host"]}
    delegated = conditions["Controllers"]
    resources = "resources: {memory: 32m, cpus: 0.5, pids: 20}"
    if delegated["status"] == "True":
        host.deploy(name, serving(port, resources))
        limits = host.inspect(name)["HostConfig"]
        assert (limits["Memory"], limits["PidsLimit"]) == (32 << 20, 20)
        assert limits["CpuQuota"] / limits["CpuPeriod"] == 0.5
        return
    assert "memory" in delegated["message"]
    assert "Delegate=" in delegated["fix"]
    host.write_workload(name, serving(port, resources))
    status = host.wait_for(name, "Failed")
    assert "cannot limit memory, cpu, pids: not delegated" in status["message"]
    assert host.condition(name, "Deployed")["reason"] == "ControllerMissing"


@pytest.mark.parametrize("field", ["memory: 32m", "pids: 20"])
def test_a_limit_is_never_dropped_silently(host: Host, name: str, port: int, field: str) -> None:
    host.write_workload(name, serving(port, f"resources: {{{field}}}"))
    status = host.wait_for(name, "Ready", "Failed")
    if status["state"] == "Ready":
        kind, value = field.split(": ")
        told = host.inspect(name)["HostConfig"]["Memory" if kind == "memory" else "PidsLimit"]
        assert told == (32 << 20 if kind == "memory" else int(value))


def test_what_an_older_podman_would_pass_over_is_refused(host: Host, name: str) -> None:
    host.deploy(name, idle())
    started = host.inspect(name)["State"]["StartedAt"]
    artifact = "{type: artifact, source: 'quay.io/team/model:1', target: /model}"
    host.write_workload(name, idle(f"volumes: [{artifact}]"))
    host.wait_until(lambda: "Podman" in host.status(name)["message"], "it to be refused")
    version = host.podman("version", "--format", "{{.Server.Version}}")
    wanted = f"it needs Podman 5.6, this host has {version}: volumes./model.type (5.6)"
    assert wanted in host.status(name)["message"]
    assert host.inspect(name)["State"]["StartedAt"] == started


@pytest.mark.parametrize(
    ("limit", "controller"),
    [
        ("memory: 64m, memory_reservation: 32m, memory_swap: 64m", "memory"),
        ("cpu_shares: 512", "cpu"),
        ("cpuset: 0", "cpuset"),
        ("cpuset_mems: 0", "cpuset"),
        ("io_weight: 500", "io"),
    ],
)
def test_every_limit_is_refused_where_it_would_not_hold(
    host: Host, name: str, limit: str, controller: str
) -> None:
    condition = {c["type"]: c for c in host.api("/v1/status")["host"]}["Controllers"]
    assert condition["status"] != "True", "this host can set limits: test that they hold"
    host.write_workload(name, idle(f"resources: {{{limit}}}"))
    message = host.wait_for(name, "Failed")["message"]
    assert f"cannot limit {controller}: not delegated" in message
