"""Somebody who does on the host what a document says, in shells of their own."""

import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.documents import Block, Command, matches
from tests.host.host import Host
from tests.host.polling import poll

# Who has a shell: the person at the host is not the workloads' user, and may use sudo.
PERSON = "core"
HOMES = {"you": f"/home/{PERSON}", "root": "/root", "workloads": "/home/workloads"}
# Seconds for one command, and for what it shows to come about.
PATIENCE = 60.0
ARRIVAL = 20.0
# What only looks may be typed again until it shows what it will.
_LOOKS = re.compile(
    r"^(sudo (-u \w+ (\w+=\S+ )*)?)?(curl (?!.*-(X|d)\b)|workloadctl (status|history|logs|top"
    r"|outdated|images|inspect|diff)\b|podman (ps|logs|images|volume ls|inspect)\b|systemctl [^|]*"
    r"(status|list|show|is-active)|journalctl |ls\b|cat\b)"
)
_ENDED = re.compile(r"\n-- ended (\d+)\n\Z")
# The host has no sudo; this does what documents ask of it.
_SUDO = """#!/bin/sh
user=root
[ "$1" != -u ] || { user=$2; shift 2; }
exec /usr/local/libexec/sudo-for-documents "--reuid=$user" "--regid=$user" --init-groups \\
    --reset-env -- env "CURL_HOME=$CURL_HOME" "$@"
"""
_PREPARE = f"""
id -u {PERSON} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash {PERSON}
install -D -m 4755 /usr/bin/setpriv /usr/local/libexec/sudo-for-documents
install -m 0755 /dev/stdin /usr/local/bin/sudo
install -d /usr/local/share/documents
# curl shows how far it is where it does not write to a terminal.
printf 'silent\\nshow-error\\n' > /usr/local/share/documents/.curlrc
"""
_CLEAR = f"""
userdel --remove {PERSON}
rm -rf /usr/local/libexec/sudo-for-documents /usr/local/bin/sudo /usr/local/share/documents
"""


def prepare(host: Host) -> None:
    """Let there be somebody who reads documents on the host."""
    host.exec("sh", "-euc", _PREPARE, user="root", stdin=_SUDO)


def clear(host: Host) -> None:
    """Take them away again."""
    host.exec("sh", "-c", _CLEAR, user="root")


@dataclass
class Reader:
    """Who goes through one document, from its beginning."""

    host: Host
    shells: dict[str, "Shell"] = field(default_factory=dict)
    # Where root is not on the host, but on the machine that the host runs on: a place to work in.
    desk: Path | None = None

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        __tracebackhide__ = True
        if block.not_run:
            return
        if block.file:
            self.write(block)
        for command in block.commands():
            self.type(block, command)

    def write(self, block: Block) -> None:
        """Put a file where its first line says."""
        home = HOMES["workloads" if block.file.startswith("~/") else "you"]
        path = Path(home) / block.file.removeprefix("~/")
        place = self.host.disk / path.relative_to("/")
        if not path.is_relative_to("/run"):
            self.host.write(place, block.text, mine=block.file.startswith("~/"))
        else:
            self.host.exec("install", "-D", "/dev/stdin", str(path), user="root", stdin=block.text)

    def type(self, block: Block, command: Command) -> None:
        """Type one command, and see what it prints."""
        __tracebackhide__ = True
        said: list[tuple[int, str]] = []

        def try_it() -> bool:
            shell, shown = self.shell(command.user), command.shown
            if shown[-1:] == ("^C",):
                shown = shown[:-1]
                said.append((command.exit, shell.watch(command.text, shown)))
            else:
                said.append(shell.run(command.text))
            code, printed = said[-1]
            return code == command.exit and (not shown or matches(shown, printed))

        looks = _LOOKS.match(command.text)
        if not (poll(try_it, ARRIVAL, 0.2) if looks else try_it()):
            code, printed = said[-1]
            shown = "\n".join(command.shown)
            pytest.fail(
                f"{block.page.name}:{command.line}: {command.text}\n"
                f"exit status {code}, to be expected {command.exit}\n--- shown\n{shown}\n"
                f"--- printed\n{printed}\n---\n{self.host.report()}"
            )

    def shell(self, user: str) -> "Shell":
        """A user's shell, which stays for the whole document."""
        if user not in self.shells:
            name = PERSON if user == "you" else user
            elsewhere = self.desk if user == "root" else None
            enter = [str(self.host.script), "--name", self.host.name, "exec", "--user", name, "--"]
            command = _beside(elsewhere, self.host) if elsewhere else [*enter, "bash"]
            self.shells[user] = Shell(self.host, command, str(elsewhere or HOMES[user]))
        return self.shells[user]

    def close(self) -> None:
        """Leave."""
        for shell in self.shells.values():
            shell.close()


def _beside(desk: Path, host: Host) -> list[str]:
    """A shell on this machine, to which the host is the one that `make demo` makes."""
    enter = f'exec "{host.script}" --name "{host.name}"'
    for name, line in (
        ("contrib/host/host", f'{enter} "$@"'),
        ("bin/curl", f'{enter} exec -- curl --silent --show-error "$@"'),
    ):
        script = desk / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/bin/sh\n{line}\n")
        script.chmod(0o755)
    return ["env", f"PATH={desk / 'bin'}:{os.environ['PATH']}", "bash"]


class Shell:
    """A bash that is told one command after the other."""

    def __init__(self, host: Host, command: Sequence[str], home: str) -> None:
        self._host = host
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        # Who runs tests may have told their children to ignore what is typed as ^C.
        command = ["env", "--default-signal=INT", *command]
        # Unbuffered: what poll(2) says is to be read has to be all that there is.
        self._bash = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=both, bufsize=0)
        self.run(f"cd {home}; export CURL_HOME=/usr/local/share/documents")

    def run(self, text: str) -> tuple[int, str]:
        """A command's exit status, and all it printed."""
        self._tell(f"{{ {text}\n}} </dev/null 2>&1")
        return self._end()

    def watch(self, text: str, shown: tuple[str, ...]) -> str:
        """What a command has printed once that is what is shown, or when it took too long."""
        # With job control it can be interrupted, and with it whatever it started.
        self._tell(f"set -m; {{ echo $BASHPID; {text}\n}} </dev/null 2>&1 & wait; set +m")
        pid, _, printed = self._read(
            lambda said: matches(shown, said.partition("\n")[2])
        ).partition("\n")
        self._host.root("kill", "-INT", "--", f"-{pid}")
        self._end()
        return printed

    def _tell(self, text: str) -> None:
        assert self._bash.stdin
        self._bash.stdin.write(f"{text}; printf '\\n-- ended %s\\n' $?\n".encode())

    def _end(self) -> tuple[int, str]:
        said = self._read(lambda said: _ENDED.search(said) is not None)
        ended = _ENDED.search(said)
        assert ended, f"it does not end; so far:\n{said}"
        return int(ended[1]), said[: ended.start()]

    def _read(self, enough: Callable[[str], bool]) -> str:
        assert self._bash.stdout
        said, until = b"", time.monotonic() + PATIENCE
        waiting = select.poll()
        waiting.register(self._bash.stdout, select.POLLIN)
        while not enough(said.decode(errors="replace")):
            left = until - time.monotonic()
            if left <= 0 or not waiting.poll(left * 1000):
                break
            read = self._bash.stdout.read(65536)
            if not read:
                break
            said += read
        return said.decode(errors="replace")

    def close(self) -> None:
        """End it."""
        self._bash.communicate(b"exit\n", timeout=PATIENCE)
