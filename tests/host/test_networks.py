"""Networks on the real host: who reaches whom, and by which name."""

import json

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, idle

SERVER = f"""\
image: {BUSYBOX}
command: httpd -f -p 80 -h /www
stop_signal: SIGKILL
stop_timeout: 1s
"""


def reaches(host: Host, name: str, url: str) -> bool:
    """Whether a container gets an answer; waits for DNS to have heard of everybody."""
    command = ("exec", name, "wget", "-q", "-T", "2", "-O", "-", url)
    done = host.exec("podman", *command, check=False)
    return done.returncode == 0 and done.stdout == "busybox 1\n"


def shared(host: Host, kind: str, name: str) -> dict[str, object]:
    """The status of a shared network or volume, or {}."""
    found = host.api("/v1/status")[kind]
    return next((one for one in found if one["name"] == name), {})


def test_two_workloads_find_each_other_by_name_across_deployments(host: Host, name: str) -> None:
    net, web, client = f"{name}-n", f"{name}-w", f"{name}-c"
    host.write_workload(net, "kind: network\nsubnets: [10.97.1.0/24]\n")
    attached = f"networks: {{{net}.network: {{aliases: [site.internal], "
    attached += (
        "ipv4_address: 10.97.1.20, mac_address: '02:00:00:00:00:20', interface_name: net7}}\n"
    )
    host.deploy(web, SERVER + attached)
    host.deploy(client, idle(f"networks: [{net}.network]"))
    for url in (f"http://{web}/", "http://site.internal/", "http://10.97.1.20/"):
        host.wait_until(lambda url=url: reaches(host, client, url), f"{url} to answer")  # type: ignore[misc]
    inside = host.podman("exec", web, "ip", "addr", "show", "net7")
    assert "10.97.1.20/24" in inside
    assert "02:00:00:00:00:20" in inside
    assert shared(host, "networks", net)["state"] == "Ready"
    assert set(shared(host, "networks", net)["used_by"]) == {web, client}  # type: ignore[call-overload]

    host.deploy(web, SERVER + attached + "labels: {version: '2'}\n")
    url = f"http://{web}/"
    host.wait_until(lambda: reaches(host, client, url), "the name to lead to the new container")

    host.gone(web)
    host.gone(client)
    host.remove_workload(net)
    host.wait_until(lambda: net not in _names(host), "the network to go with its file")


