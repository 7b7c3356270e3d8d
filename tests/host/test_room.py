"""Room on the host's disk: what is cleared away, what never is, and pulls that wait for room."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.host.host import Host
from tests.host.test_secrets import in_host, put, secrets
from tests.host.workloads import BUSYBOX, idle


def new_image(host: Host) -> str:
    """An image of its own in the registry, and not on the host."""
    image = f"localhost:5000/room-{uuid.uuid4().hex[:8]}:1"
    recipe = f"FROM {BUSYBOX}\nLABEL unique={image}\n"
    script = f"podman build --quiet --tag {image} - && podman push --quiet {image}"
    host.exec("sh", "-c", f"printf '{recipe}' | {script} && podman rmi {image}")
    return image


def images(host: Host) -> set[str]:
    """The names of all images on the host."""
    form = "{{.Repository}}:{{.Tag}}"
    return set(host.podman("images", "--format", form).splitlines())


def prune(host: Host, *options: str) -> str:
    return host.exec("workloadctl", "prune", *options).stdout


@contextmanager
def settings(host: Host, text: str) -> Iterator[None]:
    """The daemon with further settings."""
    path = host.disk / "etc/workloadd/workloadd.conf.d/60-room.toml"
    host.write(path, text)
    host.systemctl("restart", "workloadd.service")
    try:
        yield
    finally:
        path.unlink()
        host.systemctl("restart", "workloadd.service")
        host.wait_until(host.answers, "a pass")


def test_an_unused_image_that_was_pulled_goes(host: Host, name: str) -> None:
    image = new_image(host)
    host.deploy(name, idle(image=image))
    assert image not in prune(host)
    host.deploy(name, idle())
    # The previous deployment is kept, and so is what it needs.
    assert image not in prune(host)
    host.deploy(name, idle("hostname: third"))
    assert image in prune(host, "--dry-run")
    assert image in images(host)
    assert image in prune(host)
    assert image not in images(host)
    assert image in host.api("/v1/status")["pruned"]["images"]


def test_what_is_not_ours_is_never_touched(host: Host, name: str) -> None:
    mine, tagged, mounted, used = foreign = [new_image(host) for _ in range(4)]
    # One that was there before a workload named it, and three that somebody has to do with later.
    host.podman("pull", "--quiet", mine)
    other = f"{name}-other"
    workloads = {f"{name}-{number}": image for number, image in enumerate(foreign)}
    for one, image in workloads.items():
        host.write_workload(one, idle("pull: always", image=image))
    for one in workloads:
        host.wait_for(one, "Ready")
    host.podman("tag", tagged, f"localhost/{name}:1")
    mount = f"type=image,source={mounted},destination=/mounted"
    host.podman("create", "--name", f"{other}-mounts", "--mount", mount, BUSYBOX, "true")
    host.podman("create", "--name", other, used, "true")
    host.podman("volume", "create", other)
    host.exec("sh", "-c", f"echo secret | podman secret create {other} -")
    for one in workloads:
        host.remove_workload(one)
    for one in workloads:
        host.gone(one)
    assert not {*foreign} & set(prune(host).split())
    assert {*foreign, f"localhost/{name}:1"} <= images(host)
    assert other in host.volumes()
    assert host.inspect(other)["State"]["Status"] == "created"
    assert other in host.podman("secret", "ls", "--format", "{{.Name}}").split()
    host.podman("rm", other, f"{other}-mounts")
    host.podman("volume", "rm", other)
    host.podman("secret", "rm", other)
    host.podman("rmi", f"localhost/{name}:1")
    # Nobody has to do with them any more, but one was never ours.
    assert {*foreign} & set(prune(host).split()) == {tagged, mounted, used}
    host.podman("rmi", mine)


def test_nothing_of_older_deployments_is_left(host: Host, name: str) -> None:
    secret = host.files / f"{name}.secret"
    for content in ("one", "two", "three"):
        put(host, secret, content)
        given = f"secrets: {{x: {{file: {in_host(host, secret)}}}}}"
        host.deploy(name, idle(f"files: {{/etc/x: {{content: {content} {name}}}}}", given))
    host.wait_until(lambda: len(host.containers(name)) == 2, "the first to go")
    host.wait_until(lambda: len(secrets(host, name)) == 2, "its secret to go")
    host.wait_until(lambda: len(kept(host, name)) == 2, "its file to go")
    host.gone(name)
    host.wait_until(lambda: not secrets(host, name), "the other secrets to go")
    host.wait_until(lambda: not kept(host, name), "the other files to go")
    secret.unlink()


def kept(host: Host, name: str) -> list[Path]:
    """Files kept for containers that hold a workload's name."""
    stored = (host.home / ".local/state/workloadd/files/stored").glob("*")
    return [path for path in stored if name in path.read_text(errors="replace")]


def test_an_unused_image_goes_by_itself_once_it_is_old_enough(host: Host, name: str) -> None:
    image = new_image(host)
    host.deploy(name, idle(image=image))
    host.gone(name)
    with settings(host, '[prune]\nkeep = "0s"\ninterval = "1s"\n'):
        host.wait_until(lambda: image not in images(host), "the image to go")


def test_no_pull_without_room_and_by_itself_with_room(host: Host, name: str) -> None:
    image, unused = new_image(host), new_image(host)
    other = f"{name}-new"
    host.deploy(other, idle(image=unused))
    host.gone(other)
    host.deploy(name, idle())
    with settings(host, '[disk]\nlow = "100%"\n'):
        host.wait_until(host.answers, "a pass")
        host.write_workload(other, idle(image=image))
        host.wait_until(
            lambda: host.condition(other, "Pulled").get("reason") == "DiskLow", "a DiskLow"
        )
        told = host.condition(other, "Pulled")["message"]
        assert "free for images and containers (/" in told and "workloadctl prune" in told
        space = next(c for c in host.api("/v1/status")["host"] if c["type"] == "DiskSpace")
        assert (space["status"], space["reason"]) == ("False", "Low")
        # What can be cleared away was, and what runs goes on.
        assert unused not in images(host)
        assert host.status(name)["state"] == "Ready"
    host.wait_for(other, "Ready")


@contextmanager
def small_disk(host: Host) -> Iterator[Path]:
    """A file system of 64 MiB where Podman puts layers on their way."""
    host.root("mount", "-t", "tmpfs", "-o", "size=64m,mode=1777", "tmpfs", "/var/tmp")
    try:
        yield Path("/var/tmp/filler")
    finally:
        host.root("umount", "--lazy", "/var/tmp")


def test_a_pull_that_is_on_is_stopped_and_goes_on(host: Host, name: str) -> None:
    image = new_image(host)
    with small_disk(host) as filler, settings(host, '[disk]\nlow = "40m"\n'):
        host.root("systemctl", "kill", "--signal=STOP", "docker-registry.service")
        try:
            host.write_workload(name, idle(image=image))

            def begun() -> bool:
                host.look_again()
                return "Trying to pull" in host.condition(name, "Pulled").get("message", "")

            host.wait_until(begun, "the pull to have begun")
            host.root("fallocate", "--length", "50MiB", str(filler))
            host.wait_until(
                lambda: host.condition(name, "Pulled").get("reason") == "DiskLow", "a DiskLow"
            )
            assert "its pull was stopped" in host.condition(name, "Pulled")["message"]
            assert "layers on their way (/var/tmp)" in host.condition(name, "Pulled")["message"]
        finally:
            host.root("systemctl", "kill", "--signal=CONT", "docker-registry.service")
        host.root("rm", str(filler))
        host.wait_for(name, "Ready")
