"""Volumes on the real host: how they are made, whose they are, and what becomes of them."""

import json

from tests.host.host import Host
from tests.host.test_networks import shared
from tests.host.workloads import BUSYBOX, idle


def inspect(host: Host, volume: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(host.podman("volume", "inspect", volume))[0]
    return found


def test_options_and_owner_of_an_own_volume(host: Host, name: str) -> None:
    text = idle(
        "volumes:",
        "  - {type: volume, source: data, target: /data, driver: local, uid: 7, gid: 8,",
        "     labels: {team: shop}}",
        "  - type: volume",
        "    source: scratch",
        "    target: /scratch",
        "    fstype: tmpfs",
        "    device: tmpfs",
        "    options: [size=1m, nodev]",
        "  - {type: volume, source: empty, target: /etc/empty, nocopy: true}",
        f"  - {{type: volume, source: image, target: /image, image: '{BUSYBOX}'}}",
    )
    host.deploy(name, text)
    assert host.podman("exec", name, "stat", "-c", "%u:%g", "/data") == "7:8"
    size = host.podman("exec", name, "sh", "-c", "df -k /scratch | awk 'NR==2 {print $2}'")
    assert size == "1024"
    assert host.podman("exec", name, "cat", "/image/www/index.html") == "busybox 1"
    made = inspect(host, f"{name}_data")
    assert made["Labels"]["team"] == "shop"  # type: ignore[index]
    assert made["Labels"]["io.workloadd.workload"] == name  # type: ignore[index]
    assert inspect(host, f"{name}_image")["Driver"] == "image"
    assert "nocopy" in inspect(host, f"{name}_empty")["Options"]  # type: ignore[operator]
    host.gone(name)
    volumes = (f"{name}_{part}" for part in ("data", "scratch", "empty", "image"))
    host.podman("volume", "rm", *volumes)


def test_the_image_that_a_volume_shows_is_pulled(host: Host, name: str) -> None:
    image = f"localhost:5000/{name}:1"
    host.podman("pull", "--quiet", BUSYBOX)
    host.podman("push", "--quiet", BUSYBOX, image)
    host.write_workload(f"{name}-v", f"kind: volume\nreclaim: delete\nimage: {image}\n")
    own = f"{{type: volume, source: own, target: /own, image: '{image}'}}"
    host.deploy(name, idle(f"volumes: ['{name}-v.volume:/shared', {own}]"))
    for place in ("/own", "/shared"):
        assert host.podman("exec", name, "cat", f"{place}/www/index.html") == "busybox 1"
    host.gone(name)
    host.remove_workload(f"{name}-v")
    host.wait_until(lambda: f"{name}-v" not in host.volumes(), "the shared one to go")
    host.podman("volume", "rm", f"{name}_own")


def test_a_shared_volume_outlives_its_file_unless_that_says_otherwise(
    host: Host, name: str
) -> None:
    kept, lost = f"{name}-kept", f"{name}-lost"
    host.write_workload(kept, "description: Where backups go\nkind: volume\n")
    host.write_workload(lost, "reclaim: delete\nkind: volume\nuid: 7\n")
    host.wait_until(lambda: {kept, lost} <= set(host.volumes()), "both to be made")
    mounts = f"volumes: ['{kept}.volume:/kept', '{lost}.volume:/lost']"
    host.deploy(name, idle(mounts))
    other = f"{name}-o"
    host.deploy(other, idle(mounts))
    host.podman("exec", name, "sh", "-c", "echo hello > /kept/file")
    assert host.podman("exec", other, "cat", "/kept/file") == "hello"
    assert host.podman("exec", other, "stat", "-c", "%u", "/lost") == "7"
    assert shared(host, "volumes", kept)["used_by"] == [name, other]

    host.gone(name)
    host.gone(other)
    host.remove_workload(kept)
    host.remove_workload(lost)
    host.wait_until(lambda: lost not in host.volumes(), "one to go")
    assert kept in host.volumes()
    host.wait_until(lambda: shared(host, "volumes", kept)["state"] == "Leftover", "a leftover")
    host.podman("volume", "rm", kept)


def test_the_last_word_on_a_volumes_fate_counts(host: Host, name: str) -> None:
    host.write_workload(name, "kind: volume\nreclaim: delete\n")
    host.wait_until(lambda: name in host.volumes(), "it to be made")
    fates = host.home / ".local/state/workloadd/shared.json"
    host.wait_until(lambda: fates.exists() and name in fates.read_text(), "that to be remembered")
    host.write_workload(name, "kind: volume\nreclaim: retain\n")
    host.wait_until(lambda: name not in fates.read_text(), "that to be forgotten")
    host.remove_workload(name)
    host.look_again()
    assert name in host.volumes()
    host.podman("volume", "rm", name)


def test_a_volume_is_never_made_anew_for_a_change(host: Host, name: str) -> None:
    host.write_workload(name, "kind: volume\n")
    host.deploy(f"{name}-w", idle(f"volumes: ['{name}.volume:/data']"))
    host.podman("exec", f"{name}-w", "sh", "-c", "echo precious > /data/file")
    host.write_workload(name, "kind: volume\nuid: 7\n")
    host.wait_until(lambda: shared(host, "volumes", name)["state"] == "Differs", "it to be told")
    assert host.podman("exec", f"{name}-w", "cat", "/data/file") == "precious"
    host.write_workload(name, "kind: volume\nreclaim: delete\n")
    host.wait_until(lambda: shared(host, "volumes", name)["state"] == "Ready", "it to be told")
