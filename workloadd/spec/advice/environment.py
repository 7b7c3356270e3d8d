"""Advice on environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workloadd.spec.advice.rule import ContainerView
from workloadd.spec.problems import Path, Problem

_SECRET = re.compile(
    r"(?:.*_)?(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|(?:API|ACCESS|SECRET|PRIVATE)_?KEY)",
    re.IGNORECASE,
)
# What switches something on or off is no secret: ALLOW_EMPTY_PASSWORD=yes.
_SWITCH = re.compile(r"true|false|yes|no|on|off|[0-9]{0,3}", re.IGNORECASE)


def literal_secret(view: ContainerView) -> Iterator[Problem]:
    """Whoever may read the workload file may read it, as may `podman inspect`."""
    for name, value in view.spec.environment.items():
        if _SECRET.fullmatch(name) and not _SWITCH.fullmatch(value):
            path = _path(view, name)
            if view.node.find(path)[1].origin:
                continue
            why = "it looks like a secret, and is written in the workload file"
            hint = "put it into a file of its own and name that under secrets"
            yield Problem("LiteralSecret", why, hint, path, at_key=True)


def _path(view: ContainerView, name: str) -> Path:
    """Where a variable stands: by its name in a mapping, by its number in a list."""
    written = view.written("environment")
    if isinstance(written, list):
        for index, item in enumerate(written):
            if str(item).partition("=")[0] == name:
                return "environment", index
    return "environment", name
