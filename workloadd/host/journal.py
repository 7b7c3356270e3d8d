"""Logging: structured to the journal where stderr goes there, else plain lines on stderr.

A record says which workload it is about by `extra={"workload": …, "revision": …}`, which
`log(workload=…)` adds to every record of a logger.
"""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

from systemd import journal

IDENTIFIER = "workloadd"

_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG = 7


class WorkloadLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose records carry `WORKLOAD` and `REVISION`."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add our fields to those of the call."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def log(name: str = IDENTIFIER, *, workload: str = "", revision: str = "") -> WorkloadLog:
    """A logger for records about a workload and, where known, one of its revisions."""
    fields = {"workload": workload, "revision": revision}
    return WorkloadLog(logging.getLogger(name), {k: v for k, v in fields.items() if v})


def set_up(level: int = logging.INFO) -> None:
    """Make the root logger write to the journal if stderr is connected to it, else to stderr."""
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers[:] = [JournalHandler() if stderr_is_journal() else _plain()]
    # Every request of urllib3 and aiohttp at INFO would drown what we say.
    for name in ("urllib3", "aiohttp", "podman", "dbus_fast"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def stderr_is_journal() -> bool:
    """Whether JOURNAL_STREAM names stderr's device and inode (systemd.exec(5))."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(sys.stderr.fileno())
        return (found.st_dev, found.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False


class JournalHandler(logging.Handler):
    """Sends records to the journal by its native protocol (systemd.journal-fields(7))."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a journal that is away must not stop the daemon."""
        try:
            journal.send(self.format(record), **fields_of(record))
        except Exception:  # noqa: BLE001 - as every logging handler does
            self.handleError(record)


def fields_of(record: logging.LogRecord) -> dict[str, str | int]:
    """The journal fields of a record, the message aside."""
    fields: dict[str, str | int] = {
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "PRIORITY": str(next((p for level, p in _PRIORITIES if record.levelno >= level), _DEBUG)),
        "LOGGER": record.name,
        "CODE_FILE": record.pathname,
        "CODE_LINE": record.lineno,
        "CODE_FUNC": record.funcName or "",
    }
    for name in ("WORKLOAD", "REVISION"):
        if value := getattr(record, name.lower(), ""):
            fields[name] = str(value)
    return fields


class _PlainFormatter(logging.Formatter):
    """`WARNING web: message`, on one line unless there is a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        workload = getattr(record, "workload", "")
        prefix = f"{record.levelname} {workload}: " if workload else f"{record.levelname} "
        return prefix + super().format(record)


def _plain() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(_PlainFormatter("%(message)s"))
    return handler
