"""Files on the real host: in the workload file and beside it, and what a change of them means."""

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, idle

# Notes each SIGHUP in a file, as a server would read its configuration anew.
SERVER = f"""\
image: {BUSYBOX}
command: [sh, -c, "trap 'cat /etc/app.conf >> /tmp/read' HUP; while :; do sleep 0.1; done"]
stop_timeout: 1s
"""


def inside(host: Host, name: str, *command: str) -> str:
    return host.podman("exec", name, *command)


def container(host: Host, name: str) -> str:
    current: Document = host.status(name).get("current") or {}
    return str(current.get("container", ""))


def test_inline_content_and_what_is_beside_the_file(host: Host, name: str) -> None:
    host.write(host.files / f"{name}.conf.d/a.conf", "from beside\n")
    host.write(host.files / f"{name}.conf.d/inner/b.conf", "deeper\n")
    text = idle(
        "files:",
        "  /etc/motd: |",
        "    costs $$5",
        f"  /etc/conf.d: {{source: ./{name}.conf.d}}",
        f"  /etc/one.conf: {{source: {name}.conf.d/a.conf, mode: '0600', uid: 33, gid: 34}}",
    )
    first = host.deploy(name, text)
    assert inside(host, name, "cat", "/etc/motd") == "costs $5"
    assert inside(host, name, "cat", "/etc/conf.d/a.conf", "/etc/conf.d/inner/b.conf") == (
        "from beside\ndeeper"
    )
    assert inside(host, name, "stat", "-c", "%u:%g %a", "/etc/one.conf") == "33:34 600"
    assert inside(host, name, "stat", "-c", "%u:%g %a", "/etc/motd") == "0:0 444"
    as_somebody = ("exec", "--user", "1000", name, "cat", "/etc/motd", "/etc/conf.d/a.conf")
    assert host.podman(*as_somebody) == "costs $5\nfrom beside"
    refused = host.exec("podman", "exec", name, "sh", "-c", "echo x > /etc/motd", check=False)
    assert "Read-only" in refused.stderr

    kept = host.home / ".local/state/workloadd/files/stored"
    assert kept.stat().st_mode & 0o777 == 0o700
    before = set(kept.iterdir())
    host.write(host.files / f"{name}.conf.d/a.conf", "changed\n")
    host.wait_until(
        lambda: container(host, name) not in ("", first["current"]["container"]),
        "a change beside the file to be rolled out",
    )
    host.wait_for(name, "Ready")
    assert inside(host, name, "cat", "/etc/conf.d/a.conf") == "changed"
    assert before < set(kept.iterdir()), "what the previous deployment needs is kept"
    host.gone(name)
    host.wait_until(lambda: not set(kept.iterdir()) & before, "what nothing needs to be removed")


def test_reload_by_signal_in_the_same_container(host: Host, name: str) -> None:
    def text(content: str) -> str:
        files = f"files:\n  /etc/app.conf: {{content: '{content}', on_change: reload}}\n"
        return f"{SERVER}{files}reload: {{signal: SIGHUP}}\n"

    host.deploy(name, text("one;"))
    before = container(host, name)
    pid = host.inspect(name)["State"]["Pid"]
    host.write_workload(name, text("two, and longer;"))
    host.wait_until(
        lambda: inside(host, name, "sh", "-c", "cat /tmp/read 2>/dev/null; true"), "the signal"
    )
    assert inside(host, name, "cat", "/tmp/read") == "two, and longer;"
    host.wait_for(name, "Ready")
    assert container(host, name) == before
    assert host.inspect(name)["State"]["Pid"] == pid
    assert host.condition(name, "Reloaded")["status"] == "True"
    events = [e["message"] for e in host.history(name)["events"] if e["kind"] == "files"]
    assert events == ["changed without a new container: /etc/app.conf"]

    # The new content is there after a restart too.
    host.systemctl("restart", f"workload-{name}.service")
    host.wait_until(lambda: host.inspect(name)["State"]["Pid"] not in (0, pid), "a restart")
    assert inside(host, name, "cat", "/etc/app.conf") == "two, and longer;"


def test_reload_by_a_command_that_may_fail(host: Host, name: str) -> None:
    host.write(host.files / f"{name}.d/app/value", "good\n")
    text = idle(
        f"files: {{/etc/app: {{source: {name}.d/app, on_change: reload}}}}",
        "reload: {command: [grep, -q, good, /etc/app/value]}",
    )
    host.deploy(name, text)
    before = container(host, name)
    host.write(host.files / f"{name}.d/app/value", "bad\n")
    status = host.wait_for(name, "Degraded")
    assert "cannot reload: the command ended with exit code 1" in status["message"]
    assert host.condition(name, "Reloaded")["reason"] == "ReloadFailed"
    assert inside(host, name, "cat", "/etc/app/value") == "bad"
    host.write(host.files / f"{name}.d/app/value", "good again\n")
    host.wait_for(name, "Ready")
    assert container(host, name) == before


def test_no_word_of_a_change(host: Host, name: str) -> None:
    def text(content: str) -> str:
        return f"{SERVER}files:\n  /etc/app.conf: {{content: '{content}', on_change: none}}\n"

    host.deploy(name, text("one"))
    before = container(host, name)
    host.write_workload(name, text("two"))
    host.wait_until(lambda: inside(host, name, "cat", "/etc/app.conf") == "two", "the content")
    host.wait_for(name, "Ready")
    assert container(host, name) == before
    assert not inside(host, name, "sh", "-c", "cat /tmp/read 2>/dev/null; true")


def test_a_link_beside_the_file_leads_nowhere(host: Host, name: str) -> None:
    link = host.files / f"{name}.link"
    link.symlink_to("/etc/passwd")
    host.write_workload(name, idle(f"files: {{/etc/x: {{source: {name}.link}}}}"))
    status = host.wait_for(name, "Invalid")
    assert "is a link" in status["message"]
