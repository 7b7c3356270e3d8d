"""Giving files to users that only exist in containers.

Our subordinate IDs are not ours to chown to; in the user namespace that Podman makes of them we
are root, and may.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from workloadd.core.errors import Permanent, Transient

_TIMEOUT = 60.0
_WORDS = 300


def chown_in_namespace(paths: Sequence[Path], uid: int, gid: int) -> None:
    """Give files to a user and group, by their IDs in Podman's user namespace. Blocks.

    Raises:
        Permanent: there are no such IDs.
        Transient: Podman could not be run.
    """
    doing = f"cannot give files to the user {uid} and the group {gid}"
    command = ["podman", "unshare", "chown", "-h", f"{uid}:{gid}", "--", *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, text=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Transient("PodmanUnavailable", f"{doing}: {error}") from error
    if done.returncode:
        words = done.stderr.strip()[-_WORDS:]
        hint = "the user's range in /etc/subuid and /etc/subgid has to hold these IDs"
        raise Permanent("NoSuchOwner", f"{doing}: {words}", hint)
