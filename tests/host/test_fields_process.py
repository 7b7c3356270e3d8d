"""What runs, its limits and its output are as the file says, as Podman and the container tell."""

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, idle


def test_how_it_runs(host: Host, name: str) -> None:
    text = idle(
        "init_process: true",
        "tty: true",
        "timezone: Asia/Tokyo",
        "ulimits: {nofile: 512, core: {soft: 0, hard: -1}}",
        "annotations: {org.example.note: seen, org.example.empty: ''}",
        "platform: linux/amd64",
    )
    host.deploy(name, text)
    assert host.inside(name, "tr '\\0' ' ' < /proc/1/cmdline").startswith("/run/podman-init -- ")
    assert "/dev/pts/" in host.inside(name, "ls -l /proc/1/fd/0")
    assert host.inside(name, "date +%Z") == "JST"
    limits = host.inside(name, "cat /proc/1/limits").splitlines()
    assert [line.split()[3:5] for line in limits if line.startswith("Max open files")] == [
        ["512", "512"]
    ]
    assert [line.split()[4:6] for line in limits if line.startswith("Max core")] == [
        ["0", "unlimited"]
    ]
    container = host.inspect(name)
    assert container["HostConfig"]["Init"]
    assert container["Config"]["Tty"]
    assert container["Config"]["Timezone"] == "Asia/Tokyo"
    assert container["Config"]["Annotations"]["org.example.note"] == "seen"
    assert container["Config"]["Annotations"]["org.example.empty"] == ""


def test_the_proxy_is_passed_on_or_not(host: Host, name: str) -> None:
    host.systemctl("set-environment", "http_proxy=http://proxy.example:3128")
    host.systemctl("restart", "podman.socket", "podman.service")
    try:
        host.deploy(name, idle())
        assert "http_proxy" not in host.inside(name, "env")
        host.deploy(name, idle("http_proxy: true"))
        assert "http_proxy=http://proxy.example:3128" in host.inside(name, "env").splitlines()
    finally:
        host.systemctl("unset-environment", "http_proxy")
        host.systemctl("restart", "podman.socket", "podman.service")


def test_output_goes_to_the_journal_under_a_tag(host: Host, name: str) -> None:
    saying = f"image: {BUSYBOX}\ncommand: [sh, -c, 'echo said; exec sleep infinity']\n"
    quick = "stop_signal: SIGKILL\n"
    host.deploy(name, saying + quick + "logging: {options: {tag: a-tag}}\n")
    assert host.inspect(name)["HostConfig"]["LogConfig"]["Tag"] == "a-tag"
    container = host.inspect(name)["Id"]
    found = host.journal(f"CONTAINER_ID_FULL={container}")
    assert {line["CONTAINER_TAG"] for line in found if "said" in line["MESSAGE"]} == {"a-tag"}


def test_output_goes_to_a_file_or_nowhere(host: Host, name: str) -> None:
    saying = f"image: {BUSYBOX}\ncommand: [sh, -c, 'echo said; exec sleep infinity']\n"
    quick = "stop_signal: SIGKILL\n"
    log = host.home / f"{name}.log"
    options = f"{{max-size: 1m, path: {host.named(log)}}}"
    host.deploy(name, f"{saying}{quick}logging: {{driver: k8s-file, options: {options}}}\n")
    assert host.inspect(name)["HostConfig"]["LogConfig"]["Type"] == "k8s-file"
    assert host.inspect(name)["HostConfig"]["LogConfig"]["Size"] == "1.049MB"
    assert log.read_text().endswith("said\n")
    host.deploy(name, f"{saying}{quick}logging: {{driver: none}}\n")
    assert host.inspect(name)["HostConfig"]["LogConfig"]["Type"] == "none"
    log.unlink()
