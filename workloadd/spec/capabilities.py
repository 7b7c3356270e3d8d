"""Linux capabilities."""

from __future__ import annotations

from collections.abc import Callable

from workloadd.spec.problems import each, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, quote

ALL = "ALL"

# capabilities(7), in the kernel's order; the last came with Linux 5.9.
_NAMES = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
    SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG
    MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
    BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
CAPABILITIES = tuple(f"CAP_{name}" for name in _NAMES.split())


def parse_capability(value: object) -> str:
    """``CAP_NET_ADMIN`` from ``net_admin``, ``NET_ADMIN`` or ``CAP_NET_ADMIN``; or ``ALL``."""
    text = as_line(value)
    name = text.strip().upper().removeprefix("CAP_")
    if name == ALL:
        return ALL
    if f"CAP_{name}" in CAPABILITIES:
        return f"CAP_{name}"
    raise reject(
        "BadCapability",
        f"{quote(text)} is no capability",
        did_you_mean(name, [*_NAMES.split(), ALL]),
    )


def parse_capabilities(value: object) -> tuple[str, ...]:
    """Capabilities in canonical order, each once; ``ALL`` comprises the others."""
    parse: Callable[[object], str] = parse_capability
    names = {name for _, name in each(enumerate(as_list(value)), parse)}
    return (ALL,) if ALL in names else tuple(sorted(names))
