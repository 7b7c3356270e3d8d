"""Kernel parameters that a container may have of its own."""

from __future__ import annotations

import re

from workloadd.spec.pairs import parse_pairs
from workloadd.spec.problems import reject
from workloadd.spec.text import key_name, quote

_NAME = re.compile(r"[a-z0-9_-]+(?:[./][A-Za-z0-9_-]+)+")
# What belongs to a namespace of the container (namespaces(7)); Podman refuses the others.
_IPC = {
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
    "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}  # fmt: skip


def _parameter(key: str, value: str) -> str:
    if not _NAME.fullmatch(key):
        why = f"{quote(key_name(key))} is not the name of a parameter"
        raise reject("InvalidName", why, "write for example net.core.somaxconn", at_key=True)
    if not (key in _IPC or key.startswith(("net.", "fs.mqueue."))):
        why = f"{quote(key)} is the whole host's, not the container's"
        raise reject("BadValue", why, "set it in /etc/sysctl.d of the host", at_key=True)
    return value


def parse_sysctls(value: object) -> dict[str, str]:
    """The value of ``sysctls``, sorted by name."""
    return parse_pairs(value, _parameter)
