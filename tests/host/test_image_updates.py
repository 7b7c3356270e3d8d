"""Newer images of a tag in a real registry: let in, rolled back, told of, or asked for by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, NEWER, serving

AUTO = "update: {policy: auto, soak: 200ms}"


@pytest.fixture
def tag(host: Host, name: str) -> Iterator[str]:
    """A tag of this test alone in the registry, which stands for the first version."""
    reference = f"localhost:5000/{name}:1"
    publish(host, reference, BUSYBOX)
    yield reference
    host.podman("rmi", "--force", "--ignore", reference)


def publish(host: Host, reference: str, image: str) -> None:
    """Have the registry's tag stand for an image; the local one of that name stays as it is."""
    host.podman("pull", "--quiet", image)
    host.podman("push", "--quiet", image, reference)


def check(host: Host) -> None:
    host.exec("workloadctl", "outdated")


def condition(host: Host, name: str) -> str:
    found: str = host.condition(name, "UpToDate").get("reason", "")
    return found


def test_auto_lets_a_newer_one_in(host: Host, name: str, port: int, tag: str) -> None:
    first = host.deploy(name, serving(port, AUTO, image=tag))["current"]
    publish(host, tag, NEWER)
    check(host)
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the newer one to serve")
    host.wait_for(name, "Ready")
    host.wait_until(lambda: condition(host, name) == "Newest", "it to be the newest")
    rollout: Document = host.history(name)["rollouts"][0]
    assert f"image {tag} is now sha256:" in rollout["cause"]
    assert host.status(name)["previous"]["container"] == first["container"]


def test_a_bad_one_is_rolled_back_and_not_tried_again(
    host: Host, name: str, port: int, tag: str
) -> None:
    host.deploy(name, serving(port, AUTO, image=tag))
    build = f'FROM {BUSYBOX}\nENTRYPOINT ["/no/such"]\n'
    host.exec("podman", "build", "--quiet", "--tag", f"{tag}-bad", "-", stdin=build)
    host.podman("push", "--quiet", f"{tag}-bad", tag)
    check(host)
    host.wait_until(lambda: condition(host, name) == "RolledBack", "it to be rolled back")
    host.wait_until(lambda: host.http(port) == "busybox 1\n", "the old one to serve")
    tried = len(host.history(name)["rollouts"])
    check(host)
    host.look_again()
    assert len(host.history(name)["rollouts"]) == tried
    publish(host, tag, NEWER)
    check(host)
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the next one to serve")
    host.podman("rmi", "--force", "--ignore", f"{tag}-bad")


def test_manual_and_notify_wait_to_be_asked(host: Host, name: str, port: int, tag: str) -> None:
    before = host.deploy(name, serving(port, "update: {policy: notify}", image=tag))["current"]
    publish(host, tag, NEWER)
    said = host.exec("workloadctl", "outdated").stdout
    assert f"{name} (notify): {tag} is now sha256:" in said
    host.wait_until(lambda: condition(host, name) == "Outdated", "it to be told of")
    host.write_workload(name, serving(port, image=tag))
    host.look_again()
    assert host.status(name)["current"] == before
    assert host.history(name)["events"][0]["kind"] == "newer-image"

    dry = host.exec("workloadctl", "update", name, "--dry-run").stdout
    assert f"{tag} is now" in dry
    assert host.status(name)["current"] == before
    done = host.exec("workloadctl", "update", name, "--reason", "a fix")
    assert f"{name}: runs {tag} sha256:" in done.stdout
    assert host.http(port) == "busybox 2\n"
    again = host.exec("workloadctl", "update", name)
    assert again.stdout == f"{name}: runs the newest image already\n"
    assert "all images" in host.exec("workloadctl", "update", "--all").stdout


def test_a_closed_window_waits(host: Host, name: str, port: int, tag: str) -> None:
    now = datetime.now(UTC)
    other = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(now.weekday() + 3) % 7]
    shut = f"{{days: [{other}], hours: '00:00-24:00', time_zone: UTC}}"
    auto = "update: {{policy: auto, soak: 200ms, window: {}}}"
    host.deploy(name, serving(port, auto.format(shut), image=tag))
    publish(host, tag, NEWER)
    check(host)
    host.wait_until(lambda: condition(host, name) == "Outdated", "it to be told of")
    assert f"waits for its window: {other}" in host.condition(name, "UpToDate")["message"]
    assert host.http(port) == "busybox 1\n"
    host.write_workload(name, serving(port, auto.format("{hours: '00:00-24:00'}"), image=tag))
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the open one to let it in")


def test_two_by_one_tag_and_one_by_its_digest(host: Host, name: str, port: int, tag: str) -> None:
    calm, pinned = f"{name}-calm", f"{name}-pinned"
    host.deploy(name, serving(port, AUTO, image=tag))
    host.deploy(calm, serving(port + 1, image=tag))
    digest = host.status(name)["image"]["digest"]
    host.deploy(pinned, serving(port + 2, AUTO, image=f"{tag.rpartition(':')[0]}@{digest}"))
    before = {one: host.inspect(one)["State"]["StartedAt"] for one in (calm, pinned)}
    publish(host, tag, NEWER)
    said = host.exec("workloadctl", "outdated").stdout
    assert f"{calm} (manual): {tag} is now" in said and pinned not in said
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the newer one to serve")
    host.wait_for(name, "Ready")
    host.look_again()
    assert {one: host.inspect(one)["State"]["StartedAt"] for one in (calm, pinned)} == before
    assert [host.http(port + n) for n in (1, 2)] == ["busybox 1\n", "busybox 1\n"]
    for one in (calm, pinned):
        host.gone(one)


def test_versions_within_a_range(host: Host, name: str, port: int) -> None:
    first, second, third = (f"localhost:5000/{name}:{v}" for v in ("1.2.9", "1.2.10", "1.3.0"))
    publish(host, first, BUSYBOX)
    update = "update: {policy: auto, soak: 200ms, version: 1.2.x}"
    host.deploy(name, serving(port, update, image=first))
    publish(host, second, NEWER)
    publish(host, third, BUSYBOX)
    said = host.exec("workloadctl", "outdated").stdout
    assert f"{name} (auto): {second} (sha256:" in said
    assert ") is newer than 1.2.9" in said
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the newer one to serve")
    host.wait_for(name, "Ready")
    host.wait_until(lambda: condition(host, name) == "Newest", "it to be the newest")
    assert host.status(name)["image"]["reference"] == second
    assert host.history(name)["rollouts"][0]["cause"] == f"image changed to {second}"
    host.podman("rmi", "--force", "--ignore", first, second)
