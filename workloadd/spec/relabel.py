"""What of a host may be given an SELinux label for containers (the mount options z and Z).

The label of a directory and of all below it is changed for good, and what SELinux confines on the
host may not use it afterwards: a host whose /etc was relabelled does not boot.
"""

from __future__ import annotations

import re
from posixpath import normpath

# Podman's own list, for those that are given exactly.
_NEVER = frozenset(
    [
        "/", "/bin", "/boot", "/dev", "/etc", "/etc/passwd", "/etc/pki", "/etc/shadow", "/home",
        "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/run/user", "/sbin",
        "/srv", "/sys", "/tmp", "/usr", "/var", "/var/home", "/var/lib", "/var/log", "/var/opt",  # noqa: S108
        "/var/roothome", "/var/run", "/var/srv", "/var/tmp",  # noqa: S108
        "~", "~/.local", "~/.local/share", "~/.local/share/containers",
        "~/.local/share/containers/storage",
    ]
)  # fmt: skip
# The kernel's, and what comes with the system.
_NEVER_BELOW = (
    "/bin/", "/boot/", "/dev/", "/lib/", "/lib64/", "/proc/", "/sbin/", "/sys/", "/usr/",
)  # fmt: skip
_HOME = re.compile(r"(?:/home|/var/home|/run/user)/[^/]+")
_ABOVE = re.compile(r"\.\.(?:/\.\.)*")
_USED = ("/etc/", "/run/", "/var/log/", "/var/run/", "/var/spool/", "~/.config/", "~/.ssh")


def is_dangerous(source: str) -> bool:
    """Whether relabelling ``source``, as it was written, would damage the host."""
    path = _normal(source)
    return (
        path in _NEVER
        or path.startswith(_NEVER_BELOW)
        or bool(_HOME.fullmatch(path) or _ABOVE.fullmatch(path))
    )


def used_by_the_host(source: str) -> bool:
    """Whether it is for services of the host as well."""
    return f"{_normal(source)}/".startswith(_USED)


def _normal(source: str) -> str:
    return "/" + normpath(source).lstrip("/") if source.startswith("/") else normpath(source)