def network(host: Host, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(host.podman("network", "inspect", name))[0]
    return found


def _names(host: Host) -> list[str]:
    return host.podman("network", "ls", "--format", "{{.Name}}").splitlines()


def test_an_internal_network_has_no_way_out(host: Host, name: str) -> None:
    host.deploy(name, idle("networks: {inner: {internal: true}}"))
    routes = host.podman("exec", name, "ip", "route")
    assert "default" not in routes
    made = network(host, f"{name}_inner")
    assert made["internal"] is True
    assert made["labels"] == {
        "io.workloadd.user": "workloads",
        "io.workloadd.workload": name,
        "io.workloadd.made-of": made["labels"]["io.workloadd.made-of"],  # type: ignore[index]
    }
    host.gone(name)
    host.wait_until(lambda: f"{name}_inner" not in _names(host), "the network to be removed")


def test_each_option_of_a_network_is_applied(host: Host, name: str) -> None:
    text = """\
kind: network
description: Between the parts of a shop
driver: bridge
subnets:
  - {subnet: 10.97.2.0/24, gateway: 10.97.2.7, ip_range: 10.97.2.128/25}
  - fd00:97:2::/64
dns: [10.97.2.53]
options: {mtu: 1400, isolate: true}
ipam_driver: host-local
interface_name: wd97
labels: {org.example.team: shop}
"""
    host.write_workload(name, text)
    host.wait_until(lambda: name in _names(host), "the network to be made")
    made = network(host, name)
    assert made["subnets"] == [
        {
            "subnet": "10.97.2.0/24",
            "gateway": "10.97.2.7",
            "lease_range": {"start_ip": "10.97.2.128", "end_ip": "10.97.2.255"},
        },
        {"subnet": "fd00:97:2::/64", "gateway": "fd00:97:2::1"},
    ]
    assert (made["network_interface"], made["ipv6_enabled"]) == ("wd97", True)
    assert made["driver"] == "bridge"
    assert shared(host, "networks", name)["description"] == "Between the parts of a shop"
    assert made["network_dns_servers"] == ["10.97.2.53"]
    assert made["options"] == {"mtu": "1400", "isolate": "true"}
    assert made["labels"]["org.example.team"] == "shop"  # type: ignore[index]
    client = f"{name}-c"
    host.deploy(client, idle(f"networks: {{{name}.network: {{ipv6_address: 'fd00:97:2::99'}}}}"))
    inside = host.podman("exec", client, "ip", "addr", "show", "eth0")
    assert "mtu 1400" in inside
    assert "fd00:97:2::99/64" in inside
    address = int(inside.split("inet 10.97.2.")[1].split("/")[0])
    assert address >= 128


def test_a_network_of_another_driver(host: Host, name: str) -> None:
    host.write_workload(name, "kind: network\ndriver: macvlan\nsubnets: [10.97.4.0/24]\n")
    host.wait_until(lambda: name in _names(host), "the network to be made")
    made = network(host, name)
    assert (made["driver"], made["dns_enabled"]) == ("macvlan", False)


def test_a_network_may_outlive_its_file(host: Host, name: str) -> None:
    host.write_workload(name, "reclaim: retain\nkind: network\n")
    fates = host.home / ".local/state/workloadd/shared.json"
    host.wait_until(lambda: fates.exists() and name in fates.read_text(), "that to be remembered")
    host.wait_until(lambda: name in _names(host), "the network to be made")
    host.remove_workload(name)
    host.wait_until(lambda: shared(host, "networks", name)["state"] == "Leftover", "a leftover")
    host.look_again()
    assert name in _names(host)
    host.podman("network", "rm", name)


def test_a_network_without_names(host: Host, name: str) -> None:
    host.deploy(name, idle("networks: {plain: {disable_dns: true, ipv6: true}}"))
    made = network(host, f"{name}_plain")
    assert made["dns_enabled"] is False
    assert made["ipv6_enabled"] is True


def test_a_network_removed_by_hand_is_made_again_with_its_containers(host: Host, name: str) -> None:
    net = f"{name}-n"
    host.write_workload(net, "kind: network\nsubnets: [10.97.3.0/24]\n")
    before = host.deploy(name, idle(f"networks: [{net}.network, own]"))["current"]["container"]
    host.podman("network", "rm", "--force", "--time", "0", net, f"{name}_own")

    def healed() -> bool:
        current = host.status(name).get("current") or {}
        return bool(current) and current["container"] != before

    host.wait_until(healed, "another container")
    host.wait_for(name, "Ready")
    assert {net, f"{name}_own"} <= set(_names(host))
    assert set(host.inspect(name)["NetworkSettings"]["Networks"]) == {net, f"{name}_own"}


def test_a_network_in_use_is_changed_only_by_hand(host: Host, name: str) -> None:
    net = f"{name}-n"
    host.write_workload(net, "kind: network\n")
    host.deploy(name, idle(f"networks: [{net}.network]"))
    host.write_workload(net, "kind: network\ninternal: true\n")
    host.wait_until(lambda: shared(host, "networks", net)["state"] == "Differs", "it to be told")
    status = host.wait_for(name, "Degraded")
    assert f"podman network rm --force {net}" in status["message"]
    assert network(host, net)["internal"] is False
    host.podman("network", "rm", "--force", "--time", "0", net)
    host.wait_until(lambda: host.status(name).get("state") == "Ready", f"{name} to be Ready again")
    assert network(host, net)["internal"] is True
    assert shared(host, "networks", net)["state"] == "Ready"


def test_a_network_that_is_not_ours_is_left_alone(host: Host, name: str) -> None:
    host.podman("network", "create", name)
    try:
        host.write_workload(name, "kind: network\ninternal: true\n")
        host.wait_until(lambda: shared(host, "networks", name).get("state") == "Taken", "Taken")
        host.remove_workload(name)
        host.look_again()
        assert network(host, name)["internal"] is False
    finally:
        host.podman("network", "rm", name)


def test_a_workload_waits_for_a_network_that_no_file_declares(host: Host, name: str) -> None:
    net = f"{name}-n"
    host.write_workload(name, idle(f"networks: [{net}.network]"))
    status = host.wait_for(name, "Invalid")
    assert f"waits for the network {net}: no file declares it" in status["message"]
    host.write_workload(net, "kind: network\n")
    host.wait_for(name, "Ready")


def test_a_pod_is_in_networks_as_one_and_its_containers_have_secrets_and_files_of_their_own(
    host: Host, name: str
) -> None:
    secret = host.disk / f"etc/workloadd/{name}.secret"
    secret.touch(0o640)
    host.give(secret)
    secret.write_text("hunter2")
    net, client = f"{name}-n", f"{name}-c"
    host.write_workload(net, "kind: network\n")
    pod = f"""\
networks: {{{net}.network: {{aliases: [pod.internal]}}}}
containers:
  web:
    image: {BUSYBOX}
    command: httpd -f -p 80 -h /www
    stop_signal: SIGKILL
    files: {{/www/index.html: "busybox 1\\n"}}
    secrets: {{pw: {{file: /etc/workloadd/{name}.secret, mode: "0400"}}}}
  other:
    image: {BUSYBOX}
    command: sleep infinity
    stop_signal: SIGKILL
    secrets: {{pw: {{file: /etc/workloadd/{name}.secret, env: PW}}}}
"""
    host.write_workload(name, pod)
    host.wait_for(name, "Ready")
    host.deploy(client, idle(f"networks: [{net}.network]"))
    for at in (name, "pod.internal"):
        host.wait_until(lambda at=at: reaches(host, client, f"http://{at}/"), f"{at} to answer")  # type: ignore[misc]
    assert host.podman("exec", f"{name}_web", "cat", "/run/secrets/pw") == "hunter2"
    assert host.podman("exec", f"{name}_other", "sh", "-c", "echo $PW") == "hunter2"
    host.gone(name)
    secret.unlink()
