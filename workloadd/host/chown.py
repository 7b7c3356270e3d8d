"""Giving files to users that only exist in containers.

Our subordinate IDs are not ours to chown to; in the user namespace that Podman makes of them we
are root, and may. This process itself may neither chown nor enter it (the unit's seccomp filter is
passed on to all it starts), so systemd runs it.
"""

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from workloadd.core.errors import Permanent
from workloadd.host.systemd import Systemd

_PODMAN = "/usr/bin/podman"
_TIMEOUT = 60.0


class Owners:
    """Has systemd give files away."""

    def __init__(self, systemd: Systemd) -> None:
        self._systemd = systemd

    async def give(self, paths: Sequence[Path], uid: int, gid: int) -> None:
        """Give files to a user and group, by their IDs in Podman's user namespace.

        Raises:
            Permanent: there are no such IDs.
            Transient: it could not be tried.
        """
        podman = shutil.which("podman") or _PODMAN
        command = [podman, "unshare", "chown", "-h", f"{uid}:{gid}", "--", *map(str, paths)]
        unit = f"workloadd-chown-{secrets.token_hex(6)}.service"
        try:
            await self._systemd.run(
                unit, command, "Give files to users of a container", timeout=_TIMEOUT
            )
        except Permanent as error:
            said = f"cannot give files to the user {uid} and the group {gid}"
            hint = (
                "the user's range in /etc/subuid and /etc/subgid has to hold them; what was said: "
                f"journalctl --user -u {unit}"
            )
            raise Permanent("NoSuchOwner", said, hint) from error
