"""`workloadd`: start the daemon."""

import asyncio
import logging
import os
import sys
from collections.abc import Iterator

from workloadd.core.errors import WorkloaddError

_USAGE = """usage: workloadd [--version]

Runs the daemon in the foreground; it is meant to be started by systemd:
    systemctl --user start workloadd.service
Everything else is done with workloadctl, for example: workloadctl validate FILE
"""


def main() -> int:
    """Run the daemon until it is asked to stop.

    Returns 0 then, 1 where it cannot go on, 64 (EX_USAGE) for arguments it does not know, 78
    (EX_CONFIG) where it must not or cannot start as things are.
    """
    if sys.argv[1:] and sys.argv[1:] != ["--version"]:
        sys.stderr.write(_USAGE)
        return 0 if sys.argv[1:] in (["--help"], ["-h"]) else 64
    if sys.argv[1:]:
        from importlib.metadata import version

        sys.stdout.write(f"workloadd {version('workloadd')}\n")
        return 0
    from workloadd.host.preflight import refuse_root

    refuse_root()
    from workloadd import daemon
    from workloadd.host import journal
    from workloadd.host.passed import refuse_waiting
    from workloadd.settings import Paths, load_settings

    paths = Paths.from_environment(os.environ)
    try:
        settings = load_settings(paths)
    except WorkloaddError as error:
        sys.stderr.write(f"{error.problem}\n")
        refuse_waiting()
        return 78
    journal.set_up(getattr(logging, settings.log.level.upper()))
    try:
        asyncio.run(daemon.run(paths, settings))
    except* WorkloaddError as group:
        # Somebody else's fault, such as a second daemon at our socket: no traceback.
        failure = "; ".join(str(error.problem) for error in _leaves(group))
    else:
        return 0
    logging.getLogger(__name__).error("cannot go on: %s", failure)
    return 1


def _leaves(group: BaseExceptionGroup[WorkloaddError]) -> Iterator[WorkloaddError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    sys.exit(main())
