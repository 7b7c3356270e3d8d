"""Network, names and users of a container are as the file says, as Podman and it itself tell."""

from tests.host.host import Host
from tests.host.workloads import idle


def test_names_and_memory(host: Host, name: str) -> None:
    text = idle(
        "dns: [9.9.9.9, '2620:fe::fe']",
        "dns_opt: [ndots:2, use-vc]",
        "dns_search: [example.org, example.net]",
        "extra_hosts: {db: [10.0.0.5, 'fd00::5'], gateway: host-gateway}",
        "expose: [81, 9000-9001/udp]",
        "shm_size: 1m",
        "sysctls: {net.core.somaxconn: 77, net.ipv4.ip_unprivileged_port_start: 0}",
    )
    host.deploy(name, text)
    resolver = host.inside(name, "cat /etc/resolv.conf").splitlines()
    assert {"nameserver 9.9.9.9", "nameserver 2620:fe::fe"} <= set(resolver)
    assert {"search example.org example.net", "options ndots:2 use-vc"} <= set(resolver)
    hosts = [line.split() for line in host.inside(name, "cat /etc/hosts").splitlines()]
    assert ["10.0.0.5", "db"] in hosts
    assert ["fd00::5", "db"] in hosts
    assert any(line[1:] == ["gateway"] for line in hosts)
    assert host.inside(name, "df -k /dev/shm | awk 'NR==2 {print $2}'") == "1024"
    assert host.inside(name, "cat /proc/sys/net/core/somaxconn") == "77"
    exposed = host.inspect(name)["Config"]["ExposedPorts"]
    assert exposed.keys() == {"81/tcp", "9000/udp", "9001/udp"}


NETWORKS: dict[str, tuple[str, str, set[str] | None]] = {
    "host": ("host", "host", None),
    "none": ("none", "none", {"lo"}),
    "private": ("private", "pasta", {"lo", "tap0"}),
    "pasta": ("pasta:--ns-ifname,net9", "pasta", {"lo", "net9"}),
    "bridge": ("bridge", "bridge", {"lo", "eth0"}),
}
# What is in the file, the first line of the map that comes of it, and the user's ID inside.
USERS: dict[str, tuple[str, list[str], str]] = {
    "host": ("userns_mode: host", ["0", "1000", "1"], "0"),
    "keep": ("userns_mode: keep-id", ["0", "1", "1000"], "1000"),
    "keep-as": ("userns_mode: 'keep-id:uid=5,gid=6'", ["0", "1", "5"], "5"),
    "nomap": ("userns_mode: nomap", ["0", "1", "65536"], "0"),
    "own": ("gid_map: ['0:7:10']\nuid_map: ['0:5:10']", ["0", "5", "10"], "0"),
}


def test_networks_of_each_mode(host: Host, name: str) -> None:
    for case, (mode, _, _) in NETWORKS.items():
        host.write_workload(f"{name}-{case}", idle(f"network_mode: '{mode}'"))
    hosts_own = set(host.exec("ls", "/sys/class/net").stdout.split())
    for case, (_, shown, interfaces) in NETWORKS.items():
        host.wait_for(f"{name}-{case}", "Ready")
        container = f"{name}-{case}"
        assert host.inspect(container)["HostConfig"]["NetworkMode"] == shown
        found = host.inside(container, "tail -n +3 /proc/net/dev | cut -d: -f1").split()
        assert set(found) == (hosts_own if interfaces is None else interfaces), case


def test_users_that_no_other_container_has(host: Host, name: str) -> None:
    # Before the others, which leave none of the user's IDs for it.
    host.deploy(name, idle("userns_mode: 'auto:size=1000'"))
    assert host.inside(name, "cat /proc/self/uid_map").split() == ["0", "1", "1000"]


def test_users(host: Host, name: str) -> None:
    for case, (fields, _, _) in USERS.items():
        host.write_workload(f"{name}-{case}", idle(*fields.splitlines()))
    for case, (_, first, user) in USERS.items():
        host.wait_for(f"{name}-{case}", "Ready")
        assert host.inside(f"{name}-{case}", "head -n 1 /proc/self/uid_map").split() == first, case
        assert host.inside(f"{name}-{case}", "id -u") == user, case
    assert host.inspect(f"{name}-own")["HostConfig"]["IDMappings"] == {
        "UidMap": ["0:5:10"],
        "GidMap": ["0:7:10"],
    }
