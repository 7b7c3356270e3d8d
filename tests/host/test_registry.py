"""Images come from registries: with credentials, late, or not at all."""

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, NEWER, serving

PRIVATE = "localhost:5001/private:1"
WRONG = "a-password-that-is-wrong"


@pytest.fixture
def credentials(host: Host) -> Iterator[Path]:
    """Where Podman looks for the user's credentials; nothing is there before and after."""
    host.podman("rmi", "--force", PRIVATE, check=False)
    path = host.home / ".config/containers/auth.json"
    yield path
    path.unlink(missing_ok=True)


def not_pulled(host: Host, name: str, reason: str) -> Document:
    """The status of a workload whose image could not be pulled for that reason."""
    host.wait_until(lambda: host.condition(name, "Pulled").get("reason") == reason, reason)
    found = host.condition(name, "Pulled")
    assert found["status"] == "False"
    return found


def test_credentials_are_used_once_they_are_there(
    host: Host, name: str, port: int, credentials: Path
) -> None:
    host.write_workload(name, serving(port, image=PRIVATE))
    not_pulled(host, name, "Unauthorized")
    text = (host.disk / "etc/docker/registry/puller-auth.json").read_text()
    host.write(credentials, text, mine=True)
    host.wait_for(name, "Ready")
    assert host.http(port) == "busybox private\n"
    # Asking for its tags and for a digest takes them as well.
    host.write_workload(
        name, serving(port, "update: {policy: notify, version: '*'}", image=PRIVATE)
    )
    assert "all images are" in host.exec("workloadctl", "outdated").stdout
    host.wait_until(lambda: host.condition(name, "UpToDate").get("reason") == "Newest", "Newest")
    credentials.unlink()
    assert "access denied" in host.exec("workloadctl", "outdated").stdout
    secret = json.loads(text)["auths"]["localhost:5001"]["auth"]
    assert_nowhere(host, name, base64.b64decode(secret).decode().partition(":")[2], secret)


def test_wrong_credentials_are_told_and_told_nowhere(
    host: Host, name: str, port: int, credentials: Path
) -> None:
    secret = base64.b64encode(f"puller:{WRONG}".encode()).decode()
    auths = {"auths": {"localhost:5001": {"auth": secret}}}
    host.write(credentials, json.dumps(auths), mine=True)
    host.write_workload(name, serving(port, image=PRIVATE))
    told = not_pulled(host, name, "Unauthorized")
    assert PRIVATE in told["message"]
    assert "podman login" in told["message"]
    assert host.wait_for(name, "Failed")["last_error"]
    assert_nowhere(host, name, WRONG, secret)


def assert_nowhere(host: Host, name: str, *secrets: str) -> None:
    """No secret is in what the API, the journal and the history say."""
    said = [
        json.dumps(host.api("/v1/status")),
        host.net.get(7780, f"/{name}")[1],
        json.dumps(host.history(name)),
        host.root("journalctl", "--boot", "--output=json", "--all").stdout,
    ]
    found = [(secret, text[:40]) for secret in secrets for text in said if secret in text]
    assert not found


def test_an_image_that_is_not_there_yet(host: Host, name: str, port: int) -> None:
    image = f"localhost:5000/late-{uuid.uuid4().hex[:8]}:1"
    host.write_workload(name, serving(port, image=image))
    told = not_pulled(host, name, "ImageNotFound")
    assert image in told["message"]
    host.podman("pull", "--quiet", BUSYBOX)
    host.podman("push", "--quiet", BUSYBOX, image)
    host.wait_for(name, "Ready")
    assert host.http(port) == "busybox 1\n"


def test_a_registry_that_is_away_is_asked_again(host: Host, name: str, port: int) -> None:
    before = host.deploy(name, serving(port))["current"]
    host.podman("pull", "--quiet", NEWER)
    host.root("systemctl", "stop", "docker-registry.service")
    try:
        host.write_workload(name, serving(port, "pull: always", image=NEWER))
        not_pulled(host, name, "RegistryUnavailable")
        host.wait_until(
            lambda: len(pulls(host, NEWER)) >= 2, "the pull to be tried again", timeout=20
        )
        assert host.status(name)["current"] == before
        assert host.http(port) == "busybox 1\n"
    finally:
        host.root("systemctl", "start", "docker-registry.service")
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the pull to succeed")
    host.wait_for(name, "Ready")


def pulls(host: Host, image: str) -> list[str]:
    """What the daemon said of its tries to pull an image."""
    said = host.journal("_SYSTEMD_USER_UNIT=workloadd.service", f"MESSAGE=pulling {image}")
    return [entry["MESSAGE"] for entry in said]


def test_newer_makes_do_with_what_is_there(host: Host, name: str, port: int) -> None:
    host.podman("pull", "--quiet", BUSYBOX)
    host.root("systemctl", "stop", "docker-registry.service")
    try:
        host.write_workload(name, serving(port, "pull: newer"))
        host.wait_until(lambda: host.http(port) == "busybox 1\n", "the local image to be used")
        host.wait_for(name, "Ready")
    finally:
        host.root("systemctl", "start", "docker-registry.service")
