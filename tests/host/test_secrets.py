"""Secrets on the real host: where they come from, how they get in, and where they never show."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.host import Host
from tests.host.workloads import idle

VALUE = "hunter2-of-the-host"
OTHER = "correct-horse-of-the-host"


@pytest.fixture
def file(host: Host, name: str) -> Iterator[Path]:
    """A secret that root wrote and the workloads' user may read; its path in the host."""
    path = host.disk / "etc/workloadd" / f"{name}.secret"
    put(host, path, VALUE)
    yield path
    path.unlink()


def put(host: Host, path: Path, value: str) -> None:
    """Replace a secret, never readable by everybody."""
    new = path.with_suffix(".new")
    new.touch(0o640)
    os.chown(new, 0, host.home.stat().st_gid)
    new.write_text(value)
    new.rename(path)


def in_host(host: Host, path: Path) -> str:
    return f"/{path.relative_to(host.disk)}"


def secrets(host: Host, name: str) -> list[str]:
    found = host.podman("secret", "ls", "--format", "{{.Name}}").splitlines()
    return [secret for secret in found if secret.startswith(f"{name}_")]


def nowhere_shown(host: Host, name: str, *values: str) -> None:
    """The values are in nothing that one can look at without asking for them."""
    seen = {
        "podman inspect": host.podman("container", "inspect", name),
        "the journal": host.exec("journalctl", "--user", "--boot", "--output=json").stdout,
        "the system's journal": host.root("journalctl", "--boot", "--output=json").stdout,
        "the status": str(host.api("/v1/status")),
        "the history": str(host.history(name)),
        "argv": host.root("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout,
        "units": "".join(p.read_text() for p in host.unit_files("*") if p.is_file()),
        "systemctl": host.systemctl("show", f"workload-{name}.service"),
    }
    for value in values:
        assert not [where for where, text in seen.items() if value in text]


def test_as_file_and_as_variable_and_nowhere_else(host: Host, name: str, file: Path) -> None:
    path = in_host(host, file)
    host.deploy(
        name,
        idle(
            "secrets:",
            f"  password: {{file: {path}, uid: 7, gid: 8, mode: '0400'}}",
            f"  elsewhere: {{file: {path}, target: /etc/app/password}}",
            f"  token: {{file: {path}, env: TOKEN}}",
        ),
    )
    read = ("exec", name, "cat")
    assert host.podman(*read, "/run/secrets/password") == VALUE
    assert host.podman(*read, "/etc/app/password") == VALUE
    stat = host.podman("exec", name, "stat", "-c", "%u:%g %a", "/run/secrets/password")
    assert stat == "7:8 400"
    assert host.podman("exec", name, "sh", "-c", "echo $TOKEN") == VALUE
    nowhere_shown(host, name, VALUE)
    host.gone(name)
    host.wait_until(lambda: not secrets(host, name), "the secrets to go with the workload")


def test_a_changed_secret_is_a_new_container(host: Host, name: str, file: Path) -> None:
    def container() -> str:
        current = host.status(name).get("current") or {}
        return str(current.get("container", ""))

    host.deploy(name, idle(f"secrets: {{pw: {{file: {in_host(host, file)}}}}}"))
    seen = [container()]
    for value in (OTHER, "a-third-one-of-the-host"):
        put(host, file, value)
        host.wait_until(lambda: container() not in ("", *seen), "another container")
        host.wait_for(name, "Ready")
        seen.append(container())
        assert host.podman("exec", name, "cat", "/run/secrets/pw") == value
        assert len(secrets(host, name)) == 2, "those of the current and the previous deployment"
    nowhere_shown(host, name, VALUE, OTHER)


def test_one_that_everybody_may_read_is_refused(host: Host, name: str, file: Path) -> None:
    host.deploy(name, idle(f"secrets: {{pw: {{file: {in_host(host, file)}}}}}"))
    file.chmod(0o644)
    status = host.wait_for(name, "Degraded")
    assert "everybody may read it (mode 0644)" in status["message"]
    assert host.condition(name, "Loaded")["reason"] == "SecretUnusable"
    file.chmod(0o640)
    host.wait_for(name, "Ready")


@pytest.fixture
def credential(host: Host) -> Iterator[str]:
    """A file that only root may read, passed on by systemd; the name of the credential."""
    secret = host.disk / "etc/workloadd/root-only.secret"
    secret.touch(0o600)
    secret.write_text(VALUE)
    dropin = host.disk / "etc/systemd/system/user@.service.d/50-workloads-secrets.conf"
    host.write(dropin, "[Service]\nLoadCredential=db-password:/etc/workloadd/root-only.secret\n")
    host.reboot()
    host.wait_until(host.answers, "the daemon to be back")
    yield "db-password"
    dropin.unlink()
    secret.unlink()


def test_what_only_root_may_read_gets_there_as_a_credential(
    host: Host, name: str, credential: str
) -> None:
    refused = host.exec("cat", "/etc/workloadd/root-only.secret", check=False)
    assert refused.returncode, "it is no test if the user may read the file"
    host.deploy(name, idle(f"secrets: {{pw: {{credential: {credential}}}}}"))
    assert host.podman("exec", name, "cat", "/run/secrets/pw") == VALUE
    nowhere_shown(host, name, VALUE)


def test_a_variable_of_the_daemon(host: Host, name: str) -> None:
    dropin = host.home / ".config/systemd/user/workloadd.service.d/50-token.conf"
    host.write(dropin, f"[Service]\nEnvironment=APP_TOKEN={VALUE}\n", mine=True)
    try:
        host.systemctl("daemon-reload")
        host.systemctl("restart", "workloadd.service")
        host.wait_until(host.answers, "the daemon to be back")
        host.deploy(name, idle("secrets: {token: {variable: APP_TOKEN, env: TOKEN}}"))
        assert host.podman("exec", name, "sh", "-c", "echo $TOKEN") == VALUE
        assert VALUE not in host.podman("container", "inspect", name)
        host.gone(name)
    finally:
        dropin.unlink()
        host.systemctl("daemon-reload")
        host.systemctl("restart", "workloadd.service")
        host.wait_until(host.answers, "the daemon to be back")


def test_the_key_of_the_digests_is_the_daemons_alone(host: Host, name: str, file: Path) -> None:
    host.deploy(name, idle(f"secrets: {{pw: {{file: {in_host(host, file)}}}}}"))
    key = host.home / ".local/state/workloadd/secret.key"
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)
