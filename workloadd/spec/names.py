"""Names of workloads."""

from __future__ import annotations

import re

MAIN_CONTAINER = "_main"
"""What a workload's only container is called; nobody can give a container of a pod this name."""

INFRA_CONTAINER = "_infra"
"""What the container is called that holds a pod's network."""

MAX_NAME = 48
"""A name is a container's host name (the kernel's bound: 64 bytes) and, with a suffix behind it, a
container's name, which DNS on a Podman network takes for a label (RFC 1123: 63 bytes).  48 leaves
15 for the suffix, and keeps ``workload-NAME.service`` far below systemd's 255."""

NAME = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
"""What a name looks like, as a regular expression of Python and of JSON Schema."""

_NAME = re.compile(NAME)


def check_name(name: str) -> str | None:
    """Why ``name`` cannot be a workload's name, or None if it can."""
    if not name:
        return "it is empty"
    if len(name) > MAX_NAME:
        return f"it has {len(name)} characters, more than {MAX_NAME}"
    if not _NAME.fullmatch(name):
        return "a name has lower-case letters, digits and “-”, and neither begins nor ends with “-”"
    return None


def propose_name(name: str) -> str | None:
    """The closest valid name, or None if nothing of ``name`` can be kept."""
    kept = re.sub(r"[^a-z0-9]+", "-", name.casefold())[:MAX_NAME].strip("-")
    return kept or None
