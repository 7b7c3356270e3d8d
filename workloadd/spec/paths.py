"""Paths in the container and on the host, as they may be written."""

from __future__ import annotations

from pathlib import PurePosixPath

from workloadd.spec.problems import reject
from workloadd.spec.text import as_line, quote


def absolute_path(value: object) -> str:
    """A path inside the container, without ``..`` and without superfluous slashes."""
    path = PurePosixPath(as_line(value))
    if not path.is_absolute():
        raise reject("BadPath", f"{quote(str(path))} is not an absolute path", "begin it with /")
    if ".." in path.parts:
        raise reject("BadPath", f"{quote(str(path))} has .. in it", "write the path it leads to")
    return "/" + str(path).lstrip("/")


def host_path(value: object) -> str:
    """A path of the host: ``/absolute``, ``./relative``, ``../relative`` or ``~/of the user``."""
    text = as_line(value)
    if text.startswith("~") and text != "~" and not text.startswith("~/"):
        raise reject("BadPath", f"{quote(text)} names another user's home", "write the path itself")
    return text
